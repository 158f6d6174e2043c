"""Intervals hold the truth in 92 to 98 % of simulated studies whose truth is known, and never claim certainty."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from scipy.stats import t as student

from gnomon.stats import intervals
from gnomon.stats.bootstrap import bootstrap, weighted_mean

STUDIES = 600


def draw_clusters(rng, n, largest):
    sizes = rng.integers(1, largest + 1, size=n)
    return np.repeat(np.arange(n), sizes)[:n]


def draw_values(rng, p, codes, correlation):
    """0/1 values of mean p; with chance `correlation` a whole cluster shares one draw."""
    count = codes.max() + 1
    shared = (rng.random(count) < correlation)[codes]
    return np.where(shared, (rng.random(count) < p)[codes], rng.random(codes.size) < p).astype(float)


@pytest.mark.parametrize("n", [50, 100, 400])
@pytest.mark.parametrize("p", [0.0, 0.02, 0.3, 0.6, 1.0])
@pytest.mark.parametrize(("largest", "correlation"), [(1, 0.0), (3, 0.2), (5, 0.3)])
def test_rate_covers_the_truth(n, p, largest, correlation):
    rng = np.random.default_rng([n, int(100 * p), largest])
    held = 0
    for _ in range(STUDIES):
        codes = draw_clusters(rng, n, largest)
        found = intervals.rate(draw_values(rng, p, codes, correlation), codes if largest > 1 else None)
        assert 0 <= found.low < found.high <= 1
        held += found.low <= p <= found.high
    if p in (0.0, 1.0):  # every such study shows nothing but p, so the interval holds always
        assert held == STUDIES
    else:
        assert 0.91 <= held / STUDIES <= 0.99  # 0.92 to 0.98, with the noise of 600 studies


def test_ignoring_clusters_would_not_cover():
    """The same studies without their clusters fail: the correction is needed, and it is what makes the test above pass."""
    rng = np.random.default_rng(3)
    held = clustered = 0
    for _ in range(STUDIES):
        codes = np.repeat(np.arange(40), 5)
        values = draw_values(rng, 0.4, codes, 0.6)
        naive, robust = intervals.rate(values), intervals.rate(values, codes)
        held += naive.low <= 0.4 <= naive.high
        clustered += robust.low <= 0.4 <= robust.high
    assert held / STUDIES < 0.88
    assert clustered / STUDIES > 0.92


@pytest.mark.parametrize(("successes", "n"), [(0, 20), (1, 50), (30, 100), (200, 200)])
def test_rate_of_independent_records_is_wilsons(successes, n):
    values = np.r_[np.ones(successes), np.zeros(n - successes)]
    reference = binomtest(successes, n).proportion_ci(method="wilson")
    found = intervals.rate(values)
    assert (found.low, found.high) == pytest.approx((reference.low, reference.high), abs=1e-12)


def test_mean_without_a_range_is_the_t_interval():
    values = np.random.default_rng(0).normal(3, 2, 40)
    low, high = student.interval(0.95, 39, values.mean(), values.std(ddof=1) / np.sqrt(40))
    found = intervals.mean(values)
    assert (found.low, found.high) == pytest.approx((low, high))


@pytest.mark.parametrize("n", [50, 400])
@pytest.mark.parametrize("largest", [1, 5])
def test_mean_covers_the_truth(n, largest):
    rng = np.random.default_rng([n, largest])
    held = 0
    for _ in range(STUDIES):
        codes = draw_clusters(rng, n, largest)
        centre = rng.beta(2, 5, codes.max() + 1)[codes] if largest > 1 else 2 / 7
        values = np.clip(rng.beta(2, 5, n), 0, 1) * 0.5 + centre * 0.5
        found = intervals.mean(values, codes, within=(0, 1))
        held += found.low <= 2 / 7 <= found.high
    assert 0.92 <= held / STUDIES <= 0.98


def test_equal_values_leave_as_much_open_as_their_clusters():
    found = intervals.mean([0.4] * 60, np.repeat(np.arange(20), 3), within=(0, 1))
    assert found.low < 0.3
    assert found.high > 0.5
    assert np.isnan(intervals.mean([2.5] * 60).low)


def test_one_cluster_says_nothing():
    found = intervals.rate([1, 1, 0, 1], ["q"] * 4)
    assert (found.low, found.high) == (0.0, 1.0)


@pytest.mark.parametrize(("first", "second"), [(0.3, 0.3), (0.6, 0.1), (0.9, 0.8)])
@pytest.mark.parametrize("correlation", [0.0, 0.5])
def test_differences_cover_the_truth(first, second, correlation):
    rng = np.random.default_rng([int(10 * first), int(10 * second), int(10 * correlation)])
    codes = np.repeat(np.arange(60), 2)
    paired = grouped = 0
    for _ in range(STUDIES):
        propensity = np.where(rng.random(120) < correlation, rng.random(60)[codes], rng.random(120))
        later = np.where(rng.random(120) < 0.5, propensity, rng.random(120))
        a, b = (propensity < first).astype(float), (later < second).astype(float)
        found = intervals.paired_difference(b - a, codes)
        paired += found.low <= second - first <= found.high
        contrast = intervals.contrast(np.r_[a, b], np.r_[np.zeros(120), np.ones(120)], np.r_[codes, codes])
        assert contrast.value == pytest.approx(found.value)
        grouped += contrast.low <= second - first <= contrast.high
    assert 0.92 <= paired / STUDIES <= 0.99
    assert 0.92 <= grouped / STUDIES <= 0.99


@pytest.mark.parametrize(("gained", "lost", "n"), [(9, 0, 40), (16, 3, 80), (0, 5, 60), (12, 12, 30), (0, 0, 100), (25, 0, 25)])
def test_tango_ends_are_where_the_score_statistic_is_critical(gained: int, lost: int, n: int):
    """The statistic with the losses' share maximised numerically in place of Tango's closed form."""

    def statistic(difference: float) -> float:
        shares = np.linspace(max(0.0, -difference), (1 - difference) / 2, 400_001)[1:-1]
        with np.errstate(divide="ignore", invalid="ignore"):
            ties = n - gained - lost
            likelihood = (
                gained * np.log(shares + difference) + lost * np.log(shares) + ties * np.log(1 - 2 * shares - difference)
                if ties
                else gained * np.log(shares + difference) + lost * np.log(shares)
            )
            likelihood = np.where(np.isnan(likelihood), -np.inf, likelihood)
        share = shares[np.argmax(likelihood)]
        return ((gained - lost) - n * difference) / np.sqrt(n * (2 * share + difference * (1 - difference)))

    low, high = intervals.tango_interval(gained / n, lost / n, n, 1.96)
    assert low == pytest.approx(-high) if gained == lost else low < (gained - lost) / n <= high
    for end, expected in ((low, 1.96), (high, -1.96)):
        if -1 < end < 0.9999:
            assert statistic(end) == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize(("gains", "losses"), [(0.12, 0.0), (0.4, 0.0), (0.2, 0.1)])
def test_paired_differences_without_losses_are_not_over_covered(gains: float, losses: float):
    rng = np.random.default_rng(int(100 * gains))
    held = 0
    for _ in range(800):
        draws = rng.random(100)
        pairs = (draws < gains).astype(float) - (draws > 1 - losses).astype(float)
        found = intervals.paired_difference(pairs)
        held += found.low <= gains - losses <= found.high
    assert 0.92 <= held / 800 <= 0.98


def test_no_pair_differs_and_still_no_certainty():
    for found in (intervals.paired_difference(np.zeros(100)), intervals.paired_difference(np.ones(100))):
        assert found.high - found.low > 0.02
    same = np.tile([0.0, 1.0], 50)
    found = intervals.contrast(np.r_[same, same], np.r_[np.zeros(100), np.ones(100)], np.r_[np.arange(100), np.arange(100)])
    assert found.value == 0
    assert found.high - found.low > 0.02


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=1, max_size=60))
def test_rate_is_always_a_proper_interval(records):
    values, clusters = [float(value) for value, _ in records], [cluster for _, cluster in records]
    found = intervals.rate(values, clusters)
    assert 0 <= found.low <= found.value <= found.high <= 1
    assert found.high > found.low
    mirrored = intervals.rate([1 - value for value in values], clusters)
    assert (1 - mirrored.high, 1 - mirrored.low) == pytest.approx((found.low, found.high), abs=1e-9)


def test_order_and_names_of_clusters_do_not_matter():
    rng = np.random.default_rng(1)
    codes = rng.integers(0, 20, 80)
    values = (rng.random(80) < 0.4).astype(float)
    order = rng.permutation(80)
    first, second = intervals.rate(values, codes), intervals.rate(values[order], [f"question {code}" for code in codes[order]])
    assert (first.low, first.high) == pytest.approx((second.low, second.high))


@pytest.mark.parametrize("values", [[], [0.0, float("nan")], [0.5, 1.0]])
def test_rate_refuses_what_is_no_rate(values):
    with pytest.raises(ValueError, match=r"interval needs|rate needs"):
        intervals.rate(values)


def test_bootstrap_is_its_seed_and_agrees_with_theory():
    rng = np.random.default_rng(5)
    codes = np.repeat(np.arange(80), 3)
    values = rng.normal(size=80)[codes] + rng.normal(size=240)
    first, again = (bootstrap(weighted_mean(values), codes, seed=7) for _ in range(2))
    assert first == again
    assert first != bootstrap(weighted_mean(values), codes, seed=8)
    theory = intervals.mean(values, codes)
    assert (first.low, first.high) == pytest.approx((theory.low, theory.high), abs=0.03)


def test_weights_equal_copied_records():
    """The weighted statistic on multinomial cluster counts is the plain statistic on the resampled records."""
    rng = np.random.default_rng(2)
    codes = rng.integers(0, 6, 30)
    values = rng.normal(size=30)
    counts = rng.multinomial(6, np.full(6, 1 / 6))
    copied = np.concatenate([np.repeat(values[codes == code], counts[code]) for code in range(6)])
    assert weighted_mean(values)(counts[codes][None, :].astype(float))[0] == pytest.approx(copied.mean())


@pytest.mark.parametrize("kind", ["bca", "percentile"])
def test_bootstrap_of_a_skewed_statistic_covers(kind):
    rng = np.random.default_rng(11)
    held = 0
    for study in range(200):
        values = rng.exponential(size=100)
        found = bootstrap(weighted_mean(values), None, seed=study, resamples=500, n=100, kind=kind)
        held += found.low <= 1 <= found.high
    assert 0.90 <= held / 200 <= 0.99


def test_bootstrap_without_spread():
    assert np.isnan(bootstrap(weighted_mean(np.ones(30)), None, seed=0, n=30).low)
    found = bootstrap(weighted_mean(np.ones(30)), None, seed=0, n=30, within=(0, 1))
    assert found.low < 0.95
    assert found.high == 1
