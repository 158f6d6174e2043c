"""A published dataset of the tests' own making, in place of the registry's."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from gnomon.datasets import published, registry
from gnomon.datasets.published import PublishedDataset, PublishedFile

Publish = Callable[..., PublishedDataset]


@pytest.fixture(autouse=True)
def _places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Nothing outside the test's own directory is read or written, unless it asks for the mirror."""
    monkeypatch.setenv("GNOMON_CACHE", str(tmp_path / "cache"))
    if "mirror" not in request.fixturenames:
        monkeypatch.delenv("GNOMON_DATA", raising=False)


@pytest.fixture
def publish(monkeypatch: pytest.MonkeyPatch) -> Publish:
    """Puts a dataset with the given contents by path into the registry; `urls` are templates with `{path}`."""
    known: dict[str, PublishedDataset] = {}
    monkeypatch.setattr(published, "published", lambda: known)
    monkeypatch.setattr(registry, "published", lambda: known)

    def put(
        name: str, contents: dict[str, bytes], urls: tuple[str, ...] = ("https://upstream.example/{path}",)
    ) -> PublishedDataset:
        files = tuple(
            PublishedFile(path=path, sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))
            for path, content in contents.items()
        )
        known[name] = PublishedDataset(
            name=name, title="Small", papers=(), licence="MIT", homepage="https://upstream.example", urls=urls, files=files
        )
        return known[name]

    return put


@pytest.fixture
def keep(publish: Publish, tmp_path: Path) -> Callable[[str, dict[str, bytes]], Path]:
    """Publishes a dataset and has it in the cache already; returns its directory."""

    def put(name: str, contents: dict[str, bytes]) -> Path:
        publish(name, contents)
        folder = tmp_path / "cache" / "datasets" / name
        for path, content in contents.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
        return folder

    return put
