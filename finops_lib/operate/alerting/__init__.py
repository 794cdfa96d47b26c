"""Alerting: one message a cause, to its owners, delivered once."""
