"""gnomon: audit a language model, explain, correct, and audit it again."""

__version__ = "0.1.0"
