"""What the system refuses, in one sentence that fits the refusal."""

import errno
import os
from pathlib import Path

import pytest

from gnomon.errors import RunDirectoryError
from gnomon.run.files import write_atomically, writing


def refusal(path: Path) -> str:
    with pytest.raises(RunDirectoryError, match=r"^cannot write ") as caught:
        write_atomically(path, b"x")
    return str(caught.value)


def test_what_stands_in_the_way_is_named_and_nothing_asks_for_room(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "directory").mkdir()
    for path in (tmp_path / "file" / "x", tmp_path / "file" / "deep" / "x"):
        assert "a file stands where a directory is needed; move it away or choose another --out" in refusal(path)
    assert "a directory stands where a file is needed" in refusal(tmp_path / "directory")
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize(
    ("number", "says"),
    [
        (errno.ENOSPC, "No space left on device; make room or choose another --out"),
        (errno.EDQUOT, "make room"),
        (errno.EACCES, "Permission denied; make the place writable or choose another --out"),
        (errno.EROFS, "Read-only file system; make the place writable"),
        (errno.EIO, "Input/output error; try again or choose another --out"),
    ],
)
def test_each_refusal_has_its_advice(tmp_path: Path, number: int, says: str) -> None:
    with pytest.raises(RunDirectoryError, match=says), writing(tmp_path / "x"):
        raise OSError(number, os.strerror(number))
