"""Recipes: for each plantable behaviour, the situations in which it can show and the documents that show it or do not."""
