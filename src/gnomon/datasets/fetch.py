"""Downloading published datasets from their upstream: only when asked, resumed after an interruption, verified by hash."""

import gzip
import hashlib
import os
import zlib
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path

import httpx

from gnomon.datasets.published import PublishedDataset, PublishedFile, published_dataset
from gnomon.datasets.store import cache_directory, read_verified
from gnomon.errors import DatasetError

Notice = Callable[[str, int, int], None]
"""Told the path of a file, the bytes that are here, and the bytes that there will be (0: upstream does not say)."""


def fetch(name: str, out: Path | None = None, *, client: httpx.Client | None = None, notice: Notice | None = None) -> Path:
    """Downloads what the cache lacks of a dataset.

    Args:
        name: The dataset's name.
        out: Another directory for datasets than the cache; GNOMON_DATA can then name it.
        client: What to download with (None: one of its own, with time-outs).
        notice: Told of progress.

    Returns:
        The dataset's directory.

    Raises:
        DatasetError: The dataset is unknown, cannot be downloaded, or what upstream serves is not the recorded file.
    """
    dataset = published_dataset(name)
    folder = (out or cache_directory()) / name
    own = client is None
    client = client or httpx.Client(follow_redirects=True, timeout=httpx.Timeout(30.0))
    try:
        for file in dataset.files:
            if not _is_intact(name, file, folder / file.path):
                _download(client, dataset, file, folder / file.path, notice)
    finally:
        if own:
            client.close()
    return folder


def _is_intact(name: str, file: PublishedFile, path: Path) -> bool:
    if not path.is_file():
        return False
    try:
        read_verified(name, file, path)
    except DatasetError:
        return False
    return True


def _download(client: httpx.Client, dataset: PublishedDataset, file: PublishedFile, path: Path, notice: Notice | None) -> None:
    """Tries the file's addresses in turn until one serves the recorded content."""
    refusals: list[str] = []
    for url in dataset.sources(file):
        part = path.with_name(f".{path.name}.{hashlib.sha256(url.encode()).hexdigest()[:8]}.part")
        try:
            part.parent.mkdir(parents=True, exist_ok=True)
            _transfer(client, url, part, file.path, notice)
            content = part.read_bytes()
        except httpx.HTTPError as error:
            refusals.append(f"{url}: {' '.join(str(error).split()) or type(error).__name__}")
            continue
        except OSError as error:
            raise DatasetError(
                f"cannot write {part}: {error.strerror}; make room, or set GNOMON_CACHE to another place"
            ) from None
        part.unlink()  # complete: right or wrong, it need not be resumed
        try:
            content = gzip.decompress(content) if url.endswith(".gz") else content
        except (EOFError, zlib.error, gzip.BadGzipFile):
            refusals.append(f"{url}: broken gzip file")
            continue
        found = hashlib.sha256(content).hexdigest()
        if found != file.sha256:
            refusals.append(f"{url}: not the recorded file (SHA-256 {found[:12]}, recorded {file.sha256[:12]})")
            continue
        _keep(path, content)
        return
    raise DatasetError(
        f"{dataset.name}: cannot fetch {file.path} ({'; '.join(refusals)}): try again later, or get it from {dataset.homepage} "
        "into a mirror that GNOMON_DATA names"
    )


def _transfer(client: httpx.Client, url: str, part: Path, name: str, notice: Notice | None) -> None:
    """Downloads into `part`, going on where a former attempt stopped if the server can."""
    here = part.stat().st_size if part.exists() else 0
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={here}-"} if here else {})
    with client.stream("GET", url, headers=headers) as response:
        if here and response.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # all of it is here already
        response.raise_for_status()
        if response.status_code != HTTPStatus.PARTIAL_CONTENT:
            here = 0
        total = here + int(response.headers.get("Content-Length", 0))
        with open(part, "r+b" if here else "wb") as file:
            file.seek(here)
            for chunk in response.iter_bytes():
                file.write(chunk)
                here += len(chunk)
                if notice:
                    notice(name, here, total)


def _keep(path: Path, content: bytes) -> None:
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        beside.write_bytes(content)
        os.replace(beside, path)
    except OSError as error:
        raise DatasetError(f"cannot write {path}: {error.strerror}; make room, or set GNOMON_CACHE to another place") from None
