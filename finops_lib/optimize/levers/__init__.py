"""Levers: what each would save, together, and what the promoted ones saved on record."""
