"""Prices: the public list, the organisation's own terms, and what a model costs on a day."""
