"""Items, prompt formats and the published datasets."""
