"""The largest of several differences, none of which was chosen beforehand."""

from collections.abc import Sequence

import numpy as np

from gnomon.stats import intervals
from gnomon.stats.estimate import Estimate
from gnomon.stats.estimators import Column, column
from gnomon.stats.intervals import LEVEL, Clusters


def estimate_largest_difference(
    pairs: Sequence[tuple[Column, Column]], clusters: Sequence[Clusters], *, evaluation: str, name: str
) -> Estimate:
    """The largest mean of second minus first over several sets of pairs, with an interval that allows for the choice.

    Each difference gets an interval at 1 - 0.05 / m for m differences (Bonferroni), so that all hold at once in 95 % of studies
    or more; the largest true difference then lies between the largest of their lower and the largest of their upper ends. The
    value itself, the largest of the measured differences, is biased upwards.

    Args:
        pairs: The two columns of each set, values from 0 to 1.
        clusters: The cluster of each pair, set by set.
        evaluation: The instrument.
        name: The estimate's name.
    """
    found: list[intervals.Interval] = []
    total, scored = 0, 0
    for (first, second), labels in zip(pairs, clusters, strict=True):
        differences = column(second) - column(first)
        kept = ~np.isnan(differences)
        total += differences.size
        scored += int(kept.sum())
        if kept.any():
            own = None if labels is None else [label for label, keep in zip(labels, kept, strict=True) if keep]
            level = 1.0 - (1.0 - LEVEL) / len(pairs)
            found.append(intervals.paired_difference(differences[kept], own, level=level))
    coverage = scored / total if total else 0.0
    if not found or len(found) < len(pairs):
        reason = "there are no differences" if not pairs else "of one difference no pair could be scored"
        return Estimate.unmeasured(evaluation, name, reason, unit="difference", coverage=coverage)
    return Estimate(
        evaluation=evaluation,
        name=name,
        value=max(one.value for one in found),
        low=max(one.low for one in found),
        high=max(one.high for one in found),
        n=scored,
        coverage=coverage,
        unit="difference",
        method=f"largest of {len(found)} differences, Bonferroni; each: {found[0].method}",
    )
