"""Correlations with Fisher's interval."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats as distributions

from gnomon.stats.estimate import Estimate
from gnomon.stats.estimators import Column, column, from_interval
from gnomon.stats.intervals import LEVEL, Interval

CorrelationKind = Literal["pearson", "spearman"]

FEWEST = 4
"""Fisher's interval divides by n - 3."""


def correlation(first: ArrayLike, second: ArrayLike, kind: CorrelationKind = "pearson", level: float = LEVEL) -> Interval:
    """Correlation of independent pairs, with the interval of Fisher's transformation.

    Pearson's has the standard error 1 / sqrt(n - 3) on the transformed scale, Spearman's that of Bonett and Wright (2000,
    Psychometrika 65, 23): sqrt((1 + rho^2 / 2) / (n - 3)).

    Args:
        first: Shape (n,), finite.
        second: Shape (n,), finite.
        kind: Of the values or of their ranks.
        level: Confidence level.

    Returns:
        The interval; NaN where it is not defined (fewer than four pairs, or one side does not vary).

    Raises:
        ValueError: The sides differ in length.
    """
    x, y = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if x.shape != y.shape or x.ndim != 1:
        raise ValueError(f"{x.size} first and {y.size} second values are not pairs")
    name = {"pearson": "Pearson correlation", "spearman": "Spearman correlation"}[kind]
    method = f"{name}, Fisher's interval, {x.size:,} pairs"
    if kind == "spearman":
        x, y = distributions.rankdata(x), distributions.rankdata(y)
    if x.size < FEWEST or np.ptp(x) == 0 or np.ptp(y) == 0:
        return Interval(float("nan"), float("nan"), float("nan"), x.size, x.size, method)
    value = float(np.clip(np.corrcoef(x, y)[0, 1], -1.0, 1.0))
    inflated = 1.0 + value**2 / 2 if kind == "spearman" else 1.0
    half = float(distributions.norm.ppf(0.5 + level / 2)) * float(np.sqrt(inflated / (x.size - 3)))
    centre = float(np.arctanh(np.clip(value, -1 + 1e-12, 1 - 1e-12)))
    low, high = float(np.tanh(centre - half)), float(np.tanh(centre + half))
    return Interval(value, min(low, value), max(high, value), x.size, x.size, method)


def estimate_correlation(
    first: Column, second: Column, *, evaluation: str, name: str, kind: CorrelationKind = "pearson"
) -> Estimate:
    """Correlation over the pairs of which both are scored; unmeasured with its reason where it is not defined.

    Args:
        first: One value per pair, None where unscored.
        second: The other value of each pair.
        evaluation: The instrument.
        name: The estimate's name.
        kind: Of the values or of their ranks.
    """
    x, y = column(first), column(second)
    scored = ~(np.isnan(x) | np.isnan(y))
    total, n = scored.size, int(scored.sum())
    coverage = n / total if total else 0.0
    if n < FEWEST:
        reason = f"a correlation needs {FEWEST} pairs, and {n:,} of {total:,} are scored"
        return Estimate.unmeasured(evaluation, name, reason, unit="score", coverage=coverage)
    found = correlation(x[scored], y[scored], kind)
    if not np.isfinite(found.value):
        reason = f"one side of the {n:,} pairs does not vary, so that there is no correlation"
        return Estimate.unmeasured(evaluation, name, reason, unit="score", coverage=coverage)
    return from_interval(found, total=total, evaluation=evaluation, name=name)
