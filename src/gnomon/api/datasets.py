"""The published datasets."""

from pathlib import Path
from typing import Any

from gnomon.api.given import path_of


def datasets_available() -> list[dict[str, Any]]:
    """The published datasets and where each would be read from."""
    from gnomon.datasets.registry import listing

    return listing()


def fetch(name: str, *, out: Path | str | None = None) -> Path:
    """Downloads a dataset from its upstream, verifies its hashes, and returns its directory."""
    from gnomon.datasets.fetch import fetch as download

    return download(name, path_of(out))


def verify(name: str | None = None) -> list[dict[str, Any]]:
    """Checks the hashes of the datasets that are present (None: of all)."""
    from gnomon.datasets.registry import verify as check

    return check(name)
