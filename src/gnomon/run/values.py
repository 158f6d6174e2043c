"""Which values a record may hold: those that come back from a file exactly as they went in."""

import math
from collections.abc import Mapping
from typing import Any, cast

from gnomon.run.record import Column

BASE_COLUMNS = ("item", "cluster", "repeat", "status", "reason")
"""Columns that every record table has; no value may take their names."""

_LARGEST = 2**63


def checked(values: Mapping[str, Any]) -> dict[str, Column]:
    """A record's values in plain form (tuples become lists).

    Raises:
        ValueError: A name that is no text, a number that is not finite or has more than 64 bits, or a type that JSON does not
            have. Nothing is converted: NaN would come back as null, and null might be read as 0.
    """
    plain: dict[str, Column] = {}
    for name, value in values.items():
        if type(name) is not str:
            raise ValueError(f"the value's name {name!r} is not a text")
        if name in BASE_COLUMNS:
            raise ValueError(f"the value's name {name!r} is taken: every record table has a column of that name")
        plain[name] = _plain(name, value)
    return plain


def _plain(name: str, value: Any) -> Any:
    kind = cast("type[object]", type(value))
    if kind is float:
        if not math.isfinite(value):
            raise ValueError(f"the value {name!r} is {value}; what was not measured is unscored, with its reason")
    elif kind is int:
        if not -_LARGEST <= value < _LARGEST:
            raise ValueError(f"the value {name!r} needs more than 64 bits")
    elif kind is str:
        if not value.isascii():
            _check_text(name, value)
    elif kind is list or kind is tuple:
        return [_plain(name, part) for part in value]
    elif value is not None and kind is not bool:
        possible = "numbers, texts, booleans, None and lists of them"
        raise ValueError(f"the value {name!r} is a {kind.__name__}; possible are {possible}, as plain Python objects")
    return value


def _check_text(name: str, text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError(f"the value {name!r} holds half a character (a lone surrogate)") from None
