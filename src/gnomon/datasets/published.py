"""The published datasets that gnomon knows: where each comes from, under which licence, and the hash of every file.

The registry holds descriptions only, never data. A file is identified by the SHA-256 of its uncompressed content, so the same
entry verifies a download, a cached copy and a gzipped mirror.
"""

from difflib import get_close_matches
from functools import cache
from importlib import resources
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, TypeAdapter

from gnomon.errors import DatasetError


class PublishedFile(BaseModel):
    """One file of a published dataset.

    Attributes:
        path: Relative to the dataset's directory, without `.gz`.
        sha256: Of the uncompressed content.
        bytes: Its uncompressed size.
        urls: Where to download it, tried in this order (empty: the dataset's).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    sha256: str
    bytes: int
    urls: tuple[str, ...] = ()


class PublishedDataset(BaseModel):
    """A published dataset.

    Attributes:
        name: Its name here and its directory's name in a mirror.
        title: What it is.
        papers: arXiv ids of the papers that use it.
        licence: As upstream states it.
        homepage: Upstream's page.
        note: What to know before using it.
        urls: Where its files are, with `{path}` in place of a file's path.
        files: Its files.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    title: str
    papers: tuple[str, ...]
    licence: str
    homepage: str
    note: str = ""
    urls: tuple[str, ...] = ()
    files: tuple[PublishedFile, ...]

    def file(self, path: str) -> PublishedFile:
        """The file of that path."""
        return next(file for file in self.files if file.path == path)

    def sources(self, file: PublishedFile) -> list[str]:
        """The addresses that a file can be downloaded from, in the order to try them."""
        return list(file.urls) or [url.format(path=quote(file.path)) for url in self.urls]


@cache
def published() -> dict[str, PublishedDataset]:
    """All published datasets by name, in the registry's order."""
    text = resources.files("gnomon.datasets").joinpath("published.json").read_bytes()
    entries = TypeAdapter(list[PublishedDataset]).validate_json(text)
    return {entry.name: entry for entry in entries}


def published_dataset(name: str) -> PublishedDataset:
    """The dataset of that name.

    Raises:
        DatasetError: There is none.
    """
    known = published()
    if name not in known:
        near = get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]}?" if near else "see `gnomon data list`"
        raise DatasetError(f"{name!r} is not a published dataset that gnomon knows; {hint}")
    return known[name]
