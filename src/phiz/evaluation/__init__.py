"""Metrics and the figures they give on a data set."""
