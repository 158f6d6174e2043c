"""What follows the `?` of a model reference."""

from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from gnomon.errors import ConfigurationError, complaint

Options = TypeVar("Options", bound=BaseModel)


def parse_options(text: str, kind: type[Options]) -> Options:
    """Reads `name=value&name=value` into a configuration.

    Raises:
        ConfigurationError: An unknown option, or a value that does not fit.
    """
    pairs = [part.partition("=") for part in text.split("&") if part]
    try:
        return kind.model_validate({name: value for name, _, value in pairs})
    except ValidationError as error:
        raise ConfigurationError(f"model reference: {complaint(error, 'option', kind.model_fields)}") from error


def with_options(reference: str, options: dict[str, Any]) -> str:
    """The reference with more options, such as Inspect's model arguments (`-M rate=0.3`)."""
    text = "&".join(f"{name}={value}" for name, value in options.items())
    return f"{reference}{'&' if '?' in reference else '?'}{text}" if text else reference
