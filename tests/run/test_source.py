"""The hash of the package's code."""

from pathlib import Path

import pytest

import gnomon
from gnomon.run.source import code_hash


def test_it_follows_names_and_contents_of_the_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "package"
    (root / "part").mkdir(parents=True)
    (root / "__init__.py").write_text("")
    (root / "part" / "one.py").write_text("x = 1\n")
    monkeypatch.setattr(gnomon, "__file__", str(root / "__init__.py"))

    def fresh() -> str:
        code_hash.cache_clear()
        return code_hash()

    try:
        first = fresh()
        (root / "part" / "weights.bin").write_text("no source")
        assert fresh() == first
        (root / "part" / "one.py").write_text("x = 2\n")
        second = fresh()
        (root / "part" / "one.py").rename(root / "part" / "two.py")
        assert len({first, second, fresh()}) == 3
    finally:
        code_hash.cache_clear()
