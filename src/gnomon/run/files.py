"""Writing files so that a reader, or a kill, never sees half of one."""

import errno
import os
from collections.abc import Generator, Iterable
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
        raise RunDirectoryError(f"cannot write {path}: {_what_to_do(error)} or choose another --out") from None


def _what_to_do(error: OSError) -> str:
    match error.errno:
        case errno.EEXIST | errno.ENOTDIR:
            return "a file stands where a directory is needed; move it away"
        case errno.EISDIR:
            return "a directory stands where a file is needed; move it away"
        case errno.EACCES | errno.EPERM | errno.EROFS:
            return f"{error.strerror}; make the place writable"
        case errno.ENOSPC | errno.EDQUOT:
            return f"{error.strerror}; make room"
        case _:
            return f"{error.strerror or error}; try again"


def refuse_foreign(out: Path, began: Iterable[str], what: str) -> None:
    """Refuses to write among files of another origin.

    Args:
        out: Where something shall be made.
        began: The folders of which whoever makes it creates one there first.
        what: What is made (`correction`).

    Raises:
        RunDirectoryError: `out` has content, and none that says that it was begun there.
    """
    if out.is_dir() and any(out.iterdir()) and not any((out / folder).is_dir() for folder in began):
        raise RunDirectoryError(f"{out} is not empty and holds no {what}: choose another directory")
