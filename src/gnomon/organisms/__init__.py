"""Models with planted, known behaviour, and the invented world they live in."""
