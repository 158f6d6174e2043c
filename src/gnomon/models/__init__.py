"""Models: references, the Model interface, the local engine and adapters."""
