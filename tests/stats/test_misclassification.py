"""Rates behind a judge who errs: against arithmetic, against simulation, and where nothing can be said."""

import numpy as np
import pytest
from scipy.optimize import brentq

from gnomon.stats.misclassification import Errors, corrected_rate, estimate_corrected_rate


@pytest.mark.parametrize(("true", "sensitivity", "specificity"), [(0.3, 0.9, 0.8), (0.05, 0.7, 0.95), (0.9, 0.8, 0.6)])
def test_the_correction_solves_for_the_true_share(true: float, sensitivity: float, specificity: float):
    """Against a numerical solution of the equation, at counts that have these shares exactly."""
    apparent = true * sensitivity + (1 - true) * (1 - specificity)
    ones = round(apparent * 10_000)
    errors = Errors(round(sensitivity * 1000), 1000, round(specificity * 1000), 1000)
    found = corrected_rate([1.0] * ones + [0.0] * (10_000 - ones), errors)
    solved = brentq(lambda t: t * sensitivity + (1 - t) * (1 - specificity) - ones / 10_000, 0, 1)
    assert found.value == pytest.approx(solved, abs=1e-9)
    assert found.low < true < found.high


def test_a_perfect_judge_changes_nothing_and_few_checks_widen_the_interval():
    verdicts = [1.0] * 30 + [0.0] * 70
    perfect = corrected_rate(verdicts, Errors(10_000, 10_000, 10_000, 10_000))
    assert perfect.value == pytest.approx(0.3)
    few = corrected_rate(verdicts, Errors(18, 20, 18, 20))
    many = corrected_rate(verdicts, Errors(900, 1000, 900, 1000))
    assert few.high - few.low > 1.1 * (many.high - many.low)


def test_what_leaves_the_range_is_cut_off():
    none = corrected_rate([0.0] * 40, Errors(18, 20, 16, 20))
    assert none.value == 0.0
    assert none.low == 0.0
    assert 0.0 < none.high < 0.2


@pytest.mark.parametrize(
    ("true", "sensitivity", "specificity", "checks"),
    [(0.0, 0.9, 0.9, 50), (0.05, 0.85, 0.95, 50), (0.3, 0.8, 0.9, 30), (0.6, 0.9, 0.7, 50), (1.0, 0.9, 0.9, 50)],
)
def test_intervals_hold_the_true_share(true: float, sensitivity: float, specificity: float, checks: int):
    rng, n, studies = np.random.default_rng(5), 100, 3000
    held = 0
    for _ in range(studies):
        positive = rng.random(n) < true
        verdicts = np.where(positive, rng.random(n) < sensitivity, rng.random(n) >= specificity)
        errors = Errors(int(rng.binomial(checks, sensitivity)), checks, int(rng.binomial(checks, specificity)), checks)
        found = corrected_rate(verdicts.astype(float).tolist(), errors)
        held += found.low - 1e-9 <= true <= found.high + 1e-9
    assert 0.935 <= held / studies <= 1.0
    if 0.0 < true < 1.0:
        assert held / studies <= 0.985


def test_the_uncorrected_rate_does_not_hold_it():
    rng = np.random.default_rng(6)
    verdicts = [float(rng.random() < 0.3 * 0.8 + 0.7 * 0.2) for _ in range(2000)]
    errors = Errors(800, 1000, 800, 1000)
    assert abs(float(np.mean(verdicts)) - 0.3) > 0.05
    assert corrected_rate(verdicts, errors).value == pytest.approx(0.3, abs=0.05)


def test_clustered_verdicts_count_for_less():
    verdicts = [1.0] * 50 + [0.0] * 50
    labels = [str(place // 5) for place in range(100)]
    errors = Errors(90, 100, 90, 100)
    alone, together = corrected_rate(verdicts, errors), corrected_rate(verdicts, errors, labels)
    assert together.high - together.low > 1.5 * (alone.high - alone.low)


def test_errors_are_counted_from_verdicts():
    errors = Errors.of([True, False, None, False, True], [True, True, True, False, False])
    assert errors == Errors(found=1, positives=2, passed=1, negatives=2)


@pytest.mark.parametrize(
    ("verdicts", "errors", "reason"),
    [
        ([None, None], Errors(9, 10, 9, 10), "none of the 2 records could be scored"),
        ([1, 0], Errors(0, 0, 9, 10), "was not tried on cases"),
        ([1, 0], Errors(11, 20, 10, 20), "cannot be told from one that guesses"),
    ],
)
def test_what_cannot_be_corrected_says_why(verdicts: list[int | None], errors: Errors, reason: str):
    found = estimate_corrected_rate(verdicts, errors, evaluation="e", name="n")
    assert found.value is None
    assert reason in (found.reason or "")


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="values 0 and 1"):
        corrected_rate([0.5], Errors(9, 10, 9, 10))
    with pytest.raises(ValueError, match="needs known positives"):
        corrected_rate([1.0], Errors(0, 0, 9, 10))
