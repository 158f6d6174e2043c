"""What follows the `?` of a model reference."""

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from gnomon.errors import ConfigurationError

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
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        known = ", ".join(kind.model_fields)
        raise ConfigurationError(f"Model option {where!r} does not fit ({first['msg']}); the options are {known}.") from error
