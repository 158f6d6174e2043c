"""What holds over several strata that were measured apart, such as the categories of a benchmark."""

from collections.abc import Iterable, Sequence

import numpy as np

from gnomon.stats.estimate import Estimate, Unit
from gnomon.stats.estimators import Column, column
from gnomon.stats.intervals import Clusters, Floats, cluster_codes, critical, robust_variance, score_interval

NORMAL = 1.959963984540054


def estimate_mean_of_strata(
    strata: Sequence[Estimate], *, total: int, evaluation: str, name: str, unit: Unit = "score"
) -> Estimate:
    """The mean of the estimates of independent strata, each of equal weight whatever its size.

    The strata are given, not drawn: the interval says how well their mean is known, not what another stratum would have. Its
    distance from the mean is that of the strata's own ends, added as variances are (MOVER, Zou and Donner 2008, Statistics in
    Medicine 27, 1693), so that intervals that are not symmetric stay so.

    Args:
        strata: One estimate each; they share no cluster.
        total: Records of all strata that should have been scored.
        evaluation: The instrument.
        name: The estimate's name.
        unit: What it counts.

    Raises:
        ValueError: No strata.
    """
    if not strata:
        raise ValueError(f"{name}: a mean of strata needs at least one")
    n = sum(one.n for one in strata)
    measured: list[tuple[float, float, float]] = []
    for one in strata:
        if one.value is None or one.low is None or one.high is None:
            reason = f"{one.name} could not be measured: {one.reason}"
            return Estimate.unmeasured(evaluation, name, reason, unit=unit, coverage=n / total if total else 0.0)
        measured.append((one.value, one.low, one.high))
    values, lows, highs = np.array(measured).T
    value = float(values.mean())
    return Estimate(
        evaluation=evaluation,
        name=name,
        value=value,
        low=value - float(np.linalg.norm(values - lows)) / len(strata),
        high=value + float(np.linalg.norm(highs - values)) / len(strata),
        n=n,
        coverage=n / total,
        unit=unit,
        method=f"mean of {len(strata):,} independent strata, their intervals combined (MOVER); each: {strata[0].method}",
    )


def estimate_balanced_rate(
    values: Column,
    second: Iterable[bool | None],
    clusters: Clusters = None,
    *,
    evaluation: str,
    name: str,
    unit: Unit = "rate",
) -> Estimate:
    """The mean of the rates of two groups, of equal weight whatever their sizes.

    Wilson's interval with the effective number of records that the cluster-robust variance of the mean implies; unlike a mean of
    strata it allows clusters with records of both groups.

    Args:
        values: 0, 1 or None per record.
        second: Whether a record is of the second group (None: not known, as of a record that failed).
        clusters: The cluster of each record.
        evaluation: The instrument.
        name: The estimate's name.
        unit: What it counts.
    """
    y = column(values)
    group = np.array([np.nan if one is None else float(one) for one in second])
    scored = ~(np.isnan(y) | np.isnan(group))
    n, total = int(scored.sum()), y.size
    for wanted, said in ((0.0, "first"), (1.0, "second")):
        if not (scored & (group == wanted)).any():
            there = int((group == wanted).sum())
            reason = (
                f"none of the {there:,} records of the {said} group could be scored" if there else f"the {said} group is empty"
            )
            return Estimate.unmeasured(evaluation, name, reason, unit=unit, coverage=n / total if total else 0.0)
    codes, _ = cluster_codes(clusters, total)
    _, kept = np.unique(codes[scored], return_inverse=True)
    count = int(kept.max()) + 1
    y_scored, g = y[scored], group[scored] == 1.0
    shares = [float(y_scored[~g].mean()), float(y_scored[g].mean())]
    share = sum(shares) / 2
    influences = np.where(g, (y_scored - shares[1]) / (2 * g.sum()), (y_scored - shares[0]) / (2 * (~g).sum()))
    binomial = share * (1 - share) / n
    variance = robust_variance(influences, kept, count) if count < n else float(np.sum(influences**2))
    effective = count if binomial == 0 else n / max(1.0, variance / binomial)
    low, high = score_interval(share, effective, critical(count) if count < n else NORMAL)
    bounds = [_worst(y, group, filled) for filled in (0.0, 1.0)]
    spread = f"{count:,} clusters" if count < n else f"{n:,} independent records"
    return Estimate(
        evaluation=evaluation,
        name=name,
        value=share,
        low=low,
        high=high,
        n=n,
        coverage=n / total,
        worst_low=min(*bounds, share),
        worst_high=max(*bounds, share),
        unit=unit,
        method=f"mean of two groups' rates, cluster-robust Wilson score interval, {spread}, effective n {effective:,.0f}",
    )


def _worst(y: Floats, group: Floats, filled: float) -> float:
    """The balanced rate with unscored values filled in; a record of unknown group counts in both."""
    full = np.where(np.isnan(y), filled, y)
    return float(np.mean([full[(group == wanted) | np.isnan(group)].mean() for wanted in (0.0, 1.0)]))
