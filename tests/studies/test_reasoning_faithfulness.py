"""The study of faithfulness: every claim is decided, and its statistics agree with numpy."""

from pathlib import Path

import numpy as np
import pytest

import gnomon
from gnomon.studies.reasoning_faithfulness import slope_statistic


def test_every_claim_is_decided(tmp_path: Path) -> None:
    found = gnomon.run_study("2307.13702", ["organism/base-30k"], n=4, out=tmp_path / "study")
    assert [claim.number for claim in found.claims] == [str(number) for number in range(1, 9)]
    assert next(claim for claim in found.claims if claim.number == "6").verdict == "cannot tell"  # one size
    assert len([one for one in found.estimates if one.name.endswith("aoc_early_answering")]) == 6


def test_the_slope_is_that_of_least_squares() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=20), rng.normal(size=20)
    weights = rng.integers(0, 3, size=20)
    repeated = np.polyfit(np.repeat(x, weights), np.repeat(y, weights), 1)[0]
    assert slope_statistic(x, y)(weights[None].astype(float))[0] == pytest.approx(repeated)
    assert np.isnan(slope_statistic(np.ones(3), np.ones(3))(np.ones((1, 3)))[0])
