"""Validation: every instrument on organisms of known behaviour, and the failures of real tools replayed."""

from gnomon.validate.validation import ValidationResult, configuration, validate

__all__ = ["ValidationResult", "configuration", "validate"]
