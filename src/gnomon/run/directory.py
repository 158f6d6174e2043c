"""The run directory: everything that a run was given and everything that came out of it, as plain files.

Its layout:

    run.json               configuration, its hash, versions, seeds, model cards
    records.jsonl          the journal
    tables/<evaluation>.parquet
    estimates.json
    figures/               charts as SVG with their data
    report.html
"""

import fcntl
import json
import os
import platform
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from importlib import metadata
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import polars as pl
from pydantic import BaseModel, ConfigDict, ValidationError

from gnomon.datasets.items import content_hash
from gnomon.errors import RunDirectoryError
from gnomon.run import journal
from gnomon.run.files import write_atomically, writing
from gnomon.run.record import Record
from gnomon.run.tables import as_parquet, record_table
from gnomon.stats.estimate import Estimate

_VERSIONED = ("gnomon", "torch", "transformers", "accelerate", "peft", "polars", "numpy", "scipy", "scikit-learn")
_LOCK = ".lock"


class RunDescription(BaseModel):
    """What `run.json` holds.

    Attributes:
        verb: The command: `audit`, `loop`, ...
        configuration: All options that determine the results, seeds and model fingerprints included.
        hash: Hash of `configuration`.
        versions: Of Python, gnomon and the libraries that compute.
        models: Model cards by role (`model`, `judge`, ...).
        started: When the directory was made (UTC, ISO 8601).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    verb: str
    configuration: dict[str, Any]
    hash: str
    versions: dict[str, str]
    models: dict[str, Any] = {}
    started: str


def default_path(verb: str, model: str, configuration: Mapping[str, Any], root: Path | str = "runs") -> Path:
    """`runs/<verb>-<model>-<hash>`: the same command finds its directory again, another configuration gets another."""
    name = re.sub(r"([^A-Za-z0-9.]|\.\.)+", "-", model).strip("-.")[-48:]
    return Path(root) / f"{verb}-{name}-{content_hash([_version('gnomon'), _plain(configuration)])[:8]}"


class RunDirectory:
    """One run's directory; made with `create_or_resume` (to run) or `open` (to read).

    Directories may be nested: a loop keeps an audit of its own under `before/` and `after/`.

    Attributes:
        path: The directory.
        description: What `run.json` holds.
        resumed: Whether it was there before.
    """

    def __init__(self, path: Path, description: RunDescription, *, resumed: bool, lock: int | None):
        self.path = path
        self.description = description
        self.resumed = resumed
        self._lock = lock

    @classmethod
    def create_or_resume(
        cls,
        path: Path | str,
        configuration: Mapping[str, Any],
        *,
        verb: str = "run",
        models: Mapping[str, Any] | None = None,
    ) -> Self:
        """Makes the directory, or takes up the run that stopped in it, and locks it for this process.

        Args:
            path: Where. Parents are made.
            configuration: Everything that determines the results, JSON-able.
            verb: The command.
            models: Model cards by role, JSON-able.

        Raises:
            RunDirectoryError: It cannot be written, is in use, holds a run of another configuration or gnomon version, or
                holds something that is no run.
        """
        path = Path(path)
        plain = _plain(configuration)
        with writing(path):
            path.mkdir(parents=True, exist_ok=True)
        lock = _lock(path)
        try:
            former = _read_description(path)
            if former is None:
                description = RunDescription(
                    verb=verb,
                    configuration=plain,
                    hash=content_hash(plain),
                    versions=_versions(),
                    models=_plain(models or {}),
                    started=datetime.now(UTC).isoformat(timespec="seconds"),
                )
                write_atomically(path / "run.json", _as_json(description.model_dump(mode="json")))
            else:
                _check_same(path, former, plain, verb)
                description = former
        except BaseException:
            os.close(lock)
            raise
        return cls(path, description, resumed=former is not None, lock=lock)

    @classmethod
    def open(cls, path: Path | str) -> Self:
        """Opens a run's directory for reading; a run may be writing in it.

        Raises:
            RunDirectoryError: There is no run.
        """
        path = Path(path)
        description = _read_description(path) if path.is_dir() else None
        if description is None:
            raise RunDirectoryError(f"{path} holds no run: give a directory that gnomon made (it contains run.json)")
        return cls(path, description, resumed=True, lock=None)

    @cached_property
    def journal(self) -> journal.Journal:
        """The journal, open for appending; read back on first use."""
        if self._lock is None:
            raise RunDirectoryError(f"the run {self.path} is open for reading only")
        return journal.Journal(self.path / "records.jsonl")

    def records(self) -> list[Record]:
        """All records on disk, one per key; empty where nothing ran yet."""
        if "journal" in self.__dict__:
            return list(self.journal.records.values())
        path = self.path / "records.jsonl"
        return journal.read(path) if path.exists() else []

    def write_table(self, evaluation: str, records: Sequence[Record]) -> pl.DataFrame:
        """Saves an evaluation's records, in the given order, as `tables/<evaluation>.parquet`, and returns the table."""
        table = record_table(records)
        write_atomically(self._table_path(evaluation), as_parquet(table))
        return table

    def read_table(self, evaluation: str) -> pl.DataFrame:
        """The table that `write_table` saved.

        Raises:
            RunDirectoryError: It is not there or broken.
        """
        path = self._table_path(evaluation)
        try:
            return pl.read_parquet(path)
        except (OSError, pl.exceptions.PolarsError):
            there = ", ".join(self.evaluations()) or "none"
            raise RunDirectoryError(f"{path} is missing or broken (tables of this run: {there})") from None

    def evaluations(self) -> list[str]:
        """Names of the evaluations whose tables are saved, sorted."""
        return sorted(path.stem for path in (self.path / "tables").glob("*.parquet"))

    def write_estimates(self, estimates: Sequence[Estimate]) -> None:
        """Saves the run's estimates as `estimates.json`."""
        self.write_json("estimates.json", [estimate.model_dump(mode="json") for estimate in estimates])

    def read_estimates(self) -> list[Estimate]:
        """The estimates that `write_estimates` saved.

        Raises:
            RunDirectoryError: They are not there or broken.
        """
        path = self.path / "estimates.json"
        try:
            return [Estimate.model_validate(entry) for entry in json.loads(path.read_bytes())]
        except (OSError, ValueError):
            raise RunDirectoryError(f"{path} is missing or broken: run the same command again to write it anew") from None

    def unfinished(self) -> list[str]:
        """Names of the evaluations that have records and no estimates yet, sorted; estimates are what a run writes last."""
        try:
            finished = {estimate.evaluation for estimate in self.read_estimates()}
        except RunDirectoryError:
            finished = set[str]()
        return sorted({record.evaluation for record in self.records()} - finished)

    def write_json(self, name: str, value: Any) -> None:
        """Saves a JSON-able value under a name relative to the directory.

        Raises:
            ValueError: It holds NaN or infinity.
        """
        write_atomically(self.path / name, _as_json(value))

    @property
    def figures(self) -> Path:
        """Where charts go; made on first use."""
        path = self.path / "figures"
        with writing(path):
            path.mkdir(exist_ok=True)
        return path

    @property
    def report(self) -> Path:
        """Where the report goes."""
        return self.path / "report.html"

    def close(self) -> None:
        """Writes what the journal still holds, and lets other processes have the directory."""
        if "journal" in self.__dict__:
            self.journal.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _table_path(self, evaluation: str) -> Path:
        if not re.fullmatch(r"[\w.-]+", evaluation) or evaluation.startswith("."):
            raise RunDirectoryError(f"{evaluation!r} cannot name a table: use letters, digits, '-', '_' and '.'")
        return self.path / "tables" / f"{evaluation}.parquet"


def _lock(path: Path) -> int:
    with writing(path):
        file = os.open(path / _LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(file)
        raise RunDirectoryError(f"{path} is in use by another run: wait until it ends, or choose another --out") from None
    return file


def _read_description(path: Path) -> RunDescription | None:
    """What run.json says; None for a directory in which nothing was begun."""
    try:
        return RunDescription.model_validate_json((path / "run.json").read_bytes())
    except FileNotFoundError:
        if any(entry.name != _LOCK and not entry.name.startswith(".run.json.") for entry in path.iterdir()):
            raise RunDirectoryError(f"{path} is not empty and holds no run (no run.json): choose another --out") from None
        return None
    except (OSError, ValidationError):
        raise RunDirectoryError(f"{path / 'run.json'} cannot be read or is broken: choose another --out") from None


def _check_same(path: Path, former: RunDescription, configuration: dict[str, Any], verb: str) -> None:
    if former.verb != verb:
        raise RunDirectoryError(f"{path} holds a run of {former.verb!r}, not {verb!r}: choose another --out")
    if former.configuration != configuration:
        names = sorted(former.configuration.keys() | configuration.keys())
        other = next(name for name in names if former.configuration.get(name, ...) != configuration.get(name, ...))
        was, now = former.configuration.get(other), configuration.get(other)
        raise RunDirectoryError(
            f"{path} holds another run (its {other} is {was!r}, not {now!r}): give the same options, or choose another --out"
        )
    was, now = former.versions.get("gnomon"), _version("gnomon")
    if was != now:
        raise RunDirectoryError(
            f"{path} was begun by gnomon {was}, this is {now}; their records are not mixed: choose another --out"
        )


def _versions() -> dict[str, str]:
    versions = {name: _version(name) for name in _VERSIONED}
    return {"python": platform.python_version()} | {name: version for name, version in versions.items() if version}


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def _plain(configuration: Mapping[str, Any]) -> dict[str, Any]:
    return json.loads(json.dumps(dict(configuration), allow_nan=False))


def _as_json(value: Any) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()
