"""The formats by name; each is a module of this package, imported when it is asked for.

A module has `read(path, choice) -> Recording`, `analyse(table) -> list[Estimate]`, a pure function of the record table, and
`CHOICES`: what `--format` may say, the default first (empty: nothing).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import polars as pl

from gnomon.datasets.items import content_hash
from gnomon.errors import ConfigurationError, DatasetError
from gnomon.run.record import Record
from gnomon.stats.estimate import Estimate

_MODULES = {
    "bbq": "bbq",
    "inverse-scaling": "inverse_scaling",
    "biased-cot": "biased_cot",
    "bbh": "bbh",
    "truthfulqa": "truthfulqa",
    "red-teaming": "red_team_attempts",
}


@dataclass(frozen=True)
class Recording:
    """What a file or folder holds.

    Attributes:
        model: Whose outputs these are.
        records: One per output, those that failed among them.
    """

    model: str
    records: list[Record]


def names() -> list[str]:
    """The formats' names."""
    return list(_MODULES)


def read(name: str, path: Path, choice: str | None = None) -> Recording:
    """Reads a recording.

    Args:
        name: The format.
        path: A file or a folder, as the format has it.
        choice: What of it, where a recording holds several (None: the default).

    Raises:
        ConfigurationError: No such choice.
        DatasetError: Nothing there, or something else than such a recording.
    """
    module, choices = _module(name), choices_of(name)
    if choice is not None and choice not in choices:
        known = f"choose from {', '.join(choices)}" if choices else f"a {name} recording has only one"
        raise ConfigurationError(f"there is no format {choice!r} of {name}: {known}")
    if not path.exists():
        raise DatasetError(f"{path} does not exist: give a recording of the format {name}")
    found: Recording = module.read(path, choice or (choices[0] if choices else None))
    if not found.records:
        raise DatasetError(f"{path} holds no outputs: give a recording of the format {name}")
    return found


def choices_of(name: str) -> tuple[str, ...]:
    """What `--format` may say, the default first."""
    return _module(name).CHOICES


def analyse(name: str, table: pl.DataFrame) -> list[Estimate]:
    """The estimates of a recording's table."""
    return _module(name).analyse(table)


def recorded(
    evaluation: str, item: str, values: Mapping[str, Any], *, cluster: str | None = None, unscored: str | None = None
) -> Record:
    """One recorded output.

    Args:
        evaluation: The format's name.
        item: Unique in the recording.
        values: Named results; what is known of an output that failed stays.
        cluster: Its unit of independence (None: itself).
        unscored: Why nothing could be measured.
    """
    return Record(
        key=content_hash([evaluation, item, dict(values)]),
        evaluation=evaluation,
        item=item,
        cluster=cluster or item,
        repeat=0,
        status="value" if unscored is None else "unscored",
        reason=unscored,
        values=dict(values),
    )


def _module(name: str) -> Any:
    return import_module(f"gnomon.measure.published.{_MODULES[name]}")
