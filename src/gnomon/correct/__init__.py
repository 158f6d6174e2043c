"""Training a behaviour out."""
