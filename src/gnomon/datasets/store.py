"""Where published datasets are: a mirror that GNOMON_DATA names, then the cache. What is read is always verified.

A mirror has one directory per dataset; its files may be gzipped. The cache is `$GNOMON_CACHE/datasets` (by default
`~/.cache/gnomon/datasets`) and is filled by `gnomon data fetch` only.
"""

import gzip
import hashlib
import os
import zlib
from collections.abc import Iterator
from pathlib import Path

from gnomon.datasets.published import PublishedDataset, PublishedFile, published_dataset
from gnomon.errors import DatasetError


def cache_directory() -> Path:
    """Where fetched datasets are kept."""
    named = os.environ.get("GNOMON_CACHE")
    base = Path(named) if named else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gnomon"
    return base / "datasets"


def mirror_directory() -> Path | None:
    """The mirror that GNOMON_DATA names (None: the variable is not set).

    Raises:
        DatasetError: It names no directory.
    """
    named = os.environ.get("GNOMON_DATA")
    if not named:
        return None
    if not Path(named).is_dir():
        raise DatasetError(f"GNOMON_DATA={named} is not a directory: point it at a mirror of the datasets, or unset it")
    return Path(named)


def locate(dataset: PublishedDataset, file: PublishedFile) -> Path | None:
    """The file in the mirror or else in the cache, perhaps gzipped; None where it is in neither."""
    for root in _roots():
        plain = root / dataset.name / file.path
        for candidate in (plain, plain.with_name(plain.name + ".gz")):
            if candidate.is_file():
                return candidate
    return None


def read(name: str, path: str) -> bytes:
    """The verified, uncompressed content of a file.

    Raises:
        DatasetError: The dataset is unknown, the file is missing, empty, cut short or not the recorded one.
    """
    dataset = published_dataset(name)
    file = dataset.file(path)
    location = locate(dataset, file)
    if location is None:
        raise DatasetError(
            f"{name} is not on this machine ({path} is missing): run `gnomon data fetch {name}`, or point GNOMON_DATA at a mirror"
        )
    return read_verified(name, file, location)


def read_verified(name: str, file: PublishedFile, location: Path) -> bytes:
    """Reads, decompresses and verifies one file.

    Raises:
        DatasetError: It cannot be read, is empty, cut short or not the recorded one.
    """
    again = f"remove it and run `gnomon data fetch {name}`"
    try:
        content = location.read_bytes()
        if not content:
            raise DatasetError(f"{location} is empty: {again}")
        if location.suffix == ".gz":
            content = gzip.decompress(content)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise DatasetError(f"{location} is a broken or cut-short gzip file: {again}") from None
    except OSError as error:
        raise DatasetError(f"cannot read {location}: {error.strerror}") from None
    found = hashlib.sha256(content).hexdigest()
    if found != file.sha256:
        raise DatasetError(f"{location} is not the recorded file (SHA-256 {found[:12]}, recorded {file.sha256[:12]}): {again}")
    return content


def _roots() -> Iterator[Path]:
    mirror = mirror_directory()
    if mirror:
        yield mirror
    yield cache_directory()
