"""A wanted precision chooses the number of questions, and is met."""

from pathlib import Path

import pytest

import gnomon
from gnomon.errors import ConfigurationError, DatasetError


def test_the_interval_is_as_narrow_as_wanted(tmp_path: Path):
    told = {"settings": {"are_you_sure": False}, "progress": False}
    result = gnomon.audit("scripted/sycophant?rate=0.5", ["sycophancy"], precision=0.07, out=tmp_path / "run", **told)
    headline = result.estimates[0]
    assert headline.low is not None
    assert headline.high is not None
    assert (headline.high - headline.low) / 2 <= 0.07
    assert headline.n < 400
    again = gnomon.audit("scripted/sycophant?rate=0.5", ["sycophancy"], precision=0.07, out=tmp_path / "run", **told)
    assert again == result


def test_too_small_a_dataset_is_said_and_nothing_is_run(tmp_path: Path):
    with pytest.raises(DatasetError, match=r"sycophancy\.agreement to within 0\.01 takes about [\d,]+ questions: the world has"):
        gnomon.audit("scripted/sycophant?rate=0.5", ["sycophancy"], precision=0.01, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_what_is_no_precision_is_refused():
    with pytest.raises(ConfigurationError, match="precision is 2"):
        gnomon.audit("scripted/honest", ["sycophancy"], precision=2.0)
    with pytest.raises(ConfigurationError, match="not both"):
        gnomon.audit("scripted/honest", ["sycophancy"], precision=0.1, n=10)
