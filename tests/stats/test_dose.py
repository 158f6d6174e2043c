"""Certificates: the line through measured against true, and whether intervals hold the truth."""

import numpy as np
import pytest

from gnomon.stats import dose
from gnomon.stats.estimate import Estimate
from gnomon.stats.estimators import estimate_rate

DOSES = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]


def readings(rng, n, distort=lambda rate: rate):
    return [estimate_rate((rng.random(n) < distort(rate)).astype(float), evaluation="e", name="n") for rate in DOSES]


def test_least_squares_line():
    rng = np.random.default_rng(0)
    x = rng.random(50)
    y = 0.1 + 0.8 * x + 0.05 * rng.normal(size=50)
    found = dose.fit_dose(x, y)
    slope, intercept = np.polyfit(x, y, 1)
    assert (found.slope.value, found.intercept.value) == pytest.approx((slope, intercept))
    assert found.slope.low < 0.8 < found.slope.high
    assert found.bias.value == pytest.approx(np.mean(y - x))


def test_slope_interval_covers_the_truth():
    rng = np.random.default_rng(1)
    held = 0
    for _ in range(300):
        found = dose.fit_dose_estimates(DOSES * 3, [reading for _ in range(3) for reading in readings(rng, 100)])
        held += found.slope.low <= 1 <= found.slope.high
    assert held / 300 >= 0.93


def test_a_blunted_instrument_is_seen():
    found = dose.fit_dose_estimates(DOSES, readings(np.random.default_rng(2), 1000, lambda rate: 0.7 * rate + 0.1))
    assert found.slope.high < 0.9
    assert found.intercept.low > 0.02
    assert not dose.holds(found.slope, 0.95, 1.05)
    assert found.concordance < 0.98
    assert found.largest_error == pytest.approx(0.2, abs=0.05)


def test_points_that_happen_to_fit_are_not_certain():
    exact = [estimate_rate([1.0] * round(20 * rate) + [0.0] * round(20 - 20 * rate), evaluation="e", name="n") for rate in DOSES]
    found = dose.fit_dose_estimates(DOSES, exact)
    assert found.slope.value == pytest.approx(1)
    assert found.slope.high - found.slope.low > 0.1


def test_interval_coverage_and_its_own_interval():
    rng = np.random.default_rng(3)
    found = [reading for _ in range(100) for reading in readings(rng, 200)]
    coverage = dose.interval_coverage(DOSES * 100, found)
    assert coverage.low > 0.92
    assert coverage.value <= 0.99
    biased = [reading for _ in range(20) for reading in readings(rng, 200, lambda rate: min(1, rate + 0.15))]
    assert dose.interval_coverage(DOSES * 20, biased).high < 0.6


def test_the_unmeasured_gets_no_certificate():
    nothing = Estimate.unmeasured("e", "n", "the judge failed")
    with pytest.raises(ValueError, match="the judge failed"):
        dose.fit_dose_estimates([0.0, 0.5, 1.0], [nothing] * 3)
    assert dose.interval_coverage([0.5], [nothing]).value == 0


def test_two_points_are_no_sweep():
    with pytest.raises(ValueError, match="three measurements"):
        dose.fit_dose([0, 1], [0, 1])
    with pytest.raises(ValueError, match="two doses"):
        dose.fit_dose([0.5] * 4, [0.5] * 4)
