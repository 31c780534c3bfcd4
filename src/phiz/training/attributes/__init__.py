"""Facial attributes: recipe, data, loop task, thresholds and export."""
