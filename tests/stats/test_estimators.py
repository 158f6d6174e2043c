"""Unscored records never become numbers; they lower the coverage and open the worst-case bounds."""

import numpy as np
import polars as pl
import pytest

from gnomon.stats import estimators
from gnomon.stats.bootstrap import weighted_mean

WHO = {"evaluation": "test", "name": "it"}


def test_rate_counts_only_what_was_scored():
    table = pl.DataFrame({"hit": [True, None, False, True, None], "cluster": ["a", "a", "b", "c", "d"]})
    found = estimators.estimate_rate(table["hit"], table["cluster"], **WHO)
    assert found.value == pytest.approx(2 / 3)
    assert (found.n, found.coverage) == (3, 0.6)
    assert (found.worst_low, found.worst_high) == pytest.approx((2 / 5, 4 / 5))


def test_nan_is_unscored_never_zero():
    found = estimators.estimate_rate([1.0, float("nan"), 1.0], **WHO)
    assert found.value == 1.0
    assert found.worst_low == pytest.approx(2 / 3)


@pytest.mark.parametrize("values", [[], [None, None], [float("nan")]])
def test_nothing_scored_is_unmeasured_with_a_reason(values):
    for found in (
        estimators.estimate_rate(values, **WHO),
        estimators.estimate_mean(values, **WHO),
        estimators.estimate_difference(values, values, **WHO),
        estimators.estimate_contrast(values, [True] * len(values), **WHO),
        estimators.estimate_statistic(weighted_mean([]), [], total=len(values), **WHO),
    ):
        assert found.value is None
        assert found.reason
        assert found.n == 0


def test_full_coverage_has_worst_case_equal_to_the_value():
    found = estimators.estimate_mean([0.2, 0.4, 0.9], within=(0, 1), **WHO)
    assert (found.worst_low, found.worst_high) == pytest.approx((0.5, 0.5))


def test_worst_case_of_a_mean_uses_its_range():
    found = estimators.estimate_mean([4.0, 2.0, None, 3.0], within=(1, 5), **WHO)
    assert (found.worst_low, found.worst_high) == pytest.approx((2.5, 3.5))


def test_mean_of_equal_values_without_range_has_no_interval_and_says_so():
    found = estimators.estimate_mean([2.0] * 10, unit="nats", **WHO)
    assert found.value is None
    assert "equal" in (found.reason or "")


def test_difference_bounds_use_the_known_half():
    found = estimators.estimate_difference([1, 0, None, 1], [0, 0, 1, None], **WHO)
    assert found.value == -0.5
    assert (found.n, found.coverage) == (2, 0.5)
    # pairs: -1, 0, (1 - [0, 1]) = 0 .. 1, ([0, 1] - 1) = -1 .. 0
    assert (found.worst_low, found.worst_high) == pytest.approx((-0.5, 0.0))


def test_worst_case_bounds_hold_every_completion():
    rng = np.random.default_rng(0)
    values = [None if rng.random() < 0.3 else float(rng.random() < 0.4) for _ in range(40)]
    second = rng.random(40) < 0.5
    found = estimators.estimate_contrast(values, second.tolist(), **WHO)
    for _ in range(50):
        full = np.array([float(rng.random() < 0.5) if value is None else value for value in values])
        complete = full[second].mean() - full[~second].mean()
        assert found.worst_low - 1e-12 <= complete <= found.worst_high + 1e-12


def test_contrast_names_the_empty_group():
    found = estimators.estimate_contrast([1, 0, None], [False, False, True], **WHO)
    assert found.value is None
    assert "second group" in (found.reason or "")
    assert found.coverage == pytest.approx(2 / 3)


def test_difference_scales_with_its_range():
    wide = estimators.estimate_difference([1, 5, 3], [5, 5, 1], within=(1, 5), **WHO)
    narrow = estimators.estimate_difference([0, 1, 0.5], [1, 1, 0], within=(0, 1), **WHO)
    assert (wide.value, wide.low, wide.high) == pytest.approx((4 * narrow.value, 4 * narrow.low, 4 * narrow.high))


def test_statistic_by_bootstrap():
    rng = np.random.default_rng(0)
    values = rng.random(60)
    found = estimators.estimate_statistic(weighted_mean(values), list(range(60)), total=80, seed=1, within=(0, 1), **WHO)
    assert found.value == pytest.approx(values.mean())
    assert found.coverage == 0.75
    assert found.worst_low is None
    assert "bootstrap" in found.method


def test_columns_of_different_length_are_refused():
    with pytest.raises(ValueError, match="pairs"):
        estimators.estimate_difference([1], [1, 0], **WHO)
    with pytest.raises(ValueError, match="labels"):
        estimators.estimate_rate([1, 0], ["a"], **WHO)
