"""The cluster bootstrap, vectorised: a statistic is a function of record weights, not of copied records.

Drawing G clusters with replacement is drawing multinomial counts per cluster, so one call of the statistic evaluates a whole
chunk of resamples as rows of a weight matrix.
"""

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats as distributions

from gnomon.stats.intervals import LEVEL, Clusters, Codes, Floats, Interval, cluster_codes, critical, score_interval

Statistic = Callable[[Floats], Floats]
"""From record weights, shape (resamples, n), to one number per row, shape (resamples,); NaN where a row does not define it."""

BootstrapKind = Literal["bca", "percentile", "basic"]

CHUNK = 4_000_000  # weights held at once: 32 MB
JACKKNIFE_GROUPS = 200


def weighted_mean(values: ArrayLike) -> Statistic:
    """The mean as a statistic of record weights."""
    y = np.asarray(values, dtype=np.float64)

    def statistic(weights: Floats) -> Floats:
        return weights @ y / weights.sum(axis=1)

    return statistic


def bootstrap(
    statistic: Statistic,
    clusters: Clusters,
    seed: int,
    resamples: int = 2000,
    *,
    n: int | None = None,
    kind: BootstrapKind = "bca",
    within: tuple[float, float] | None = None,
    level: float = LEVEL,
) -> Interval:
    """Bootstrap interval of any statistic, resampling whole clusters.

    Args:
        statistic: Maps weight rows to numbers; the point estimate is its value for weights of 1.
        clusters: One label per record; None with `n` given: independent records.
        seed: The same seed gives the same interval.
        resamples: Number of resamples.
        n: Number of records where `clusters` is None.
        kind: `bca` corrects for bias and skewness (Efron 1987), `percentile` takes the quantiles, `basic` reflects them about
            the estimate (for statistics that resampling biases upwards, such as ECE).
        within: The possible range; ends are clipped to it, and resamples that all agree get what G trials leave open.
        level: Confidence level.

    Returns:
        The interval; its ends are NaN where fewer than half of the resamples define the statistic, or nothing varies and
        no range is known.

    Raises:
        ValueError: Neither clusters nor n.
    """
    if clusters is None and n is None:
        raise ValueError("bootstrap() needs the clusters or, for independent records, n")
    codes, count = cluster_codes(clusters, len(clusters) if clusters is not None else n or 0)
    value = float(statistic(np.ones((1, codes.size)))[0])
    replicates = _replicates(statistic, codes, count, np.random.default_rng(seed), resamples)
    defined = replicates[np.isfinite(replicates)]
    names = {"bca": "BCa cluster bootstrap", "percentile": "percentile cluster bootstrap", "basic": "basic cluster bootstrap"}
    method = f"{names[kind]}, {resamples:,} resamples, {count:,} clusters"
    if defined.size < resamples:
        method += f", {resamples - defined.size:,} resamples undefined"
    if not np.isfinite(value) or 2 * defined.size < resamples:
        return Interval(value, float("nan"), float("nan"), codes.size, count, method)
    if np.ptp(defined) <= 1e-12 * max(1.0, abs(value)):
        low, high = _without_spread(value, count, within, level)
        return Interval(value, low, high, codes.size, count, method + ", no resample differs")
    levels = np.array([0.5 - level / 2, 0.5 + level / 2])
    if kind == "bca":
        levels = _bca_levels(levels, defined, value, _acceleration(statistic, codes, count))
    low, high = (float(end) for end in np.quantile(defined, levels))
    if kind == "basic":
        low, high = 2 * value - high, 2 * value - low
    low, high = min(low, value), max(high, value)
    if within is not None:
        low, high = max(low, within[0]), min(high, within[1])
    return Interval(value, low, high, codes.size, count, method)


def _replicates(statistic: Statistic, codes: Codes, count: int, rng: np.random.Generator, resamples: int) -> Floats:
    rows = max(1, CHUNK // max(1, codes.size))
    shares = np.full(count, 1 / count)
    found: list[Floats] = []
    for start in range(0, resamples, rows):
        draws = rng.multinomial(count, shares, size=min(rows, resamples - start)).astype(np.float64)
        found.append(_quietly(statistic, draws[:, codes]))
    return np.concatenate(found)


def _acceleration(statistic: Statistic, codes: Codes, count: int) -> float:
    """Skewness of the jackknife over clusters (over groups of clusters where there are many)."""
    groups = min(count, JACKKNIFE_GROUPS)
    group_of_record = (np.arange(count) * groups // count)[codes]
    rows = max(1, CHUNK // max(1, codes.size))
    left_out = np.concatenate(
        [
            _quietly(statistic, (group_of_record[None, :] != np.arange(start, min(start + rows, groups))[:, None]).astype(float))
            for start in range(0, groups, rows)
        ]
    )
    left_out = left_out[np.isfinite(left_out)]
    if left_out.size < 2:
        return 0.0
    deviations = left_out.mean() - left_out
    scale = float(np.sum(deviations**2)) ** 1.5
    return float(np.sum(deviations**3)) / (6 * scale) if scale > 0 else 0.0


def _bca_levels(levels: Floats, replicates: Floats, value: float, acceleration: float) -> Floats:
    below = (np.sum(replicates < value) + 0.5 * np.sum(replicates == value)) / replicates.size
    shift = float(distributions.norm.ppf(np.clip(below, 1 / replicates.size, 1 - 1 / replicates.size)))
    z = shift + distributions.norm.ppf(levels)
    return np.asarray(distributions.norm.cdf(shift + z / (1 - acceleration * z)), dtype=np.float64)


def _without_spread(value: float, count: int, within: tuple[float, float] | None, level: float) -> tuple[float, float]:
    if within is None:
        return float("nan"), float("nan")
    least, width = within[0], within[1] - within[0]
    low, high = score_interval((value - least) / width, count, critical(count, level))
    return min(value, least + width * low), max(value, least + width * high)


def _quietly(statistic: Statistic, weights: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(statistic(weights), dtype=np.float64)
