"""Writing files so that a reader, or a kill, never sees half of one."""

import os
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from gnomon.errors import RunDirectoryError


def write_atomically(path: Path, content: bytes) -> None:
    """Writes beside the file, syncs, and renames over it.

    Raises:
        RunDirectoryError: The place cannot be written, or is full; what stood there before still stands.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    with writing(path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(beside, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(beside, path)
        finally:
            with suppress(OSError):
                beside.unlink()


@contextmanager
def writing(path: Path) -> Generator[None]:
    """Turns the system's refusals into one sentence."""
    try:
        yield
    except OSError as error:
        raise RunDirectoryError(f"cannot write {path}: {error.strerror or error}; make room or choose another --out") from None
