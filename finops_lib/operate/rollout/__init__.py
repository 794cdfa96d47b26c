"""Rollout: the 90-day items, each proved from data or attested."""
