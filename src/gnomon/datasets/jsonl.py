"""JSON lines, with errors that name file and line."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NoReturn

from gnomon.datasets.files import opened
from gnomon.errors import DatasetError


def read_lines(path: Path | str) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of a JSONL file, gzipped or not, with line numbers from 1; empty lines are passed over, one is held at a time.

    Raises:
        DatasetError: The file cannot be read, holds no line, or a line is no JSON object; names file and line.
    """
    path = Path(path)
    with opened(path) as file:
        yield from read_objects(file, str(path))


def read_objects(lines: Iterable[bytes], where: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of JSON lines, as `read_lines`; `where` names them in errors."""
    found = False
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        found = True
        try:
            value = json.loads(line.removesuffix(b"\n").decode("utf-8-sig"), parse_constant=_refuse)
        except UnicodeDecodeError:
            raise DatasetError(f"line {number} of {where} is not UTF-8 text: mend that line or leave it out") from None
        except RecursionError:
            raise DatasetError(f"line {number} of {where} is nested too deeply: mend that line or leave it out") from None
        except ValueError as error:
            raise DatasetError(
                f"line {number} of {where} is not JSON ({_short(error)}): mend that line or leave it out"
            ) from None
        if not isinstance(value, dict):
            raise DatasetError(f"line {number} of {where} is not a JSON object: each line must be one, {{...}}")
        yield number, value
    if not found:
        raise DatasetError(f"{where} is empty: give a JSONL file with one record per line")


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a JSON number")


def _short(error: ValueError) -> str:
    return f"{error.msg}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else str(error)
