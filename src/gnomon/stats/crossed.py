"""Means over a table of participants by questions, both of which are samples: five people on a hundred questions are neither 500
independent answers nor 100.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats as distributions

from gnomon.stats.estimate import Estimate, Unit
from gnomon.stats.estimators import from_interval
from gnomon.stats.intervals import LEVEL, Clusters, Interval, cluster_codes


def crossed_mean(values: ArrayLike, clusters: Clusters = None, *, level: float = LEVEL) -> Interval:
    """The mean of a table whose rows and columns are both drawn at random.

    The variance is that of both clusterings added, less that of the cells, which is in either (Cameron, Gelbach and Miller 2011,
    for two ways); its degrees of freedom follow Satterthwaite from those of rows and columns. Few participants therefore widen
    the interval as far as they differ from one another, and no further. With a single participant it speaks of that participant
    alone.

    Args:
        values: Shape (participants, questions); NaN: not scored.
        clusters: The cluster of each question (None: each its own).
        level: Confidence level.

    Returns:
        Value and interval; NaN ends where a single question or nothing is scored.
    """
    table = np.asarray(values, dtype=np.float64)
    scored = ~np.isnan(table)
    n = int(scored.sum())
    asked = scored.any(axis=0)
    codes, _ = cluster_codes(clusters, table.shape[1])
    participants, questions = int(scored.any(axis=1).sum()), np.unique(codes[asked]).size
    method = f"two-way clustered by {participants} participants and {questions:,} clusters of questions, t (Satterthwaite)"
    if n == 0:
        return Interval(float("nan"), float("nan"), float("nan"), 0, 0, method)
    mean = float(table[scored].mean())
    influence = np.where(scored, table - mean, 0.0) / n
    by_question = _variance(np.bincount(codes, weights=influence.sum(axis=0)), questions)
    by_participant = _variance(influence.sum(axis=1), participants) if participants > 1 else 0.0
    cells = _variance(influence[scored], n) if participants > 1 else 0.0
    excess = max(0.0, by_participant - cells)  # what participants differ beyond chance
    variance = by_question + excess
    if not np.isfinite(variance):
        return Interval(mean, float("nan"), float("nan"), n, questions, method)
    parts = [(by_question, questions - 1), (excess, participants - 1)]
    spread = sum(part**2 / freedom for part, freedom in parts if freedom > 0 and part > 0)
    freedom = variance**2 / spread if spread > 0 else questions - 1
    half = float(distributions.t.ppf(0.5 + level / 2, freedom) * np.sqrt(variance))
    return Interval(mean, mean - half, mean + half, n, questions, method)


def estimate_crossed(
    values: ArrayLike,
    clusters: Clusters = None,
    *,
    evaluation: str,
    name: str,
    total: int | None = None,
    within: tuple[float, float] = (0.0, 1.0),
    unit: Unit = "rate",
) -> Estimate:
    """`crossed_mean` as an Estimate.

    Args:
        values: As `crossed_mean`.
        clusters: As `crossed_mean`.
        evaluation: The instrument.
        name: The estimate's name.
        total: Cells that should be scored (None: all of the table).
        within: The possible range of a value, to which the interval is cut.
        unit: What it counts.
    """
    table = np.asarray(values, dtype=np.float64)
    cells = table.size if total is None else total
    found = crossed_mean(table, clusters)
    if found.n == 0:
        return Estimate.unmeasured(evaluation, name, f"none of {cells:,} answers is scored", unit=unit)
    cut = Interval(found.value, max(within[0], found.low), min(within[1], found.high), found.n, found.clusters, found.method)
    return from_interval(cut, total=cells, evaluation=evaluation, name=name, unit=unit, within=within)


def _variance(influences: np.ndarray, count: int) -> float:
    return float("inf") if count < 2 else float(count / (count - 1) * np.sum(influences**2))
