"""Optimize: which change bends the cost without losing quality, and what it saved."""
