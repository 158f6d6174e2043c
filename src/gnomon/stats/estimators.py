"""From columns of a record table to Estimates: the scored values, and beside them what the unscored ones could have changed.

A column is any sequence of numbers in which None or NaN stands for a record that was not scored. Each function takes the
columns (`table["agrees"]`, `table["cluster"]`), counts n and coverage, adds worst-case bounds, and gives an unmeasured
Estimate with its reason where nothing was scored.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from gnomon.stats import intervals
from gnomon.stats.bootstrap import Statistic, bootstrap
from gnomon.stats.estimate import Estimate, Unit
from gnomon.stats.intervals import Clusters, Floats, Interval

Column = Iterable[bool | int | float | None]

NOTHING = "none of the {total} records could be scored"
NO_RECORDS = "there are no records"


def column(values: Column) -> Floats:
    """The values as floats, NaN for unscored (None, NaN or infinite); shape (n,)."""
    numbers = np.array([np.nan if value is None else float(value) for value in values], dtype=np.float64)
    return np.where(np.isfinite(numbers), numbers, np.nan)


def estimate_rate(values: Column, clusters: Clusters = None, *, evaluation: str, name: str, unit: Unit = "rate") -> Estimate:
    """Rate of ones among the scored 0/1 values (interval: `intervals.rate`).

    Args:
        values: 0, 1 or None per record.
        clusters: The cluster of each record, scored or not.
        evaluation: The instrument.
        name: The estimate's name.
        unit: `rate` unless said otherwise.
    """
    y = column(values)
    scored = ~np.isnan(y)
    if not scored.any():
        return nothing_scored(evaluation, name, y.size, unit)
    found = intervals.rate(y[scored], scored_clusters(clusters, scored))
    return _estimate(found, y.size, (float(np.nansum(y)), (0.0, 1.0)), evaluation, name, unit)


def estimate_mean(
    values: Column,
    clusters: Clusters = None,
    *,
    evaluation: str,
    name: str,
    within: tuple[float, float] | None = None,
    unit: Unit = "score",
) -> Estimate:
    """Mean of the scored values (interval: `intervals.mean`); `within` is the possible range and gives worst-case bounds."""
    y = column(values)
    scored = ~np.isnan(y)
    if not scored.any():
        return nothing_scored(evaluation, name, y.size, unit)
    found = intervals.mean(y[scored], scored_clusters(clusters, scored), within=within)
    bounds = (float(np.nansum(y)), within) if within else None
    return _estimate(found, y.size, bounds, evaluation, name, unit)


def estimate_difference(
    first: Column,
    second: Column,
    clusters: Clusters = None,
    *,
    evaluation: str,
    name: str,
    within: tuple[float, float] = (0.0, 1.0),
    unit: Unit = "difference",
) -> Estimate:
    """Mean of second minus first over pairs of which both are scored (interval: `intervals.paired_difference`).

    Args:
        first: One value per pair, within `within`.
        second: The other value of each pair, in the same order.
        clusters: The cluster of each pair.
        evaluation: The instrument.
        name: The estimate's name.
        within: The possible range of each value. A half-scored pair bounds its difference from the half that is known.
        unit: `difference` unless said otherwise.

    Raises:
        ValueError: The columns differ in length.
    """
    a, b = column(first), column(second)
    if a.shape != b.shape:
        raise ValueError(f"{name}: {a.size} first and {b.size} second values are not pairs")
    scored = ~(np.isnan(a) | np.isnan(b))
    if not scored.any():
        return nothing_scored(evaluation, name, a.size, unit, what="pairs")
    least, most = within
    width = most - least
    found = intervals.paired_difference((b - a)[scored] / width, scored_clusters(clusters, scored))
    worst_low = float(np.mean(np.where(np.isnan(b), least, b) - np.where(np.isnan(a), most, a)))
    worst_high = float(np.mean(np.where(np.isnan(b), most, b) - np.where(np.isnan(a), least, a)))
    return Estimate(
        evaluation=evaluation,
        name=name,
        value=width * found.value,
        low=width * found.low,
        high=width * found.high,
        n=found.n,
        coverage=found.n / a.size,
        worst_low=worst_low,
        worst_high=worst_high,
        unit=unit,
        method=found.method,
    )


def estimate_contrast(
    values: Column,
    second: Iterable[bool],
    clusters: Clusters = None,
    *,
    evaluation: str,
    name: str,
    within: tuple[float, float] = (0.0, 1.0),
    unit: Unit = "difference",
) -> Estimate:
    """Mean of the second group's values minus the first's, not paired (interval: `intervals.contrast`).

    Args:
        values: One value per record, within `within`.
        second: True for the records of the second group.
        clusters: The cluster of each record; groups may share clusters.
        evaluation: The instrument.
        name: The estimate's name.
        within: The possible range of a value.
        unit: `difference` unless said otherwise.
    """
    y = column(values)
    mask = np.array(list(second), dtype=bool)
    scored = ~np.isnan(y)
    for group, said in ((mask, "second"), (~mask, "first")):
        if not (scored & group).any():
            reason = f"none of the {int(group.sum()):,} records of the {said} group could be scored"
            return Estimate.unmeasured(evaluation, name, reason, unit=unit, coverage=_share(scored))
    found = intervals.contrast(y[scored], mask[scored], scored_clusters(clusters, scored), within=within)
    least, most = within
    lowest = np.where(np.isnan(y), np.where(mask, least, most), y)
    highest = np.where(np.isnan(y), np.where(mask, most, least), y)
    return Estimate(
        evaluation=evaluation,
        name=name,
        value=found.value,
        low=found.low,
        high=found.high,
        n=found.n,
        coverage=_share(scored),
        worst_low=float(lowest[mask].mean() - lowest[~mask].mean()),
        worst_high=float(highest[mask].mean() - highest[~mask].mean()),
        unit=unit,
        method=found.method,
    )


def estimate_statistic(
    statistic: Statistic,
    clusters: Clusters,
    *,
    total: int,
    evaluation: str,
    name: str,
    seed: int = 0,
    resamples: int = 2000,
    n: int | None = None,
    within: tuple[float, float] | None = None,
    unit: Unit = "score",
) -> Estimate:
    """Any statistic of the scored records' weights, with a BCa cluster bootstrap; no worst-case bounds (they are not defined).

    Args:
        statistic: From weight rows over the *scored* records to numbers.
        clusters: The clusters of the scored records (None: independent; give `n`).
        total: Records that should have been scored.
        evaluation: The instrument.
        name: The estimate's name.
        seed: Seed of the resampling.
        resamples: Number of resamples.
        n: Number of scored records where `clusters` is None.
        within: The possible range.
        unit: What it counts.
    """
    scored = len(clusters) if clusters is not None else n or 0
    if not scored:
        return nothing_scored(evaluation, name, total, unit)
    found = bootstrap(statistic, clusters, seed, resamples, n=n, within=within)
    return _estimate(found, total, None, evaluation, name, unit)


def from_interval(
    found: Interval, *, total: int, evaluation: str, name: str, unit: Unit = "score", within: tuple[float, float] | None = None
) -> Estimate:
    """An Estimate from an interval that somebody else computed over `found.n` of `total` records.

    `within` is for a plain mean only: its range gives the worst-case bounds.
    """
    return _estimate(found, total, (found.value * found.n, within) if within else None, evaluation, name, unit)


def scored_clusters(clusters: Clusters, scored: NDArray[np.bool_]) -> Clusters:
    """The clusters of the records that were scored.

    Raises:
        ValueError: There are not as many labels as records.
    """
    if clusters is None:
        return None
    if len(clusters) != scored.size:
        raise ValueError(f"{len(clusters)} cluster labels for {scored.size} records")
    return [label for label, keep in zip(clusters, scored, strict=True) if keep]


def nothing_scored(evaluation: str, name: str, total: int, unit: Unit = "rate", what: str = "records") -> Estimate:
    """The Estimate of which no record was scored."""
    reason = NOTHING.format(total=f"{total:,}").replace("records", what) if total else NO_RECORDS.replace("records", what)
    return Estimate.unmeasured(evaluation, name, reason, unit=unit)


def _estimate(
    found: Interval,
    total: int,
    bounds: tuple[float, tuple[float, float]] | None,
    evaluation: str,
    name: str,
    unit: Unit,
) -> Estimate:
    """`bounds`: the sum over scored records and the range of a value, for worst-case means."""
    coverage = found.n / total
    if not np.all(np.isfinite([found.value, found.low, found.high])):
        reason = (
            f"{found.n:,} records in {found.clusters:,} clusters are too few for an interval"
            if found.clusters < 3
            else f"all {found.n:,} values are equal, or too few resamples define it, so that no interval can be given"
        )
        return Estimate.unmeasured(evaluation, name, reason, unit=unit, coverage=coverage)
    worst: tuple[float | None, float | None] = (None, None)
    if bounds is not None:
        known, (least, most) = bounds
        missing = total - found.n
        worst = ((known + missing * least) / total, (known + missing * most) / total)
    return Estimate(
        evaluation=evaluation,
        name=name,
        value=found.value,
        low=found.low,
        high=found.high,
        n=found.n,
        coverage=coverage,
        worst_low=worst[0],
        worst_high=worst[1],
        unit=unit,
        method=found.method,
    )


def _share(scored: NDArray[np.bool_]) -> float:
    return float(scored.mean()) if scored.size else 0.0
