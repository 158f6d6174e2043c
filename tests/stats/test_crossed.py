"""Two-way means hold the truth whether participants differ or not, and agree with the one-way mean where they cannot."""

import numpy as np
import pytest

from gnomon.stats import intervals
from gnomon.stats.crossed import crossed_mean, estimate_crossed


@pytest.mark.parametrize(("people", "questions"), [(0.0, 0.3), (0.3, 0.3), (0.5, 0.0)])
def test_intervals_hold_the_truth(people: float, questions: float):
    rng = np.random.default_rng(3)
    held = []
    for _ in range(600):
        values = rng.normal(0, people, (5, 1)) + rng.normal(0, questions, (1, 60)) + rng.normal(0, 0.5, (5, 60))
        found = crossed_mean(values)
        held.append(found.low <= 0.0 <= found.high)
    assert 0.90 <= np.mean(held) <= 0.985


def test_a_single_participant_is_a_mean_over_questions():
    values = np.random.default_rng(0).normal(size=(1, 50))
    found, plain = crossed_mean(values), intervals.mean(values[0])
    assert (found.value, found.low, found.high) == pytest.approx((plain.value, plain.low, plain.high))


def test_questions_of_one_cluster_count_as_one():
    rng = np.random.default_rng(1)
    once = rng.normal(size=(4, 20))
    doubled, labels = np.repeat(once, 2, axis=1), [place // 2 for place in range(40)]
    assert crossed_mean(doubled, labels).low == pytest.approx(crossed_mean(once).low, rel=0.05)


def test_what_is_missing_lowers_coverage_and_widens_the_bounds():
    values = np.array([[1.0, np.nan, 0.0, 1.0], [1.0, 1.0, np.nan, 0.0]])
    found = estimate_crossed(values, evaluation="e", name="n")
    assert found.coverage == 0.75
    assert found.worst_low == pytest.approx(4 / 8)
    assert found.worst_high == pytest.approx(6 / 8)
    nothing = estimate_crossed(np.full((2, 3), np.nan), evaluation="e", name="n")
    assert nothing.reason == "none of 6 answers is scored"
