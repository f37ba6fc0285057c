"""`python -m starter.cli`: how the local stack starts its parts."""

from starter.cli import main

main()
