"""Fixtures that every test may use."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def mirror() -> Path:
    """The mirror of the published datasets that GNOMON_DATA names; the test is skipped where there is none."""
    named = os.environ.get("GNOMON_DATA")
    if not named:
        pytest.skip("GNOMON_DATA names no mirror of the published datasets")
    folder = Path(named)
    if not (folder / "MANIFEST.json").is_file():
        pytest.skip(f"GNOMON_DATA={named} has no MANIFEST.json")
    return folder
