"""How a measurement moves over a family of models: its trend, and the rows of its curve."""

from collections.abc import Mapping, Sequence

import numpy as np

from gnomon.measure.evaluation import Series
from gnomon.stats.estimate import Estimate
from gnomon.stats.trend import estimate_trend
from gnomon.studies.bench import label


def named(estimate: Estimate, reference: str) -> Estimate:
    """The estimate with its model in its name: `base-30k/accuracy`."""
    return estimate.model_copy(update={"name": f"{label(reference)}/{estimate.name}"})


def trend_over_sizes(
    series: Mapping[str, Series], sizes: Mapping[str, int], *, evaluation: str, name: str, seed: int = 0
) -> Estimate:
    """The slope of a per-record value on log10 size, with the trend's verdict; records are paired over the models.

    Args:
        series: By model, the value of every record; all models on the same items, in the same order.
        sizes: By model, its parameters.
        evaluation: The instrument.
        name: The estimate's name.
        seed: Of the resampling.
    """
    models = list(series)
    values = np.array([_floats(series[model].values) for model in models])
    return estimate_trend(values, [sizes[model] for model in models], evaluation=evaluation, name=name, seed=seed)


def _floats(values: Sequence[float | int | bool | None]) -> list[float]:
    return [float("nan") if value is None else float(value) for value in values]
