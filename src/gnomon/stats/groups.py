"""How two quantities go together over groups that were measured apart, such as the tasks of a benchmark."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats as distributions

from gnomon.stats.estimate import Estimate
from gnomon.stats.estimators import Column, column
from gnomon.stats.intervals import LEVEL, Clusters, Floats, cluster_codes, cluster_sums

CorrelationKind = Literal["spearman", "pearson"]

LEAST_GROUPS = 3


def estimate_group_correlation(
    first: Sequence[Column],
    second: Sequence[Column],
    clusters: Sequence[Clusters],
    *,
    kind: CorrelationKind,
    evaluation: str,
    name: str,
    within: tuple[tuple[float, float], tuple[float, float]] = ((0.0, 1.0), (0.0, 1.0)),
    seed: int = 0,
    resamples: int = 2000,
) -> Estimate:
    """The correlation, over groups, of the means of two quantities, with the interval that resampling the records leaves.

    The groups are given, not drawn: the interval says how well their own correlation is known, not what other groups would show.
    Clusters are reweighted within each group, both quantities together (Bayesian bootstrap, Rubin 1981), with half a
    pseudo-cluster at each end of the range: without it, groups of which all records agree, at 1 say, would count as known
    exactly, and their order or their tie as well. Noise of the means draws a correlation towards 0, so that the interval of an
    exact order is one-sided.

    Args:
        first: For each group one value per record.
        second: The other quantity of the same records.
        clusters: For each group the cluster of each record.
        kind: Of the ranks (`spearman`, ties averaged) or of the values (`pearson`).
        evaluation: The instrument.
        name: The estimate's name.
        within: The least and the largest possible value of either quantity.
        seed: Of the reweighting.
        resamples: Number of resamples.
    """
    rng = np.random.default_rng(seed)
    total, scored = 0, 0
    values: list[list[float]] = [[], []]
    drawn: list[list[Floats]] = [[], []]
    for one, other, labels in zip(first, second, clusters, strict=True):
        pair = np.stack([column(one), column(other)])
        kept: NDArray[np.bool_] = ~np.any(np.isnan(pair), axis=0)
        total += kept.size
        scored += int(kept.sum())
        if not kept.any():
            continue
        own = None if labels is None else [label for label, keep in zip(labels, kept, strict=True) if keep]
        codes, count = cluster_codes(own, int(kept.sum()))
        sizes = np.bincount(codes, minlength=count).astype(np.float64)
        weights = rng.standard_gamma(1.0, size=(resamples, count))
        ends = rng.standard_gamma(0.5, size=(resamples, 2))
        for place in range(2):
            sums = cluster_sums(pair[place, kept], codes, count)
            least_and_most = np.array(within[place]) * sizes.mean()
            values[place].append(float(sums.sum() / sizes.sum()))
            drawn[place].append((weights @ sums + ends @ least_and_most) / (weights @ sizes + ends.sum(axis=1) * sizes.mean()))
    coverage = scored / total if total else 0.0
    if len(values[0]) < LEAST_GROUPS:
        reason = f"a correlation over groups needs {LEAST_GROUPS} of them with scored records, there are {len(values[0])}"
        return Estimate.unmeasured(evaluation, name, reason, unit="score", coverage=coverage)
    here = _correlations(np.array([values[0]]), np.array([values[1]]), kind)[0]
    found = _correlations(np.stack(drawn[0], axis=1), np.stack(drawn[1], axis=1), kind)
    found = found[np.isfinite(found)]
    if not np.isfinite(here) or 2 * found.size < resamples:
        reason = "one of the two is the same in all groups, so that there is no correlation"
        return Estimate.unmeasured(evaluation, name, reason, unit="score", coverage=coverage)
    low, high = (float(end) for end in np.quantile(found, (0.5 - LEVEL / 2, 0.5 + LEVEL / 2)))
    return Estimate(
        evaluation=evaluation,
        name=name,
        value=float(here),
        low=min(low, float(here)),
        high=max(high, float(here)),
        n=scored,
        coverage=coverage,
        unit="score",
        method=f"{kind.capitalize()} correlation of the means of {len(values[0])} groups, Bayesian bootstrap within groups, "
        f"{resamples:,} resamples",
    )


def _correlations(first: Floats, second: Floats, kind: CorrelationKind) -> Floats:
    """Row by row; NaN where a row is constant. Shapes (rows, groups)."""
    if kind == "spearman":
        first, second = (distributions.rankdata(np.round(each, 12), axis=1) for each in (first, second))
    a, b = (each - each.mean(axis=1, keepdims=True) for each in (first, second))
    spread = np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(spread > 1e-12, (a * b).sum(axis=1) / spread, np.nan)
