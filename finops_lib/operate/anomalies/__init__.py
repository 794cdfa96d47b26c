"""Anomalies: unusual days and creeping drift, with size, first day and likely cause."""
