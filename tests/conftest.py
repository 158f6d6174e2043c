"""Fixtures that every test may use."""

import os
from pathlib import Path

import pytest

# Tests that run side by side (`-n`) are to share the cores, not each to take all of them: torch's threads wait for one another by
# spinning, and two processes of two threads on two cores take several times as long as two of one. Before torch is imported.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")


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
