"""Runs: the runner, its journal, and the run directory."""
