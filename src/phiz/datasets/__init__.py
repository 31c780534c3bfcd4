"""Readers and splits; numpy and the standard library only."""
