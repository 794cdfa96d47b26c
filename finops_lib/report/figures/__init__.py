"""Figures: one module a topic, frames in, a matplotlib Figure out."""
