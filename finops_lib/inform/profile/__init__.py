"""Profile: what was spent on what, by whom, and how it moves."""
