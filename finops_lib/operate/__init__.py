"""Operate: budgets, anomalies, alerts, and who answers for them."""
