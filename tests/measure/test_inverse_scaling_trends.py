"""Trends over families whose slope is known by construction: slope, verdict, interval and the correction for many tasks."""

from collections.abc import Sequence

import numpy as np
import polars as pl
import pytest

from gnomon.measure import catalogue
from gnomon.measure.audit import record
from gnomon.measure.inverse_scaling_trends import task_trends, values_by_cluster
from gnomon.models.references import open_model
from gnomon.models.sync import run
from gnomon.run.tables import record_table

SIZES = (10**5, 10**6, 10**7, 10**8, 10**9)


def family(rates: str, seed: int = 0, n: int = 80, sizes: Sequence[int] = SIZES, task: str = "repeat,negation,examples"):
    """Record tables of a scripted family whose rate moves by size, and the sizes."""
    evaluation = catalogue.build("inverse-scaling", n=n, seed=seed, task=task)
    models = [open_model(f"scripted/misled?{rates}&size={size}&seed={seed}") for size in sizes]
    tables = {model.reference: record_table(run(record(model, evaluation))) for model in models}
    return tables, {model.reference: float(size) for model, size in zip(models, sizes, strict=True)}


def test_the_slope_and_the_verdict_are_those_that_were_built_in() -> None:
    inside = 0
    for seed in range(12):
        tables, sizes = family("rate=0.3&slope=0.2&accuracy=0.9", seed)  # rates 0.1 to 0.9: accuracy 0.81 to 0.09
        for one in task_trends(tables, sizes):
            assert one.verdict == "inverse"
            assert one.accuracy is not None
            assert one.accuracy.low is not None
            assert one.accuracy.high is not None
            assert one.adjusted is not None
            assert one.p is not None
            assert one.p <= one.adjusted < 0.05
            inside += one.accuracy.low <= -0.18 <= one.accuracy.high
    assert inside >= 30  # of 36


def test_a_family_that_gets_better_and_one_that_stays() -> None:
    tables, sizes = family("rate=0.5&slope=-0.12&accuracy=0.9")
    assert {one.verdict for one in task_trends(tables, sizes)} == {"positive"}
    assert all(one.verdict in ("flat", "cannot tell") for one in task_trends(tables, sizes, plain=True))
    still, sizes = family("rate=0.4&accuracy=0.9")
    assert not {one.verdict for one in task_trends(still, sizes)} & {"inverse", "positive"}  # one organism under five sizes


def test_three_sizes_cannot_tell() -> None:
    tables, sizes = family("rate=0.5&slope=0.2&accuracy=0.9", sizes=SIZES[:3], n=40)
    assert {one.verdict for one in task_trends(tables, sizes)} == {"cannot tell"}


def test_a_direction_is_withdrawn_where_the_corrected_p_value_does_not_bear_it() -> None:
    rng = np.random.default_rng(3)
    found = {"inverse": 0, "positive": 0}
    for _ in range(20):  # nothing happens in any of six tasks
        tables = {f"m{size}": noise(rng, size) for size in SIZES}
        for one in task_trends(tables, {f"m{size}": float(size) for size in SIZES}):
            if one.verdict in found:
                found[one.verdict] += 1
    assert sum(found.values()) <= 4


def noise(rng: np.random.Generator, size: int) -> pl.DataFrame:
    rows = [
        {
            "item": f"task{task}:{number}",
            "cluster": f"{task}/{number}",
            "repeat": 0,
            "status": "value",
            "reason": None,
            "metric": "classification",
            "loss": float(rng.gamma(1.0)),
            "correct": bool(rng.random() < 0.5),
        }
        for task in range(6)
        for number in range(40)
    ]
    return pl.DataFrame(rows)


def test_a_cluster_counts_once_however_many_items_it_has() -> None:
    rows = [
        {
            "item": f"t:{item}",
            "cluster": cluster,
            "repeat": 0,
            "status": status,
            "reason": None,
            "metric": "classification",
            "loss": loss,
        }
        for item, cluster, status, loss in [
            ("1", "a", "value", 1.0),
            ("2", "a", "value", 3.0),
            ("3", "b", "value", 5.0),
            ("4", "c", "unscored", None),
        ]
    ]
    values, items = values_by_cluster({"m": pl.DataFrame(rows)}, ["m"], "t", "loss")
    assert items == 4
    assert values[0, :2].tolist() == [2.0, 5.0]
    assert np.isnan(values[0, 2])


def test_the_power_sentence_names_sizes_items_and_slope() -> None:
    tables, sizes = family("rate=0.3&slope=0.1&accuracy=0.9", n=40, task="repeat")
    (one,) = task_trends(tables, sizes)
    assert one.power.startswith("repeat: with 5 sizes and 40 items (40 independent ones), a slope smaller than 0.")
    assert one.detectable == pytest.approx(2.8 * (one.trend.high - one.trend.low) / 3.92, rel=0.25)  # type: ignore[operator]
