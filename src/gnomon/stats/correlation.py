"""How one quantity goes with another: correlation, and slope of a least-squares line.

The correlation of independent pairs has Fisher's interval. Over clusters, and for the slope, intervals are Student's t with G - 1
degrees of freedom and the standard error of the jackknife that leaves out one cluster at a time, that of the correlation on
Fisher's scale arctanh(r). In simulated studies of 16 clusters of 4 it holds the truth in 95 to 98 % (a bootstrap over the
clusters in 87 to 95 %), whether what a cluster's records have in common is large or nothing.
"""

from collections.abc import Callable
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats as distributions

from gnomon.stats.estimate import Estimate
from gnomon.stats.estimators import Column, column, from_interval, scored_clusters
from gnomon.stats.intervals import LEVEL, Clusters, Floats, Interval, cluster_codes, critical

CorrelationKind = Literal["pearson", "spearman"]
Statistic = Callable[[Floats, Floats], float]

FEWEST = 4
"""Pairs, or clusters of pairs: Fisher's interval divides by n - 3."""

_NAMES = {"pearson": "Pearson correlation", "spearman": "Spearman correlation"}
_ALMOST_ONE = 1.0 - 1e-12


def correlation(
    first: ArrayLike, second: ArrayLike, clusters: Clusters = None, *, kind: CorrelationKind = "pearson", level: float = LEVEL
) -> Interval:
    """Correlation of pairs.

    Of independent pairs, Pearson's has the standard error 1 / sqrt(n - 3) on Fisher's scale, Spearman's that of Bonett and Wright
    (2000, Psychometrika 65, 23): sqrt((1 + rho^2 / 2) / (n - 3)).

    Args:
        first: Shape (n,), finite.
        second: Shape (n,), finite.
        clusters: The cluster of each pair (None: they are independent).
        kind: Of the values or of their ranks.
        level: Confidence level.

    Returns:
        The interval; NaN where it is not defined (fewer than four pairs or clusters, or one side does not vary).

    Raises:
        ValueError: The sides differ in length.
    """
    x, y = _pairs(first, second)
    statistic = partial(_correlation, kind)
    if clusters is not None:
        return _jackknifed(statistic, x, y, clusters, level, fisher=True)
    method = f"{_NAMES[kind]}, Fisher's interval, {x.size:,} pairs"
    value = statistic(x, y) if x.size >= FEWEST else float("nan")
    if np.isnan(value):
        return Interval(value, value, value, x.size, x.size, method)
    inflated = 1.0 + value**2 / 2 if kind == "spearman" else 1.0
    half = float(distributions.norm.ppf(0.5 + level / 2)) * float(np.sqrt(inflated / (x.size - 3)))
    return Interval(value, *_around(value, half), x.size, x.size, method)


def slope(first: ArrayLike, second: ArrayLike, clusters: Clusters = None, *, level: float = LEVEL) -> Interval:
    """Slope of the least-squares line of the second quantity on the first; arguments and errors as `correlation`."""
    x, y = _pairs(first, second)
    labels = clusters if clusters is not None else [str(place) for place in range(x.size)]
    return _jackknifed(_slope, x, y, labels, level, fisher=False)


def estimate_correlation(
    first: Column, second: Column, clusters: Clusters = None, *, evaluation: str, name: str, kind: CorrelationKind = "pearson"
) -> Estimate:
    """Correlation over the pairs of which both are scored; unmeasured with its reason where it is not defined.

    Args:
        first: One value per pair, None where unscored.
        second: The other value of each pair.
        clusters: The cluster of each pair, scored or not (None: they are independent).
        evaluation: The instrument.
        name: The estimate's name.
        kind: Of the values or of their ranks.

    Raises:
        ValueError: The columns differ in length.
    """
    return _estimate(partial(correlation, kind=kind), first, second, clusters, evaluation, name)


def estimate_slope(first: Column, second: Column, clusters: Clusters = None, *, evaluation: str, name: str) -> Estimate:
    """Slope over the pairs of which both are scored; arguments and errors as `estimate_correlation`."""
    return _estimate(slope, first, second, clusters, evaluation, name)


def _estimate(
    interval: Callable[[Floats, Floats, Clusters], Interval],
    first: Column,
    second: Column,
    clusters: Clusters,
    evaluation: str,
    name: str,
) -> Estimate:
    x, y = _pairs(column(first), column(second))
    scored = ~(np.isnan(x) | np.isnan(y))
    coverage = float(scored.mean()) if scored.size else 0.0
    kept = scored_clusters(clusters, scored)
    n = int(scored.sum()) if kept is None else len(set(kept))
    if n < FEWEST:
        what = "pairs" if kept is None else "clusters of pairs"
        reason = f"{FEWEST} {what} of which both sides are scored are needed, and there are {n}"
        return Estimate.unmeasured(evaluation, name, reason, unit="score", coverage=coverage)
    found = interval(x[scored], y[scored], kept)
    if not np.all(np.isfinite([found.value, found.low, found.high])):
        reason = f"one side of the {found.n:,} pairs does not vary"
        return Estimate.unmeasured(evaluation, name, reason, unit="score", coverage=coverage)
    return from_interval(found, total=scored.size, evaluation=evaluation, name=name)


def _pairs(first: ArrayLike, second: ArrayLike) -> tuple[Floats, Floats]:
    x, y = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if x.shape != y.shape or x.ndim != 1:
        raise ValueError(f"{x.size} first and {y.size} second values are not pairs")
    return x, y


def _jackknifed(statistic: Statistic, x: Floats, y: Floats, clusters: Clusters, level: float, *, fisher: bool) -> Interval:
    codes, count = cluster_codes(clusters, x.size) if x.size else (np.zeros(0, dtype=np.intp), 0)
    method = f"jackknife over {count:,} clusters, Student's t, {x.size:,} records"
    value = statistic(x, y) if count >= FEWEST else float("nan")
    if np.isnan(value):
        return Interval(value, value, value, x.size, count, method)
    left_out = np.array([statistic(x[codes != cluster], y[codes != cluster]) for cluster in range(count)])
    scaled = _on_fishers_scale(left_out) if fisher else left_out
    half = critical(count, level) * float(np.sqrt((count - 1) / count * np.sum((scaled - scaled.mean()) ** 2)))
    ends = _around(value, half) if fisher else (value - half, value + half)
    return Interval(value, *ends, x.size, count, method)


def _around(value: float, half: float) -> tuple[float, float]:
    """The ends that lie `half` from a correlation on Fisher's scale."""
    centre = float(_on_fishers_scale(np.array(value)))
    return min(value, float(np.tanh(centre - half))), max(value, float(np.tanh(centre + half)))


def _on_fishers_scale(values: Floats) -> Floats:
    return np.arctanh(np.clip(values, -_ALMOST_ONE, _ALMOST_ONE))


def _correlation(kind: CorrelationKind, x: Floats, y: Floats) -> float:
    """NaN where either does not vary."""
    if kind == "spearman":
        x, y = distributions.rankdata(x), distributions.rankdata(y)
    a, b = x - x.mean(), y - y.mean()
    scale = float(np.sqrt(np.sum(a * a) * np.sum(b * b)))
    return float(np.clip(np.sum(a * b) / scale, -1.0, 1.0)) if scale > 1e-12 * x.size else float("nan")


def _slope(x: Floats, y: Floats) -> float:
    """NaN where x does not vary."""
    a = x - x.mean()
    scale = float(np.sum(a * a))
    return float(np.sum(a * (y - y.mean())) / scale) if scale > 1e-12 * x.size else float("nan")
