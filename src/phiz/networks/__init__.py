"""PyTorch modules, one file per network."""
