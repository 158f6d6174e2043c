"""The mean of strata against the textbook formula for independent means, and by simulation."""

import numpy as np
import pytest
from scipy import stats as distributions

from gnomon.stats.estimate import Estimate
from gnomon.stats.estimators import estimate_rate
from gnomon.stats.intervals import rate
from gnomon.stats.strata import estimate_balanced_rate, estimate_mean_of_strata


def stratum(value: float, low: float, high: float, n: int = 10) -> Estimate:
    return Estimate(evaluation="e", name="s", value=value, low=low, high=high, n=n, coverage=1, method="given")


def test_symmetric_intervals_give_that_of_a_mean_of_independent_means() -> None:
    z = float(distributions.norm.ppf(0.975))
    errors = np.array([0.1, 0.02, 0.05])
    means = np.array([0.3, -0.2, 0.6])
    strata = [stratum(m, m - z * e, m + z * e) for m, e in zip(means, errors, strict=True)]
    found = estimate_mean_of_strata(strata, total=60, evaluation="e", name="mean")
    expected = distributions.norm(means.mean(), np.sqrt((errors**2).sum()) / 3).interval(0.95)
    assert found.value == pytest.approx(means.mean())
    assert (found.low, found.high) == (pytest.approx(expected[0]), pytest.approx(expected[1]))
    assert (found.n, found.coverage) == (30, 0.5)


def test_one_stratum_keeps_its_interval() -> None:
    found = estimate_mean_of_strata([stratum(0.2, 0.15, 0.5)], total=10, evaluation="e", name="mean")
    assert (found.value, found.low, found.high) == (0.2, pytest.approx(0.15), pytest.approx(0.5))


def test_the_interval_holds_the_mean_of_rates_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    truths = (0.05, 0.5, 0.9)
    held = 0
    for _ in range(1000):
        ends = [rate((rng.random(40) < truth).astype(float)) for truth in truths]
        strata = [stratum(one.value, one.low, one.high, 40) for one in ends]
        found = estimate_mean_of_strata(strata, total=120, evaluation="e", name="mean")
        assert found.low is not None
        assert found.high is not None
        held += found.low <= np.mean(truths) <= found.high
    assert 930 <= held <= 970


def test_a_stratum_that_was_not_measured_leaves_the_mean_unknown() -> None:
    missing = Estimate.unmeasured("e", "s/b", "there are no records")
    found = estimate_mean_of_strata([stratum(0.2, 0.1, 0.3), missing], total=40, evaluation="e", name="mean")
    assert (found.value, found.coverage) == (None, 0.25)
    assert found.reason == "s/b could not be measured: there are no records"
    with pytest.raises(ValueError, match="at least one"):
        estimate_mean_of_strata([], total=0, evaluation="e", name="mean")


def test_a_balanced_rate_is_not_moved_by_a_leaning_or_by_sizes() -> None:
    always_no = estimate_balanced_rate([0] * 30 + [1] * 10, [False] * 30 + [True] * 10, evaluation="e", name="rate")
    assert always_no.value == pytest.approx(0.5)
    assert always_no.low is not None
    assert 0.3 < always_no.low < 0.5


def test_a_balanced_rate_of_equal_groups_is_the_plain_rate() -> None:
    values = [1, 0, 1, 1, 0, 0, 0, 1]
    plain = estimate_rate(values, evaluation="e", name="rate")
    found = estimate_balanced_rate(values, [False, True] * 4, evaluation="e", name="rate")
    assert (found.value, found.n) == (plain.value, plain.n)
    assert found.low is not None
    assert found.low >= plain.low - 1e-9


def test_a_balanced_rate_counts_what_failed_and_says_when_a_group_is_missing() -> None:
    found = estimate_balanced_rate([1, None, 0, 1], [False, None, True, True], evaluation="e", name="rate")
    assert (found.n, found.coverage) == (3, 0.75)
    assert (found.worst_low, found.worst_high) == pytest.approx(((1 / 2 + 1 / 3) / 2, (2 / 2 + 2 / 3) / 2))
    assert estimate_balanced_rate([1, 0], [True, True], evaluation="e", name="rate").reason == "the first group is empty"


@pytest.mark.parametrize("shared", [False, True])
def test_the_interval_of_a_balanced_rate_holds_the_truth(shared: bool) -> None:
    rng, held = np.random.default_rng(int(shared)), 0
    for _ in range(400):
        if shared:  # each question once in either group, answered alike
            answers = np.repeat(rng.random(60) < 0.3, 2)
            clusters, second = np.repeat(np.arange(60), 2), np.tile([False, True], 60)
        else:
            second = np.arange(120) < 40
            answers, clusters = rng.random(120) < 0.3, None
        found = estimate_balanced_rate(answers.tolist(), second.tolist(), clusters, evaluation="e", name="rate")
        held += found.low <= 0.3 <= found.high
    assert 0.92 <= held / 400 <= 0.985
