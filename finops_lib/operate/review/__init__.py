"""Review: the month's indicators and decisions, and what became of the last ones."""
