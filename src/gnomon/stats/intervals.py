"""Intervals of rates, means and differences whose coverage holds for few records and for rates at or near 0 and 1.

Records that share a cluster (a question, a document) are not independent, so every variance here is the cluster-robust one: sums
of residuals per cluster, squared, with the factor G / (G - 1) for G clusters. Quantities with a known range get Wilson's score
interval with the *effective* number of records that this variance implies, never a Wald interval: it stays inside the range and
is never of zero width. Everything is a pure function of arrays.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats as distributions

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
Clusters = Sequence[Hashable] | NDArray[np.generic] | None
"""One label per record; None: every record stands for itself."""

LEVEL = 0.95
TINY = 1e-12  # differences of this size are rounding


@dataclass(frozen=True, slots=True)
class Interval:
    """A point estimate with its interval.

    Attributes:
        value: The point estimate.
        low: Lower end.
        high: Upper end.
        n: Records it rests on.
        clusters: Independent clusters among them.
        method: How it was made, in words.
    """

    value: float
    low: float
    high: float
    n: int
    clusters: int
    method: str


def cluster_codes(clusters: Clusters, n: int) -> tuple[Codes, int]:
    """Numbers the clusters 0 .. G - 1.

    Args:
        clusters: One label per record, or None.
        n: Number of records.

    Returns:
        The code of each record, shape (n,), and G.

    Raises:
        ValueError: The labels are not n.
    """
    if clusters is None:
        return np.arange(n), n
    if len(clusters) != n:
        raise ValueError(f"{len(clusters)} cluster labels for {n} values")
    numbers: dict[Hashable, int] = {}
    labels: list[Hashable] = clusters.tolist() if isinstance(clusters, np.ndarray) else list(clusters)
    codes = np.array([numbers.setdefault(label, len(numbers)) for label in labels], dtype=np.intp)
    return codes, len(numbers)


def cluster_sums(values: Floats, codes: Codes, count: int) -> Floats:
    """Sum of the values in each cluster, shape (count,)."""
    return np.bincount(codes, weights=values, minlength=count).astype(np.float64)


def robust_variance(influences: Floats, codes: Codes, count: int) -> float:
    """Cluster-robust variance of a statistic from its records' influences (which sum to 0); infinite for one cluster."""
    if count < 2:
        return float("inf")
    return float(count / (count - 1) * np.sum(cluster_sums(influences, codes, count) ** 2))


def critical(clusters: int, level: float = LEVEL) -> float:
    """Two-sided critical value of Student's t with G - 1 degrees of freedom; infinite for one cluster."""
    return float(distributions.t.ppf(0.5 + level / 2, clusters - 1)) if clusters > 1 else float("inf")


def score_interval(share: float, effective_n: float, z: float) -> tuple[float, float]:
    """Wilson's score interval of a share in [0, 1] that rests on `effective_n` independent trials."""
    if effective_n <= 0 or not np.isfinite(z):
        return 0.0, 1.0
    ratio = z * z / effective_n
    centre = (share + ratio / 2) / (1 + ratio)
    half = np.sqrt(ratio * share * (1 - share) + ratio * ratio / 4) / (1 + ratio)
    low, high = float(centre - half), float(centre + half)
    return max(0.0, min(low, share)), min(1.0, max(high, share))


def tango_interval(gains: float, losses: float, effective_n: float, z: float) -> tuple[float, float]:
    """Tango's score interval of a share of gains minus a share of losses, which exclude one another.

    Args:
        gains: Share of the pairs that gain, 0 to 1.
        losses: Share that loses.
        effective_n: Independent pairs that they rest on.
        z: Critical value.
    """
    if effective_n <= 0 or not np.isfinite(z):
        return -1.0, 1.0
    value = gains - losses

    def beyond(difference: float) -> bool:
        """Whether the score statistic of this difference lies outside the critical value."""
        linear = (2 - value) * difference - gains - losses
        root = np.sqrt(max(0.0, linear**2 + 8 * losses * difference * (1 - difference)))
        expected_losses = (root - linear) / 4  # their likeliest share, given the difference
        variance = max(0.0, 2 * expected_losses + difference * (1 - difference)) / effective_n
        return bool((value - difference) ** 2 > z * z * variance)

    def end(outside: float) -> float:
        inside = value
        for _ in range(60):
            middle = (inside + outside) / 2
            inside, outside = (inside, middle) if beyond(middle) else (middle, outside)
        return inside

    return min(end(-1.0), value), max(end(1.0), value)


def rate(values: ArrayLike, clusters: Clusters = None, *, level: float = LEVEL) -> Interval:
    """Share of ones among 0/1 values.

    Wilson's interval. Where records share clusters, n is divided by the design effect (cluster-robust variance over binomial
    variance, at least 1) and the critical value is Student's t with G - 1 degrees of freedom. When all values are equal
    nothing is known of the correlation within clusters, so the records of a cluster count as one.

    Args:
        values: Shape (n,), each 0 or 1.
        clusters: One label per record.
        level: Confidence level.

    Raises:
        ValueError: No values, or values other than 0 and 1.
    """
    y = _vector(values)
    if not np.all((y == 0) | (y == 1)):
        raise ValueError("a rate needs values 0 and 1; use mean() for others")
    codes, count = cluster_codes(clusters, y.size)
    share = float(y.mean())
    if count == y.size:
        low, high = score_interval(share, y.size, float(distributions.norm.ppf(0.5 + level / 2)))
        return Interval(share, low, high, y.size, count, f"Wilson score interval, {y.size:,} independent records")
    variance = robust_variance((y - share) / y.size, codes, count)
    binomial = share * (1 - share) / y.size
    effective = count if binomial == 0 else y.size / max(1.0, variance / binomial)
    low, high = score_interval(share, effective, critical(count, level))
    method = f"cluster-robust Wilson score interval, {count:,} clusters, effective n {effective:,.0f}"
    return Interval(share, low, high, y.size, count, method)


def mean(
    values: ArrayLike, clusters: Clusters = None, *, within: tuple[float, float] | None = None, level: float = LEVEL
) -> Interval:
    """Mean of values, clustered.

    With a known range the score interval of the mean scaled to [0, 1], with the effective n that its cluster-robust variance
    implies; values that are all equal get what G independent 0/1 trials would leave open. Without a range, the
    cluster-robust t interval, which has no width when all values are equal: its ends are then NaN, for not known.

    Args:
        values: Shape (n,), finite.
        clusters: One label per record.
        within: The least and the largest possible value.
        level: Confidence level.

    Raises:
        ValueError: No values, or values outside `within`.
    """
    y = _vector(values)
    codes, count = cluster_codes(clusters, y.size)
    average = float(y.mean())
    variance = robust_variance((y - average) / y.size, codes, count) if np.ptp(y) > TINY * max(1, abs(average)) else 0.0
    t = critical(count, level)
    spread = f"{count:,} clusters" if count < y.size else f"{count:,} independent records"
    if within is None:
        half = t * float(np.sqrt(variance)) if count > 1 and variance > 0 else float("nan")
        return Interval(average, average - half, average + half, y.size, count, f"cluster-robust t interval, {spread}")
    least, most = within
    if y.min() < least - 1e-9 or y.max() > most + 1e-9:
        raise ValueError(f"values from {y.min():g} to {y.max():g} do not lie within {least:g} to {most:g}")
    width = most - least
    share = min(1.0, max(0.0, (average - least) / width))
    low, high = _bounded(share, variance / width**2, count, t)
    low, high = min(average, least + width * low), max(average, least + width * high)
    return Interval(average, low, high, y.size, count, f"cluster-robust score interval, {spread}")


def paired_difference(values: ArrayLike, clusters: Clusters = None, *, level: float = LEVEL) -> Interval:
    """Mean of paired differences, each from -1 to 1.

    Where every pair is a gain (1), a loss (-1) or neither (0): Tango's score interval (1998, Statistics in Medicine 17, 891),
    with the effective number of pairs that the cluster-robust variance implies. (Combining an interval of the gains with one of
    the losses holds the truth in 98 to 99 % of studies without losses: it adds the uncertainty of a share that is 0.)

    Else the gains and the losses are two shares with a score interval each, combined with the correlation seen between them
    (MOVER, Zou and Donner 2008). No pair that differs still leaves an interval of a width.

    Args:
        values: Shape (n,), each second value minus first, in [-1, 1].
        clusters: One label per pair.
        level: Confidence level.

    Raises:
        ValueError: No values, or values outside [-1, 1].
    """
    d = _vector(values)
    if np.abs(d).max() > 1 + 1e-9:
        raise ValueError("paired differences must lie within -1 to 1")
    gains, losses = np.maximum(d, 0), np.maximum(-d, 0)
    codes, count = cluster_codes(clusters, d.size)
    spread = f"{count:,} clusters" if count < d.size else f"{count:,} independent pairs"
    if bool(np.all(np.isin(d, (-1.0, 0.0, 1.0)))):
        variance = robust_variance((d - d.mean()) / d.size, codes, count)
        independent = float(d.var()) / d.size
        effective = d.size / max(1.0, variance / independent) if independent > 0 else float(count)
        z = float(distributions.norm.ppf(0.5 + level / 2)) if count == d.size else critical(count, level)
        low, high = tango_interval(float(gains.mean()), float(losses.mean()), effective, z)
        return Interval(float(d.mean()), low, high, d.size, count, f"paired score interval (Tango), {spread}")
    low, high = _mover(gains, losses, codes, count, level)
    return Interval(float(d.mean()), low, high, d.size, count, f"paired score interval of gains and losses (MOVER), {spread}")


def contrast(
    values: ArrayLike,
    second: ArrayLike,
    clusters: Clusters = None,
    *,
    within: tuple[float, float] = (0.0, 1.0),
    level: float = LEVEL,
) -> Interval:
    """Difference of two group means, second minus first, whose records share clusters but are not paired one to one.

    Args:
        values: Shape (n,), within `within`.
        second: Shape (n,), true for records of the second group.
        clusters: One label per record; a cluster may have records of both groups.
        within: The least and the largest possible value.
        level: Confidence level.

    Raises:
        ValueError: A group is empty, or values lie outside `within`.
    """
    y = _vector(values)
    mask = np.asarray(second, dtype=bool)
    if mask.shape != y.shape or not mask.any() or mask.all():
        raise ValueError("a contrast needs records in both groups")
    least, width = within[0], within[1] - within[0]
    y = (y - least) / width
    if y.min() < -1e-9 or y.max() > 1 + 1e-9:
        raise ValueError(f"values do not lie within {within[0]:g} to {within[1]:g}")
    codes, count = cluster_codes(clusters, y.size)
    t = critical(count, level)
    shares: list[float] = []
    ends: list[tuple[float, float]] = []
    influences: list[Floats] = []
    for group in (mask, ~mask):
        share = min(1.0, max(0.0, float(y[group].mean())))
        influence = np.where(group, (y - share) / group.sum(), 0.0)
        members = len(np.unique(codes[group]))
        ends.append(_bounded(share, robust_variance(influence, codes, count), members, t))
        shares.append(share)
        influences.append(influence)
    low, high = _combine(shares, ends, _correlation(influences, codes, count), count, t)
    spread = f"{count:,} clusters" if count < y.size else f"{count:,} independent records"
    value = shares[0] - shares[1]
    method = f"cluster-robust score intervals of two groups (MOVER), {spread}"
    return Interval(width * value, width * low, width * high, y.size, count, method)


def _vector(values: ArrayLike) -> Floats:
    y = np.asarray(values, dtype=np.float64)
    if y.ndim != 1 or y.size == 0 or not np.all(np.isfinite(y)):
        raise ValueError("an interval needs a non-empty list of finite values")
    return y


def _bounded(share: float, variance: float, count: int, t: float) -> tuple[float, float]:
    """Score interval of a mean in [0, 1]: `t` with the effective n of its variance, or with G where there is no spread."""
    if variance > TINY**2 and 0 < share < 1:
        return score_interval(share, share * (1 - share) / variance, t)
    return score_interval(share, count, t)


def _correlation(influences: Sequence[Floats], codes: Codes, count: int) -> float:
    a, b = (cluster_sums(influence, codes, count) for influence in influences)
    scale = float(np.sqrt(np.sum(a * a) * np.sum(b * b)))
    return float(np.clip(np.sum(a * b) / scale, -1, 1)) if scale > 0 else 0.0


def _mover(first: Floats, second: Floats, codes: Codes, count: int, level: float) -> tuple[float, float]:
    t = critical(count, level)
    shares: list[float] = []
    ends: list[tuple[float, float]] = []
    influences: list[Floats] = []
    for y in (first, second):
        share = float(np.clip(y.mean(), 0, 1))
        influence = (y - share) / y.size
        ends.append(_bounded(share, robust_variance(influence, codes, count), count, t))
        shares.append(share)
        influences.append(influence)
    return _combine(shares, ends, _correlation(influences, codes, count), count, t)


def _combine(
    shares: Sequence[float], ends: Sequence[tuple[float, float]], correlation: float, count: int, t: float
) -> tuple[float, float]:
    """MOVER: the interval of shares[0] - shares[1] from the interval of each and their correlation."""
    value = shares[0] - shares[1]
    (low1, high1), (low2, high2) = ends
    down1, up1, down2, up2 = shares[0] - low1, high1 - shares[0], shares[1] - low2, high2 - shares[1]
    below = float(np.sqrt(max(0.0, down1**2 + up2**2 - 2 * correlation * down1 * up2)))
    above = float(np.sqrt(max(0.0, up1**2 + down2**2 - 2 * correlation * up1 * down2)))
    if below + above < 1e-9:  # the two move together in every cluster seen: as open as G trials that all agreed
        _, above = score_interval(0.0, count, t)
        below = above
    return max(-1.0, value - below), min(1.0, value + above)
