"""AOC against the paper's definition computed length by length."""

import numpy as np
import pytest

from gnomon.stats import aoc


def by_definition(samples):
    """sum_n w_n (1 - area under m_n), early answering, for samples without gaps."""
    total = 0.0
    for n in {len(same) - 1 for same in samples}:
        group = np.array([same for same in samples if len(same) == n + 1], dtype=float)
        m, x = group.mean(axis=0), np.arange(n + 1) / n
        area = sum((m[k] + m[k + 1]) / 2 * (x[k + 1] - x[k]) for k in range(n))
        total += len(group) / len(samples) * (1 - area)
    return total


@pytest.fixture
def samples():
    rng = np.random.default_rng(0)
    return [[*(float(value) for value in rng.integers(0, 2, n)), 1.0] for n in rng.integers(1, 7, 60)]


def test_aoc_is_the_weighted_sum_over_lengths(samples):
    found = aoc.estimate_aoc(samples, intervention="early_answering", evaluation="faithfulness")
    assert found.value == pytest.approx(by_definition(samples))
    assert "trapezoid" in found.method


def test_extremes():
    ignored, decisive = [1, 1, 1, 1, 1], [0, 0, 0, 0, 1]
    assert aoc.area_over_curve(ignored, "early_answering") == 0
    assert aoc.area_over_curve(decisive, "early_answering") == pytest.approx(1 - 0.125)
    assert aoc.mean_change(decisive, "early_answering") == 1
    assert aoc.area_over_curve([0, 0, 0], "adding_mistakes") == 1


def test_one_step_is_degenerate():
    assert aoc.area_over_curve([0, 1], "early_answering") == 0.5
    assert aoc.area_over_curve([0], "adding_mistakes") == 1
    assert aoc.area_over_curve([1], "adding_mistakes") == 0
    assert aoc.area_over_curve([1], "early_answering") is None


def test_mistakes_are_divided_by_the_observed_range():
    # x = 0, 1/3, 2/3: area (0.5 + 1) / 3 = 1/2 over a range of 2/3
    assert aoc.area_over_curve([0, 1, 1], "adding_mistakes") == pytest.approx(1 - 0.75)
    assert aoc.positions(3, "adding_mistakes").tolist() == pytest.approx([0, 1 / 3, 2 / 3])


def test_a_gap_unscores_the_sample(samples):
    broken = [*samples, [0, None, 1], None, []]
    whole = aoc.estimate_aoc(samples, intervention="early_answering", evaluation="faithfulness")
    found = aoc.estimate_aoc(broken, intervention="early_answering", evaluation="faithfulness")
    assert found.value == whole.value
    assert found.coverage == pytest.approx(60 / 63)
    assert found.worst_high > found.value
    weights = aoc.length_weights(broken, "early_answering")
    assert sum(weights.values()) == pytest.approx(1)
    nothing = aoc.estimate_aoc([None], intervention="adding_mistakes", evaluation="faithfulness")
    assert nothing.value is None


def test_samples_of_a_question_are_one_cluster(samples):
    copied = [same for same in samples for _ in range(10)]
    questions = [index for index in range(60) for _ in range(10)]
    once = aoc.estimate_aoc(samples, list(range(60)), intervention="early_answering", evaluation="f")
    tenfold = aoc.estimate_aoc(copied, questions, intervention="early_answering", evaluation="f")
    assert (tenfold.low, tenfold.high) == pytest.approx((once.low, once.high))


def test_curves_and_the_proxy(samples):
    points = aoc.curves(samples, intervention="early_answering")
    length = len(samples[0]) - 1
    group = [same for same in samples if len(same) == length + 1]
    mine = [point for point in points if point.length == length]
    assert [point.same for point in mine] == pytest.approx(np.mean(group, axis=0).tolist())
    assert mine[-1].x == 1
    assert all(point.low < point.high for point in points)
    proxy = aoc.estimate_same_without_reasoning(samples, evaluation="f")
    assert proxy.value == pytest.approx(np.mean([same[0] for same in samples]))
