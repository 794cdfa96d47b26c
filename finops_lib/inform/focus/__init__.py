"""FOCUS: the month as a dataset of the specification, and what the specification says of it."""
