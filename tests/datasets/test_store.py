import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from gnomon.datasets import store
from gnomon.datasets.registry import listing, verify
from gnomon.errors import DatasetError

CONTENT = b'{"question": "?"}\n' * 50
Keep = Callable[[str, dict[str, bytes]], Path]


def test_the_mirror_comes_before_the_cache_and_may_be_gzipped(keep: Keep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = keep("small", {"a/b.jsonl": CONTENT})
    assert store.read("small", "a/b.jsonl") == CONTENT
    packed = tmp_path / "mirror" / "small" / "a" / "b.jsonl.gz"
    packed.parent.mkdir(parents=True)
    packed.write_bytes(gzip.compress(CONTENT, mtime=0))
    monkeypatch.setenv("GNOMON_DATA", str(tmp_path / "mirror"))
    (folder / "a/b.jsonl").write_bytes(b"broken")
    assert store.read("small", "a/b.jsonl") == CONTENT
    assert listing()[0]["location"] == str(packed.parent)
    packed.unlink()
    with pytest.raises(DatasetError, match="not the recorded file"):
        store.read("small", "a/b.jsonl")


@pytest.mark.parametrize(
    ("written", "says"),
    [
        (b"", "is empty"),
        (gzip.compress(CONTENT, mtime=0)[:-9], "broken or cut-short gzip"),
        (b"\x1f\x8b\x08 no gzip", "broken or cut-short gzip"),
        (b"plain", "broken or cut-short gzip"),
        (gzip.compress(CONTENT + b"\n", mtime=0), r"not the recorded file \(SHA-256"),
        (gzip.compress(CONTENT[:-1], mtime=0), "not the recorded file"),
    ],
)
def test_a_file_that_is_not_what_it_should_be_is_refused_in_one_sentence(
    keep: Keep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: bytes, says: str
):
    (keep("small", {"b.jsonl": CONTENT}) / "b.jsonl").unlink()
    path = tmp_path / "mirror" / "small" / "b.jsonl.gz"
    path.parent.mkdir(parents=True)
    path.write_bytes(written)
    monkeypatch.setenv("GNOMON_DATA", str(tmp_path / "mirror"))
    with pytest.raises(DatasetError, match=says) as caught:
        store.read("small", "b.jsonl")
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    row = verify("small")[0]
    assert (row["state"], row["ok"], row["location"]) == ("broken", False, str(path))
    assert row["reason"] == str(caught.value)


def test_verify_tells_missing_from_intact(keep: Keep):
    folder = keep("small", {"a": CONTENT, "b": CONTENT + b"b"})
    (folder / "b").unlink()
    assert [(row["path"], row["state"]) for row in verify()] == [("a", "verified"), ("b", "missing")]


def test_a_mirror_that_is_no_directory_is_said(keep: Keep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    keep("small", {"a": CONTENT})
    monkeypatch.setenv("GNOMON_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(DatasetError, match="is not a directory"):
        store.read("small", "a")
