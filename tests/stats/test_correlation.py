"""Correlations and slopes against scipy, by hand, and in simulation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from gnomon.stats.correlation import correlation, estimate_correlation, estimate_slope


@pytest.mark.parametrize(("kind", "theirs"), [("pearson", stats.pearsonr), ("spearman", stats.spearmanr)])
def test_the_value_is_scipys(kind, theirs) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=40)
    y = x + rng.normal(size=40)
    assert correlation(x, y, kind=kind).value == pytest.approx(theirs(x, y).statistic)


def test_pearsons_interval_is_scipys_fisher_interval() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=25)
    y = 0.5 * x + rng.normal(size=25)
    found, theirs = correlation(x, y), stats.pearsonr(x, y).confidence_interval()
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high))


@pytest.mark.parametrize("kind", ["pearson", "spearman"])
def test_the_interval_holds_the_truth(kind) -> None:
    rng, rho, held = np.random.default_rng(2), 0.6, 0
    truth = rho if kind == "pearson" else 6 / np.pi * np.arcsin(rho / 2)
    for _ in range(600):
        x, y = rng.multivariate_normal([0, 0], [[1, rho], [rho, 1]], size=60).T
        found = correlation(x, y, kind=kind)
        held += found.low <= truth <= found.high
    assert 0.92 <= held / 600 <= 0.98


def test_what_is_not_defined_is_unmeasured() -> None:
    few = estimate_correlation([1, 2, None, 4], [1, 2, 3, 4], evaluation="e", name="r")
    assert few.reason == "4 pairs of which both sides are scored are needed, and there are 3"
    flat = estimate_correlation([1, 1, 1, 1], [1, 2, 3, 4], evaluation="e", name="r")
    assert "does not vary" in (flat.reason or "")
    perfect = estimate_correlation([1, 2, 3, 4, 5], [2, 4, 6, 8, 10], evaluation="e", name="r")
    assert perfect.value == pytest.approx(1.0)
    with pytest.raises(ValueError, match="not pairs"):
        correlation([1], [1, 2])


@given(st.integers(0, 1_000))
def test_values_over_clusters_are_those_of_scipy(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.random(12)
    y = 0.3 * x + rng.random(12)
    reference = stats.linregress(x, y)
    found = estimate_correlation(x, y, [str(i) for i in range(len(x))], evaluation="e", name="r")
    assert found.value == pytest.approx(reference.rvalue)
    assert found.low is not None
    assert found.high is not None
    assert -1.0 <= found.low <= found.value <= found.high <= 1.0
    assert estimate_slope(x, y, evaluation="e", name="b").value == pytest.approx(reference.slope)


def test_the_slopes_interval_is_the_jackknifes() -> None:
    x, y = [0.0, 1.0, 2.0, 3.0, 4.0], [0.1, 0.9, 2.3, 2.8, 4.4]
    left_out = [stats.linregress(x[:k] + x[k + 1 :], y[:k] + y[k + 1 :]).slope for k in range(5)]
    half = stats.t.ppf(0.975, 4) * np.sqrt(4 / 5 * np.sum((left_out - np.mean(left_out)) ** 2))
    found = estimate_slope(x, y, evaluation="e", name="b")
    assert found.value is not None
    assert (found.low, found.high) == pytest.approx((found.value - half, found.value + half))


def test_a_cluster_is_left_out_as_a_whole() -> None:
    x, y, clusters = [0.0, 1.0, 2.0, 3.0, 4.0], [0.1, 0.9, 2.3, 2.8, 4.4], list("abcde")
    once = estimate_slope(x, y, clusters, evaluation="e", name="b")
    twice = estimate_slope(x + x, y + y, clusters + clusters, evaluation="e", name="b")
    assert (twice.low, twice.high) == pytest.approx((once.low, once.high))
    assert twice.n == 10


def test_what_is_unscored_lowers_coverage_and_nothing_else() -> None:
    x, y = [0.0, 1.0, 2.0, 3.0, 9.0], [0.1, 0.9, 2.3, 2.8, None]
    found = estimate_correlation(x, y, [str(i) for i in range(len(x))], evaluation="e", name="r")
    assert found.value == pytest.approx(stats.pearsonr(x[:4], [0.1, 0.9, 2.3, 2.8]).statistic)
    assert (found.n, found.coverage) == (4, 0.8)


@pytest.mark.parametrize(
    ("x", "y", "reason"),
    [
        ([1.0, 2.0, 3.0, 4.0], [0.5] * 4, "does not vary"),
        ([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], "there are 3"),
        ([], [], "there are 0"),
        ([1.0, 2.0, 3.0, 4.0], [None, float("nan"), None, None], "there are 0"),
    ],
)
def test_where_there_is_no_correlation_the_reason_is_given(x: list[float], y: list[float | None], reason: str) -> None:
    found = estimate_correlation(x, y, [str(i) for i in range(len(x))], evaluation="e", name="r")
    assert found.value is None
    assert reason in (found.reason or "")


def test_a_perfect_correlation_is_one() -> None:
    found = estimate_correlation([1.0, 2.0, 3.0, 4.0], [0.2, 0.4, 0.6, 0.8], list("abcd"), evaluation="e", name="r")
    assert (found.value, found.high) == (pytest.approx(1.0), pytest.approx(1.0))


def test_columns_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="2 first and 1 second values are not pairs"):
        estimate_correlation([1.0, 2.0], [1.0], evaluation="e", name="r")


@pytest.mark.parametrize("shared", [False, True])
def test_intervals_over_clusters_hold_the_truth_as_often_as_they_say(shared: bool) -> None:
    rng, held = np.random.default_rng(1), 0
    x = np.repeat(np.linspace(0.05, 0.95, 16), 4)
    clusters = [str(place // 4) for place in range(64)]
    true = 0.2 * x.std() / np.hypot(0.2 * x.std(), 0.8 / np.sqrt(12))
    for _ in range(200):
        noise = np.repeat(rng.random(16), 4) if shared else rng.random(64)
        found = estimate_correlation(x, 0.2 * x + 0.8 * noise, clusters, evaluation="e", name="r")
        assert found.low is not None
        assert found.high is not None
        held += found.low <= true <= found.high
    assert 0.91 <= held / 200 <= 0.995
