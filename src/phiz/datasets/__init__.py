"""Readers and splits; numpy and the standard library only, but for Matlab files and pictures, read lazily."""
