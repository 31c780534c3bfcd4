"""Models: weights, each with its card."""
