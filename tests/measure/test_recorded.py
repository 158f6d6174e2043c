"""Analysis of what somebody already has; whole files are covered through the command line."""

from pathlib import Path

import pytest

import gnomon
from gnomon.measure.recorded import analyse_recorded


def test_a_run_that_was_stopped_is_said_to_be_a_part(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    gnomon.audit("scripted/sycophant?rate=0.5", ["sycophancy"], n=10, out=tmp_path)
    whole = analyse_recorded(tmp_path, "sycophancy")
    assert "a part of it" not in caplog.text
    (tmp_path / "estimates.json").unlink()
    part = analyse_recorded(tmp_path, "sycophancy")
    assert "a part of it" in caplog.text
    assert part.estimates == whole.estimates
