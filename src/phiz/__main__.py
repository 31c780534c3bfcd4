"""`python -m phiz` is the `phiz` command."""

from .cli import main

main()
