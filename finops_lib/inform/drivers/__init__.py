"""Drivers: calls × context × rate, between two months, ahead, and under what-ifs."""
