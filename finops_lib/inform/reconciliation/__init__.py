"""Reconciliation: the estimate held against the invoice, each difference with its cause."""
