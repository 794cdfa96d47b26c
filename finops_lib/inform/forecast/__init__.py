"""Forecast: daily series carried on with intervals, and how wrong it has been."""
