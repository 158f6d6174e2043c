"""Two audits on the same items, compared estimate by estimate: paired by cluster, and corrected for how many there are."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import polars as pl
from pydantic import BaseModel, ConfigDict

from gnomon.errors import ConfigurationError
from gnomon.measure import catalogue
from gnomon.measure.evaluation import Series
from gnomon.run.directory import RunDirectory
from gnomon.stats.estimate import Estimate
from gnomon.stats.estimators import estimate_contrast
from gnomon.stats.paired import holm, swap_test

Change = Literal["worse", "better", "changed", "no change", "cannot tell"]

ALPHA = 0.05


class Comparison(BaseModel):
    """One estimate in two runs.

    The difference's own numbers stand at the top level under the names of an estimate.

    Attributes:
        evaluation: The instrument.
        name: The estimate's name.
        before: In the first run.
        after: In the second.
        difference: After minus before, paired by cluster; its n is the number of pairs, of scored records of one cluster
            before and after. What has no partner counts in the value, not in n.
        p: Two-sided p-value of no difference: before and after swapped within clusters (`stats.paired.swap_test`).
        p_adjusted: The same after Holm's correction over all rows of the comparison.
        change: `worse` or `better` where the adjusted p-value is below 0.05 (`changed` where neither direction is harmful).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    evaluation: str
    name: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    coverage: float
    worst_low: float | None
    worst_high: float | None
    unit: str
    method: str
    reason: str | None
    before: Estimate
    after: Estimate
    difference: Estimate
    p: float | None = None
    p_adjusted: float | None = None
    change: Change = "cannot tell"


class CompareResult(BaseModel):
    """What `gnomon compare` prints.

    Attributes:
        before: The first audit's directory.
        after: The second's.
        comparisons: One per estimate that has paired records in both.
        left_out: By `evaluation.estimate`, why it was not compared.
    """

    model_config = ConfigDict(frozen=True)

    before: str
    after: str
    comparisons: list[Comparison]
    left_out: dict[str, str]


def compare_audits(before: Path, after: Path, also: Sequence[tuple[Comparison, int]] = ()) -> CompareResult:
    """Compares the saved tables and estimates of two audits.

    Args:
        before: The first audit's directory.
        after: The second's.
        also: Further comparisons that are judged together with these, each with its harm (+1: larger is worse, -1: smaller).

    Raises:
        RunDirectoryError: A directory holds no audit.
        ConfigurationError: The two audits share no evaluation, or not the same items.
    """
    first, second = RunDirectory.open(before), RunDirectory.open(after)
    estimates = [{(e.evaluation, e.name): e for e in run.read_estimates()} for run in (first, second)]
    rows: list[tuple[Comparison, int]] = []
    for evaluation in catalogue.names():
        if evaluation not in first.evaluations() or evaluation not in second.evaluations():
            continue
        tables = first.read_table(evaluation), second.read_table(evaluation)
        _check_same_items(evaluation, *tables)
        series = [catalogue.series(evaluation)(table) for table in tables]
        for name, a in series[0].items():
            key = (evaluation, name)
            if name in series[1] and key in estimates[0] and key in estimates[1]:
                change, p = _contrast(estimates[0][key], a, series[1][name])
                rows.append((compared(estimates[0][key], estimates[1][key], change, p), a.harm))
    if not rows:
        raise ConfigurationError(f"{before} and {after} share no evaluation: compare two audits of the same evaluations")
    compared_keys = {(row.evaluation, row.name) for row, _ in rows}
    return CompareResult(
        before=str(before),
        after=str(after),
        comparisons=_judged([*rows, *also]),
        left_out=_left_out(estimates[0], estimates[1], compared_keys),
    )


def check_baseline(baseline: Path, evaluations: Sequence[str]) -> None:
    """Refuses a baseline that nothing could be compared with, before anything is run.

    Raises:
        RunDirectoryError: The directory holds no finished audit.
        ConfigurationError: It has none of the evaluations.
    """
    there = RunDirectory.open(baseline).evaluations()
    if not set(there) & set(evaluations):
        raise ConfigurationError(
            f"the baseline {baseline} has none of {', '.join(evaluations)} (it has: {', '.join(there) or 'nothing'})"
        )


def _left_out(
    before: Mapping[tuple[str, str], Estimate], after: Mapping[tuple[str, str], Estimate], compared_keys: set[tuple[str, str]]
) -> dict[str, str]:
    """Why the other estimates of either audit have no comparison."""
    reasons: dict[str, str] = {}
    for evaluation, name in [*before, *(key for key in after if key not in before)]:
        key = (evaluation, name)
        if key in compared_keys:
            continue
        absent = "the second" if key not in after else "the first" if key not in before else ""
        reasons[f"{evaluation}.{name}"] = (
            f"{absent} audit has none" if absent else "it is no mean of records that could be paired"
        )
    return reasons


def compared(before: Estimate, after: Estimate, difference: Estimate, p: float | None) -> Comparison:
    """A comparison with its p-value, not yet corrected for its neighbours."""
    return Comparison(
        **difference.model_dump(exclude={"name", "evaluation", "verdict", "confidence"}),
        evaluation=before.evaluation,
        name=before.name,
        before=before,
        after=after,
        difference=difference,
        p=p,
    )


def _contrast(before: Estimate, first: Series, second: Series) -> tuple[Estimate, float | None]:
    """The difference of two means and its p-value; in conditional rates a cluster may have other records in the second."""
    change = estimate_contrast(
        [*first.values, *second.values],
        [False] * len(first.values) + [True] * len(second.values),
        [*first.clusters, *second.clusters],
        evaluation=before.evaluation,
        name=f"{before.name} difference",
        within=first.within,
        unit="nats" if before.unit == "nats" else "difference",
    )
    if change.value is None:
        return change, None
    sides = [_scored(one) for one in (first, second)]
    clusters = [Counter(side[1]) for side in sides]
    p = swap_test(sides[0][0], sides[1][0], sides[0][1], sides[1][1]).p
    return change.model_copy(update={"n": (clusters[0] & clusters[1]).total()}), p


def _scored(series: Series) -> tuple[list[float], list[str]]:
    pairs = [(value, cluster) for value, cluster in zip(series.values, series.clusters, strict=True) if value is not None]
    return [float(value) for value, _ in pairs], [cluster for _, cluster in pairs]


def _judged(rows: Sequence[tuple[Comparison, int]]) -> list[Comparison]:
    """The comparisons with Holm's correction over all of them and what each change means (row, harm)."""
    tested = [row.p for row, _ in rows if row.p is not None]
    adjusted = iter(holm(tested) if tested else [])
    results: list[Comparison] = []
    for row, harm in rows:
        p = next(adjusted) if row.p is not None else None
        results.append(row.model_copy(update={"p_adjusted": p, "change": _change(row.value, p, harm)}))
    return results


def _check_same_items(name: str, before: pl.DataFrame, after: pl.DataFrame) -> None:
    if before.select("item", "repeat").rows() != after.select("item", "repeat").rows():
        raise ConfigurationError(
            f"the two runs of {name} are not on the same items: compare audits with equal dataset, n, seed and repeats"
        )


def _change(value: float | None, p: float | None, harm: int) -> Change:
    if value is None or p is None:
        return "cannot tell"
    if p >= ALPHA:
        return "no change"
    if harm == 0:
        return "changed"
    return "worse" if value * harm > 0 else "better"
