"""Trends: slopes and tau against references, the interval's coverage, and how often each known trend gets its verdict."""

from collections import Counter

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from gnomon.stats.trend import Trend, analyse_trend, estimate_trend

FOUR = np.array([8.54, 9.11, 9.83, 11.24])
SEVEN = np.array([8.0, 8.5, 9.0, 9.5, 10.0, 10.5, 11.0])
Floats = NDArray[np.float64]


def losses(means: Floats, items: int, rng: np.random.Generator) -> Floats:
    """Skewed quality, half of its spread shared by the models."""
    return means[:, None] - (rng.gamma(1, 0.5, (means.size, items)) + rng.gamma(1, 0.5, items) - 1)


def studies(means: Floats, x: Floats, items: int, count: int = 60) -> list[Trend]:
    rng = np.random.default_rng(5)
    return [analyse_trend(losses(means, items, rng), (10**x).tolist(), resamples=300, seed=seed) for seed in range(count)]


def verdicts(means: Floats, x: Floats, items: int) -> Counter[str]:
    return Counter(trend.verdict for trend in studies(means, x, items))


def line(slope: float, x: Floats) -> Floats:
    return 0.5 + slope * (x - x.mean())


def test_slope_and_tau_against_numpy_and_scipy() -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(size=(6, 50)) * np.arange(1, 7)[:, None] + rng.normal(size=6)[:, None]
    sizes = 10 ** rng.uniform(8, 11, 6)
    found = analyse_trend(values, sizes.tolist())
    variances = values.var(axis=1)
    weights = 2 / (variances + variances.mean())
    assert found.slope.value == pytest.approx(np.polyfit(np.log10(sizes), values.mean(axis=1), 1, w=np.sqrt(weights))[0])
    assert found.tau == pytest.approx(stats.kendalltau(np.log10(sizes), values.mean(axis=1)).statistic)


def test_the_interval_agrees_with_a_plain_bootstrap_that_copies_items() -> None:
    rng = np.random.default_rng(2)
    values = losses(line(0.1, FOUR), 400, rng)
    values[1, :100] = np.nan
    found = analyse_trend(values, (10**FOUR).tolist())

    def slope(drawn: Floats) -> float:
        variances = np.nanvar(drawn, axis=1) / (~np.isnan(drawn)).sum(axis=1)
        return float(np.polyfit(FOUR, np.nanmean(drawn, axis=1), 1, w=np.sqrt(2 / (variances + variances.mean())))[0])

    copies = [slope(values[:, rng.integers(0, 400, 400)]) for _ in range(2000)]
    assert found.slope.value == pytest.approx(slope(values))
    assert (found.slope.low, found.slope.high) == pytest.approx(np.quantile(copies, [0.025, 0.975]), abs=0.006)
    assert found.slope.n == 1500


@pytest.mark.parametrize(("items", "least"), [(40, 0.88), (400, 0.9)])
def test_the_interval_holds_the_true_slope(items: int, least: float) -> None:
    held = [trend.slope.low <= 0.1 <= trend.slope.high for trend in studies(line(0.1, FOUR), FOUR, items, count=300)]
    assert least <= np.mean(held) <= 0.985


@pytest.mark.parametrize(
    ("slope", "verdict"), [(-0.1, "inverse"), (0.1, "positive"), (0.0, "flat")], ids=["inverse", "positive", "flat"]
)
def test_lines_get_their_verdict(slope: float, verdict: str) -> None:
    for x in (FOUR, SEVEN):
        assert verdicts(line(slope, x), x, 1000)[verdict] >= 52


def test_few_items_cannot_show_that_a_trend_is_flat() -> None:
    found = verdicts(line(0.0, FOUR), FOUR, 40)
    assert found["cannot tell"] >= 50
    assert found["flat"] == 0


@pytest.mark.parametrize(("sign", "verdict"), [(1, "U"), (-1, "inverted-U")])
def test_a_turn_needs_three_sizes_on_either_side(sign: int, verdict: str) -> None:
    assert verdicts(sign * 0.2 * np.abs(SEVEN - 9.5), SEVEN, 1000)[verdict] >= 57
    four = verdicts(sign * np.array([0.3, 0.1, 0.0, 0.3]), FOUR, 1000)
    assert four["cannot tell"] == 60
    early = verdicts(sign * np.array([0.3, 0.0, 0.1, 0.2, 0.3, 0.4, 0.5]), SEVEN, 1000)
    assert early[verdict] == 0


def test_a_curve_that_only_levels_off_is_no_turn() -> None:
    found = verdicts(np.array([0.0, 0.3, 0.45, 0.5, 0.5, 0.5, 0.5]), SEVEN, 1000)
    assert found["U"] + found["inverted-U"] <= 3
    assert found["positive"] >= 55


def test_a_reversal_is_neither_inverse_nor_positive_nor_flat() -> None:
    for means in (np.array([0.0, -0.5, -0.1, -0.6]), np.array([0.0, 0.5, 0.1, 0.6]), np.array([0.0, 0.4, -0.4, 0.0])):
        assert verdicts(means, FOUR, 1000)["cannot tell"] >= 57


def test_confidence_is_high_where_the_verdict_is_sure_and_low_where_it_hangs_by_a_thread() -> None:
    sure = studies(line(-0.3, FOUR), FOUR, 1000, count=5)
    assert all(trend.confidence is not None and trend.confidence > 0.99 for trend in sure)
    unsure = [trend.confidence for trend in studies(line(-0.03, FOUR), FOUR, 400)]
    assert 0.4 < float(np.mean([one for one in unsure if one is not None])) < 0.9


def test_three_sizes_cannot_tell_and_have_a_slope_all_the_same() -> None:
    rng = np.random.default_rng(3)
    found = estimate_trend(losses(line(-0.5, FOUR[:3]), 200, rng), (10 ** FOUR[:3]).tolist(), evaluation="e")
    assert (found.verdict, found.confidence) == ("cannot tell", None)
    assert found.value == pytest.approx(-0.5, abs=0.15)
    assert "3 sizes are too few" in found.method


def test_models_that_were_not_scored_lower_coverage_and_leave_the_line() -> None:
    rng = np.random.default_rng(4)
    values = losses(line(-0.5, FOUR), 200, rng)
    whole = estimate_trend(values, (10**FOUR).tolist(), evaluation="e")
    failed = np.vstack([values, np.full(200, np.nan)])
    part = estimate_trend(failed, [*(10**FOUR), 1e12], evaluation="e")
    assert (part.value, part.low, part.high, part.verdict) == (whole.value, whole.low, whole.high, whole.verdict)
    assert (part.n, part.coverage) == (800, 0.8)


def test_what_cannot_be_measured_says_why() -> None:
    one = estimate_trend([[1.0, 2.0], [np.nan, np.nan]], [1e8, 1e9], evaluation="e")
    assert (one.value, one.verdict, one.coverage) == (None, "cannot tell", 0.5)
    assert one.reason == "a slope needs two sizes with scored items"
    equal = estimate_trend(np.ones((4, 30)), (10**FOUR).tolist(), evaluation="e")
    assert (equal.value, equal.verdict) == (None, "cannot tell")


def test_the_order_of_models_does_not_matter_and_the_seed_decides() -> None:
    values = losses(line(-0.1, FOUR), 100, np.random.default_rng(6))
    first = analyse_trend(values, (10**FOUR).tolist(), seed=1)
    assert analyse_trend(values[::-1], (10 ** FOUR[::-1]).tolist(), seed=1) == first
    assert analyse_trend(values, (10**FOUR).tolist(), seed=2).slope != first.slope


@pytest.mark.parametrize(
    ("values", "sizes"),
    [
        ([[1.0], [2.0]], [1e8]),
        ([[1.0], [2.0]], [1e8, 0.0]),
        ([[1.0], [2.0]], [1e8, 1e8]),
        ([[1.0], [np.inf]], [1e8, 1e9]),
        ([[1.0], [np.nan]], [1e8, 1e9]),
    ],
)
def test_nonsense_is_refused(values: list[list[float]], sizes: list[float]) -> None:
    with pytest.raises(ValueError, match=r"sizes|values"):
        analyse_trend(values, sizes)


def test_the_p_value_agrees_with_the_interval_and_is_even_where_nothing_happens() -> None:
    found = studies(line(0.0, FOUR), FOUR, 120, count=150)
    p_values = np.array([trend.p for trend in found])
    outside = np.array([trend.slope.low > 0 or trend.slope.high < 0 for trend in found])
    assert np.mean((p_values < 0.05) == outside) > 0.97
    assert 0.0 < np.mean(p_values < 0.05) < 0.12
    assert stats.kstest(p_values, "uniform").pvalue > 0.001


def test_the_detectable_slope_is_found_four_times_out_of_five() -> None:
    size = float(np.mean([trend.detectable() for trend in studies(line(0.0, FOUR), FOUR, 200, count=30)]))
    found = studies(line(-size, FOUR), FOUR, 200, count=150)
    assert np.mean([trend.p < 0.05 for trend in found]) == pytest.approx(0.8, abs=0.1)
    assert found[0].detectable(0.5) < found[0].detectable(0.8)


@pytest.mark.parametrize("items", [20, 60])
@pytest.mark.parametrize("value", [1.0, 0.9, 0.1])
def test_resamples_in_which_nothing_varies_do_not_blow_up_the_interval(items: int, value: float) -> None:
    """One wrong answer: a resample without it has the standard error of rounding, and once an end lay at 2,519,150."""
    values = np.full((5, items), value)
    values[0, 7] = 0.0
    found = analyse_trend(values, [3e4, 1e5, 3e5, 1e6, 3e6], resamples=500).slope
    assert np.all(np.isnan([found.low, found.high])) or max(abs(found.low), abs(found.high)) < 0.1
