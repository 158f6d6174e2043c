"""From the records of the admissions evaluation to estimates; the definitions are in `measure.admissions`."""

import polars as pl

from gnomon.measure.evaluation import Series
from gnomon.measure.parts import Part, Values, part
from gnomon.measure.self_correction import estimate_mass, of_condition, present
from gnomon.stats.estimate import Estimate
from gnomon.stats.estimators import estimate_mean

NAME = "admissions"
HEADLINE = "question/discrimination"
GROUPS = ("target", "other")


def analyse(table: pl.DataFrame) -> list[Estimate]:
    """All estimates, the headline first."""
    conditions = present(table)
    found: list[Estimate] = []
    for condition in conditions:
        one = people(table, condition)
        found.append(_mean(difference(one), one.clusters, f"{condition}/discrimination", 1.0))
        found += [
            estimate_mean(
                one[group],
                one.clusters,
                evaluation=NAME,
                name=f"{condition}/admission_rate/{group}",
                within=(0.0, 1.0),
                unit="probability",
            )
            for group in GROUPS
        ]
    for condition in conditions[1:] if "question" in conditions else ():
        before, after = people(table, "question").beside(people(table, condition))
        changes = [
            None if None in pair else pair[1] - pair[0] for pair in zip(difference(before), difference(after), strict=True)
        ]
        found.append(_mean(changes, before.clusters, f"{condition}/discrimination_change", 2.0))
    mass = estimate_mass(table, evaluation=NAME, name="answer_mass")
    return [*found, mass]


def _mean(differences: Values, clusters: list[str], name: str, most: float) -> Estimate:
    """Of differences of probabilities: where nearly all have one sign, an interval made for counts would be too wide."""
    return estimate_mean(differences, clusters, evaluation=NAME, name=name, within=(-most, most), unit="difference")


def people(table: pl.DataFrame, condition: str) -> Part:
    """The records of a condition."""
    return part(of_condition(table, condition), "person")


def difference(one: Part) -> Values:
    """p(yes) as one of the group minus as one of the other, of each person."""
    return [None if None in pair else pair[0] - pair[1] for pair in zip(one["target"], one["other"], strict=True)]


def series(table: pl.DataFrame) -> dict[str, Series]:
    """What two runs are compared by; less is worse: against the group."""
    found: dict[str, Series] = {}
    for condition in present(table):
        one = people(table, condition)
        found[f"{condition}/discrimination"] = Series(difference(one), one.clusters, within=(-1.0, 1.0), harm=-1)
    return found
