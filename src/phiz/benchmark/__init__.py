"""How fast phiz is on this machine, part by part; see `phiz benchmark` and docs/benchmark.md."""
