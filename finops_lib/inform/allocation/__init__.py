"""Allocation: every charge given to who caused it, to the last cent."""
