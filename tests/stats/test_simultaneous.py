"""The largest of several differences, against its parts and by simulation."""

import numpy as np
import pytest

from gnomon.stats import intervals
from gnomon.stats.simultaneous import estimate_largest_difference


def test_one_difference_is_itself() -> None:
    first, second = [0, 0, 1, 1, 0, 0], [1, 0, 1, 0, 1, 1]
    found = estimate_largest_difference([(first, second)], [None], evaluation="test", name="largest")
    alone = intervals.paired_difference([1, 0, 0, -1, 1, 1])
    assert (found.value, found.low, found.high) == pytest.approx((alone.value, alone.low, alone.high))


def test_several_are_wider_and_the_largest_counts() -> None:
    none, some = ([0] * 40, [0] * 40), ([0] * 40, [1] * 4 + [0] * 36)
    alone = estimate_largest_difference([some], [None], evaluation="test", name="largest")
    found = estimate_largest_difference([none, some, none], [None] * 3, evaluation="test", name="largest")
    assert found.value == alone.value == pytest.approx(0.1)
    assert found.high is not None
    assert alone.high is not None
    assert found.high > alone.high
    assert "Bonferroni" in found.method


def test_what_was_not_measured_leaves_the_largest_open() -> None:
    missing = estimate_largest_difference([([0, 1], [1, 1]), ([None], [1])], [None] * 2, evaluation="test", name="largest")
    assert missing.value is None
    assert "no pair could be scored" in (missing.reason or "")
    assert estimate_largest_difference([], [], evaluation="test", name="largest").reason == "there are no differences"


def test_intervals_hold_the_largest_true_difference() -> None:
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(200):
        before = rng.random((4, 80)) < 0.3
        after = rng.random((4, 80)) < np.array([0.3, 0.35, 0.3, 0.25])[:, None]
        pairs = [(before[row].tolist(), after[row].tolist()) for row in range(4)]
        found = estimate_largest_difference(pairs, [None] * 4, evaluation="test", name="largest")
        assert found.low is not None
        assert found.high is not None
        held += found.low <= 0.05 <= found.high
    assert held / 200 >= 0.95
