"""How the tasks of the inverse-scaling evaluation move with scale over a family of models, with a correction for many tasks.

Quality is minus the loss, the metric that such tasks declare, and beside it the accuracy: an accuracy may jump where the loss
moves steadily. Items of one cluster are averaged first, so that a cluster counts once however many items it has.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gnomon.measure.inverse_scaling_analysis import NAME, PLAIN, quality, tasks
from gnomon.stats.estimate import Estimate
from gnomon.stats.paired import holm
from gnomon.stats.trend import Trend, analyse_trend, estimate_trend

Floats = NDArray[np.float64]

_COLUMNS = {
    "classification": ("loss", -1.0, "minus loss"),
    "sequence_prob": ("sequence_loss", -1.0, "minus loss"),
    "logodds": ("logodds_difference", -1.0, "minus log-odds bias"),
    "absolute_logodds": ("absolute_logodds", -1.0, "minus absolute log-odds bias"),
}
"""Of each metric the column of the record table, the sign that makes it a quality, and its name."""


@dataclass(frozen=True)
class TaskTrend:
    """One task, or its plain version, over a family.

    Attributes:
        task: The task.
        plain: Whether this is its plain version.
        metric: How it is scored.
        trend: Of the declared metric: the slope of quality per tenfold size.
        accuracy: Of the accuracy, where the task has classes.
        p: P-value of no slope (None: it has none).
        adjusted: The same after Holm's correction over all tasks, plain versions apart.
        detectable: The slope that would be found four times out of five (None: not known).
        sizes: How many different sizes.
        items: How many items.
        clusters: How many independent ones.
    """

    task: str
    plain: bool
    metric: str
    trend: Estimate
    accuracy: Estimate | None
    p: float | None
    adjusted: float | None
    detectable: float | None
    sizes: int
    items: int
    clusters: int

    @property
    def verdict(self) -> str:
        """The trend's verdict; one that names a slope is withdrawn where the corrected p-value does not bear it."""
        found = self.trend.verdict or "cannot tell"
        directed = found in ("inverse", "positive")
        return "cannot tell" if directed and (self.adjusted is None or self.adjusted > 0.05) else found

    @property
    def power(self) -> str:
        """What this comparison could have seen, in a sentence."""
        if self.detectable is None:
            return f"{self.task}: what slope could have been seen is not known."
        version = "plain version of " if self.plain else ""
        return (
            f"{version}{self.task}: with {self.sizes} sizes and {self.items:,} items ({self.clusters:,} independent ones), a "
            f"slope smaller than {self.detectable:.2g} per tenfold size would be missed more often than one time in five."
        )


def task_trends(
    tables: Mapping[str, pl.DataFrame], sizes: Mapping[str, float], *, seed: int = 0, plain: bool = False
) -> list[TaskTrend]:
    """The trend of each task over a family, corrected for their number.

    Args:
        tables: By model, its record table.
        sizes: By model, its parameters or another positive measure of scale.
        seed: Of the resampling.
        plain: Whether the tasks' plain versions are meant.
    """
    order = sorted(tables, key=lambda model: sizes[model])
    metrics = tasks(next(iter(tables.values())))
    found: list[TaskTrend] = []
    for task, metric in metrics.items():
        column, sign, name = _COLUMNS[metric]
        values, items = values_by_cluster(tables, order, task, column, plain=plain)
        if not items:
            continue
        found.append(_of(task, metric, sign * values, items, [sizes[model] for model in order], name, seed, plain))
        if metric == "classification":
            right, _ = values_by_cluster(tables, order, task, "correct", plain=plain)
            estimate = estimate_trend(
                right,
                [sizes[model] for model in order],
                evaluation=NAME,
                name=f"accuracy_trend{PLAIN if plain else ''}_{task}",
                quality="accuracy",
                seed=seed,
            )
            found[-1] = replace(found[-1], accuracy=estimate)
    return _adjusted(found)


def values_by_cluster(
    tables: Mapping[str, pl.DataFrame], models: Sequence[str], task: str, column: str, *, plain: bool = False
) -> tuple[Floats, int]:
    """A column's means within the clusters, shape (models, clusters), NaN where nothing is scored; and the number of items."""
    rows = {model: quality(tables[model], task, column, plain=plain) for model in models}
    clusters = sorted({cluster for _, _, of in rows.values() for cluster in of})
    items = len({question for _, questions, _ in rows.values() for question in questions})
    found = np.full((len(models), len(clusters)), np.nan)
    for place, model in enumerate(models):
        values, _, of = rows[model]
        held: dict[str, list[float]] = {}
        for value, cluster in zip(values, of, strict=True):
            if value is not None:
                held.setdefault(cluster, []).append(float(value))
        for number, cluster in enumerate(clusters):
            if cluster in held:
                found[place, number] = math.fsum(held[cluster]) / len(held[cluster])
    return found, items


def _of(
    task: str, metric: str, values: Floats, items: int, sizes: Sequence[float], name: str, seed: int, plain: bool
) -> TaskTrend:
    label = f"trend{PLAIN if plain else ''}_{task}"
    estimate = estimate_trend(values, sizes, evaluation=NAME, name=label, quality=name, seed=seed)
    trend = _trend(values, sizes, seed)
    p = trend.p if trend and math.isfinite(trend.p) else None
    detectable = trend.detectable() if trend and math.isfinite(trend.error) else None
    return TaskTrend(task, plain, metric, estimate, None, p, None, detectable, len(set(sizes)), items, values.shape[1])


def _trend(values: Floats, sizes: Sequence[float], seed: int) -> Trend | None:
    kept = [place for place in range(len(sizes)) if not np.isnan(values[place]).all()]
    of = [sizes[place] for place in kept]
    return analyse_trend(values[kept], of, seed=seed) if len(set(of)) > 1 else None


def _adjusted(found: Sequence[TaskTrend]) -> list[TaskTrend]:
    tested = [one for one in found if one.p is not None]
    corrected = dict(zip((one.task for one in tested), holm([one.p for one in tested if one.p is not None]), strict=True))
    return [replace(one, adjusted=corrected.get(one.task)) for one in found]
