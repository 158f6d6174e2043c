"""`python -m gnomon`: the command where its script is not on the path."""

from gnomon.cli import main

main()
