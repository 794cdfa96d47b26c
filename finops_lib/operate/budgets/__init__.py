"""Budgets: limits by scope, what is burnt of them, and what the next should be."""
