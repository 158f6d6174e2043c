"""The smallest visible effect is found four times out of five; the number of questions gives the width."""

import numpy as np
import pytest
from scipy.stats import norm

from gnomon.stats.estimate import Estimate
from gnomon.stats.estimators import estimate_mean
from gnomon.stats.power import questions_needed, smallest_effect


def measured(values: np.ndarray) -> Estimate:
    return estimate_mean(values.tolist(), evaluation="test", name="mean")


def test_the_smallest_effect_is_found_with_the_stated_power():
    rng = np.random.default_rng(0)
    effect = smallest_effect(measured(rng.normal(0.0, 1.0, 400)))
    assert effect == pytest.approx((norm.ppf(0.975) + norm.ppf(0.8)) / 20, rel=0.1)
    found = [measured(rng.normal(effect, 1.0, 400)).low > 0 for _ in range(400)]
    assert 0.74 <= np.mean(found) <= 0.86


def test_questions_needed_give_the_width():
    rng = np.random.default_rng(1)
    pilot = measured(rng.normal(0.0, 1.0, 60))
    needed = questions_needed(pilot, 60, 0.1)
    assert needed is not None
    widths = [measured(rng.normal(0.0, 1.0, needed)) for _ in range(20)]
    assert np.mean([(one.high - one.low) / 2 for one in widths]) == pytest.approx(0.1 / np.sqrt(1.1), rel=0.2)


def test_without_an_interval_there_is_no_answer():
    missing = Estimate.unmeasured("test", "mean", "nothing was scored")
    assert smallest_effect(missing) is None
    assert questions_needed(missing, 60, 0.1) is None
    constant = Estimate(evaluation="test", name="mean", value=1.0, low=1.0, high=1.0, n=5, coverage=1.0, method="m")
    assert smallest_effect(constant) is None


@pytest.mark.parametrize("width", [0.0, 3e-33, 1e-15])
def test_an_interval_as_narrow_as_rounding_says_nothing_of_what_can_be_seen(width: float) -> None:
    told = Estimate(evaluation="e", name="slope", value=0.0, low=0.0, high=width, n=12, coverage=1.0, method="m")
    assert smallest_effect(told) is None
