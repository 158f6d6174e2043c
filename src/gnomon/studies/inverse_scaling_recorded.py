"""The recorded runs of the inverse-scaling pilot that bear on the paper's claims, where a mirror has them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gnomon.datasets.store import mirror_directory
from gnomon.measure.published import inverse_scaling as published
from gnomon.measure.published.formats import Recording
from gnomon.run.tables import record_table
from gnomon.stats.estimate import Estimate
from gnomon.stats.estimators import estimate_mean

DATASET = "inverse-scaling-pipeline"
BIASES = ("QA-v1-gpt3-new", "QA-v2-gpt3-instruct")
CONTROLS = ("lambada-1k_gpt3", "boolq-0shot-gpt3")
BASE, TUNED = "QA-v2-gpt3-abs", "QA-v2-gpt3-instruct"


@dataclass(frozen=True)
class RecordedRuns:
    """What recorded runs say.

    Attributes:
        biases: Of each recorded bias experiment the slope of minus the log-odds bias.
        controls: Of each recorded control the slope of minus the loss.
        steeper_by_tuning: Slope of minus absolute bias of the tuned family minus that of the base family, paired over items.
        folders: The experiments.
    """

    biases: Sequence[Estimate]
    controls: Sequence[Estimate]
    steeper_by_tuning: Estimate
    folders: Sequence[str]


def recorded_runs() -> RecordedRuns | None:
    """Reads the runs; None where there is no mirror that has all of them.

    Raises:
        DatasetError: They are there, and broken.
    """
    root = mirror_directory()
    folders = tuple(dict.fromkeys((*BIASES, *CONTROLS, BASE, TUNED)))
    if root is None or not all((root / DATASET / name).is_dir() for name in folders):
        return None
    at = root / DATASET
    base, tuned = (published.read(at / name, None) for name in (BASE, TUNED))
    return RecordedRuns(
        biases=[_trend(at, name) for name in BIASES],
        controls=[_trend(at, name) for name in CONTROLS],
        steeper_by_tuning=slope_difference(base, tuned),
        folders=folders,
    )


def slope_difference(base: Recording, tuned: Recording) -> Estimate:
    """The mean over the items of the slope of minus absolute bias of the second family minus that of the first.

    A slope is the least-squares one of an item's values on log10 parameters, so that the means' slope is the slopes' mean.
    """
    first, second = _item_slopes(base), _item_slopes(tuned)
    items = sorted(first.keys() | second.keys())
    differences = [
        None if (before := first.get(item)) is None or (after := second.get(item)) is None else after - before for item in items
    ]
    return estimate_mean(differences, items, evaluation=published.NAME, name="slope_tuned_minus_base", unit="difference")


def _item_slopes(recording: Recording) -> dict[str, float]:
    """By item the slope of minus absolute log-odds on log10 parameters; only items that every model has a value for."""
    values: dict[str, dict[float, float]] = {}
    sizes: set[float] = set()
    for record in recording.records:
        size = float(record.values["parameters"])
        sizes.add(size)
        found = record.values.get("absolute_logodds", record.values.get("logodds"))
        if record.status == "value" and found is not None:
            values.setdefault(record.cluster, {})[size] = -abs(float(found))
    x = np.log10(sorted(sizes))
    shares = (x - x.mean()) / np.sum((x - x.mean()) ** 2)
    return {
        item: float(shares @ np.array([of[size] for size in sorted(sizes)]))
        for item, of in values.items()
        if len(of) == len(sizes)
    }


def _trend(at: Path, name: str) -> Estimate:
    recording = published.read(at / name, None)
    found = next(each for each in published.analyse(record_table(recording.records)) if each.name == "trend")
    return found.model_copy(update={"name": f"{name}/trend"})
