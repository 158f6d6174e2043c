"""How much the calibration error of top predictions differs between two conditions on the same questions."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from gnomon.stats.calibration import BINS, ece
from gnomon.stats.estimate import Estimate
from gnomon.stats.estimators import estimate_statistic
from gnomon.stats.intervals import Floats


class Stated(NamedTuple):
    """Probabilities and whether each came true, [n] each."""

    probabilities: Sequence[float]
    correct: Sequence[float | bool]


def estimate_ece_change(
    first: tuple[Sequence[float], Sequence[float | bool]],
    second: tuple[Sequence[float], Sequence[float | bool]],
    clusters: Sequence[str],
    *,
    total: int,
    evaluation: str,
    name: str,
    bins: int = BINS,
    seed: int = 0,
    resamples: int = 1000,
) -> Estimate:
    """ECE of the second minus ECE of the first, over pairs; whole clusters are resampled together.

    Noise makes both errors larger alike, so that the difference is much less biased than either.

    Args:
        first: Probabilities and outcomes, in the order of the clusters.
        second: Those of the same questions in the other condition.
        clusters: One label per question.
        total: Questions that should have been scored.
        evaluation: The instrument.
        name: The estimate's name.
        bins: Number of equal-mass bins.
        seed: Seed of the resampling.
        resamples: Number of resamples.
    """
    if len(clusters) < bins:
        reason = f"{len(clusters):,} scored questions are fewer than the {bins} bins"
        coverage = len(clusters) / total if total else 0.0
        return Estimate.unmeasured(evaluation, name, reason, unit="difference", coverage=coverage)
    before, after = (
        (np.asarray(p, dtype=np.float64), np.asarray(y, dtype=np.float64)) for p, y in (Stated(*first), Stated(*second))
    )

    def difference(counts: Floats) -> float:
        times = counts.astype(np.intp)
        if times.sum() < bins:
            return float("nan")
        return ece(after[0].repeat(times), after[1].repeat(times), bins) - ece(
            before[0].repeat(times), before[1].repeat(times), bins
        )

    return estimate_statistic(
        lambda weights: np.array([difference(row) for row in weights]),
        clusters,
        total=total,
        evaluation=evaluation,
        name=name,
        seed=seed,
        resamples=resamples,
        within=(-1.0, 1.0),
        unit="difference",
    )
