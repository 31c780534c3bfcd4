"""From recipe to shipped weights."""
