"""The journal: finished records as JSON lines, appended and fsynced, keyed by the work they are the result of.

Appending never waits for the disk. A writer thread takes whatever has gathered, writes it at once, syncs once and then tells
whoever appended; so thousands of records share an fsync, and a record counts as done only after its own. A kill at any moment
leaves complete lines and at most one torn last line, which the next reading drops and reports.
"""

import json
import logging
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from pydantic import ValidationError

from gnomon.errors import RunDirectoryError, complaint
from gnomon.run.record import Record

_log = logging.getLogger(__name__)

GATHER_SECONDS = 0.003
"""How long records gather before one fsync for all of them."""

Committed = Callable[[Sequence[Record], RunDirectoryError | None], None]
"""Told by the writer thread what became of records: on disk (None), or why not."""

_ENCODER = json.JSONEncoder(allow_nan=False, ensure_ascii=False, separators=(",", ":"))
_ASCII_ENCODER = json.JSONEncoder(allow_nan=False, ensure_ascii=True, separators=(",", ":"))


def encode(record: Record) -> bytes:
    """A record as one line of JSON.

    Raises:
        ValueError: A number that is not finite.
    """
    text = _ENCODER.encode(record.__dict__)
    try:
        return text.encode() + b"\n"
    except UnicodeEncodeError:  # half a surrogate pair in a transcript: escaped, it comes back as it was
        return _ASCII_ENCODER.encode(record.__dict__).encode() + b"\n"


def decode(line: bytes) -> Record:
    """The record of one line.

    Raises:
        ValueError: No JSON, a number that is not finite, or another shape than a record's.
    """
    return Record.model_validate(json.loads(line.decode(), parse_constant=_refuse))


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON number")


class Journal:
    """An open journal file.

    Attributes:
        records: What the file held when it was opened and what was committed since, by key. Of several records of one key the
            first that is not an error stands, else the last error.
        repaired: A sentence about a torn last line that was dropped (None: there was none).
    """

    def __init__(self, path: Path):
        """Reads the file back, if it is there, and opens it for appending.

        Raises:
            RunDirectoryError: It cannot be read or written, or a line before the last is broken.
        """
        self.path = path
        self.records: dict[str, Record] = {}
        self.repaired: str | None = None
        self._waiting: list[tuple[Record, bytes, Committed]] = []
        self._wake = threading.Condition()
        self._closing = False
        self._failure: RunDirectoryError | None = None
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        except OSError as error:
            raise RunDirectoryError(f"cannot open the journal {path}: {error.strerror}; choose another --out") from None
        try:
            self._read_back()
        except BaseException:
            os.close(self._file)
            raise
        self._writer = threading.Thread(target=self._write_on, name=f"journal {path}", daemon=True)
        self._writer.start()

    def append(self, record: Record, committed: Committed) -> None:
        """Hands a record to the writer; `committed` is called from its thread once the record is on disk or cannot get there.

        Raises:
            ValueError: The record holds a number that is not finite.
        """
        line = encode(record)
        with self._wake:
            if self._closing:
                raise RunDirectoryError(f"the journal {self.path} is closed; open the run directory again")
            self._waiting.append((record, line, committed))
            if len(self._waiting) == 1:
                self._wake.notify()

    def close(self) -> None:
        """Writes what still waits, then closes the file."""
        with self._wake:
            if self._closing:
                return
            self._closing = True
            self._wake.notify()
        self._writer.join()
        os.close(self._file)

    def _read_back(self) -> None:
        try:
            with open(self._file, "rb", closefd=False) as file:
                content = file.read()
            contents = _read(self.path, content)
            self.records = contents.records
            if contents.good < len(content):
                os.ftruncate(self._file, contents.good)
                self.repaired = f"{contents.torn}; it was dropped, and its item is run again"
                _log.warning(self.repaired)
            elif content and not content.endswith(b"\n"):
                os.write(self._file, b"\n")
        except OSError as error:
            raise RunDirectoryError(f"cannot read the journal {self.path} back: {error.strerror}; choose another --out") from None

    def _write_on(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._waiting or self._closing)
                self._wake.wait_for(lambda: self._closing, timeout=GATHER_SECONDS)
                batch, self._waiting = self._waiting, []
            if not batch:
                return
            if self._failure is None:
                self._failure = self._commit(b"".join(line for _, line, _ in batch))
            told: dict[Committed, list[Record]] = {}
            for record, _, committed in batch:
                told.setdefault(committed, []).append(record)
                if self._failure is None:
                    _keep(self.records, record)
            for committed, records in told.items():
                committed(records, self._failure)

    def _commit(self, lines: bytes) -> RunDirectoryError | None:
        """Writes and syncs; where the disk refuses, the file is cut back to its last complete state."""
        start = os.fstat(self._file).st_size
        rest = memoryview(lines)
        try:
            while rest:
                rest = rest[os.write(self._file, rest) :]
            os.fsync(self._file)
        except OSError as error:
            os.ftruncate(self._file, start)
            return RunDirectoryError(
                f"cannot write the journal {self.path}: {error.strerror}; all records before are kept: make room, then run the "
                "same command again"
            )
        return None


def read(path: Path) -> list[Record]:
    """The records of a journal that need not be open, in the order of their first lines; a torn last line is left out.

    Raises:
        RunDirectoryError: It cannot be read, or a line before the last is broken.
    """
    try:
        return list(_read(path, path.read_bytes()).records.values())
    except OSError as error:
        raise RunDirectoryError(f"cannot read the journal {path}: {error.strerror}") from None


@dataclass(frozen=True, slots=True)
class _Contents:
    """Records by key, the length of the file's good part, and a sentence about what follows it (None: nothing)."""

    records: dict[str, Record]
    good: int
    torn: str | None = None


def _read(path: Path, content: bytes) -> _Contents:
    records: dict[str, Record] = {}
    good = 0
    for number, line, end in _lines(content):
        try:
            record = decode(line)
        except (ValueError, RecursionError) as error:
            if end == len(content):
                return _Contents(records, good, f"the last line ({number}) of {path} was torn when a former run was killed")
            raise RunDirectoryError(
                f"line {number} of {path} is broken ({_why(error)}): mend or remove that line, then run again"
            ) from None
        _keep(records, record)
        good = end
    return _Contents(records, len(content))


def _keep(records: dict[str, Record], record: Record) -> None:
    former = records.get(record.key)
    if former is None or former.status == "error":
        records[record.key] = record


def _lines(content: bytes) -> Iterator[tuple[int, bytes, int]]:
    """Line number from 1, the line, and the offset after it; empty lines are passed over."""
    start, number = 0, 0
    while start < len(content):
        newline = content.find(b"\n", start)
        end = len(content) if newline < 0 else newline + 1
        number += 1
        line = content[start:end].strip()
        if line:
            yield number, line, end
        start = end


def _why(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return complaint(error)
    return str(error) or type(error).__name__
