"""Routing: which model serves which requests, at what quality, and what the policy allows."""
