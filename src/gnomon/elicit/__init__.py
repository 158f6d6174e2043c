"""Reusable protocols: choosing between options, reasoning, judging."""
