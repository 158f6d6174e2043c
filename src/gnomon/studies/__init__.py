"""One module per paper: what its experiment is composed of, its claims, its figures."""
