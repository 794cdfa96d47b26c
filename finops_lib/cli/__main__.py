"""``python -m finops_lib.cli`` is the command ``finops``."""

from finops_lib.cli import main

main()
