"""`python -m alif` is `alif`."""

from alif.cli import main

main()
