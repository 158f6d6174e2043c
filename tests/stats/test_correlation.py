"""Correlations against scipy and by simulation."""

import numpy as np
import pytest
from scipy import stats

from gnomon.stats.correlation import correlation, estimate_correlation


@pytest.mark.parametrize(("kind", "theirs"), [("pearson", stats.pearsonr), ("spearman", stats.spearmanr)])
def test_the_value_is_scipys(kind, theirs) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=40)
    y = x + rng.normal(size=40)
    assert correlation(x, y, kind).value == pytest.approx(theirs(x, y).statistic)


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
        found = correlation(x, y, kind)
        held += found.low <= truth <= found.high
    assert 0.92 <= held / 600 <= 0.98


def test_what_is_not_defined_is_unmeasured() -> None:
    few = estimate_correlation([1, 2, None, 4], [1, 2, 3, 4], evaluation="e", name="r")
    assert few.reason == "a correlation needs 4 pairs, and 3 of 4 are scored"
    flat = estimate_correlation([1, 1, 1, 1], [1, 2, 3, 4], evaluation="e", name="r")
    assert "does not vary" in (flat.reason or "")
    perfect = estimate_correlation([1, 2, 3, 4, 5], [2, 4, 6, 8, 10], evaluation="e", name="r")
    assert perfect.value == pytest.approx(1.0)
    with pytest.raises(ValueError, match="not pairs"):
        correlation([1], [1, 2])
