"""From calibration records to estimates and reliability diagrams; the definitions are in `gnomon.measure.calibration`."""

import math
from itertools import chain
from string import ascii_uppercase

import numpy as np
import polars as pl

from gnomon.measure.evaluation import Series
from gnomon.measure.parts import Part, Values, part
from gnomon.report.figure import Figure
from gnomon.report.figures import reliability
from gnomon.stats import calibration
from gnomon.stats.calibration import ReliabilityBin, estimate_brier, estimate_ece, estimate_rms
from gnomon.stats.discrimination import estimate_auroc, estimate_selective_gain
from gnomon.stats.estimate import Estimate
from gnomon.stats.estimators import estimate_difference, estimate_mean, estimate_rate
from gnomon.stats.temperature import cross_validated_temperature, estimate_temperature

NAME = "calibration"
HEADLINE = "overconfidence"
FOLDS = 5


def analyse(table: pl.DataFrame) -> list[Estimate]:
    """All estimates, the headline first; parts that were not run give none."""
    choice, none = part(table, "choice"), part(table, "none_of_the_above")
    given, own = part(table, "true_false"), part(table, "p_true")
    found: list[Estimate] = []
    if choice.rows:
        found += _choice_estimates(choice)
    if none.rows:
        found += _none_estimates(choice, none)
    if given.rows:
        found.append(estimate_rate(given["correct"], given.clusters, evaluation=NAME, name="true_false_accuracy"))
        found += _truth_estimates(given, "true_false")
    if own.rows:
        found.append(estimate_rate(own["true"], own.clusters, evaluation=NAME, name="p_true_sample_accuracy"))
        found += _truth_estimates(own, "p_true")
        found.append(
            estimate_selective_gain(own["p_true"], own["true"], own.clusters, evaluation=NAME, name="p_true_selective_gain")
        )
    everything = (choice, none, given, own)
    masses = list(chain.from_iterable(one["mass"] for one in everything))
    clusters = list(chain.from_iterable(one.clusters for one in everything))
    found.append(estimate_mean(masses, clusters, evaluation=NAME, name="letter_mass", within=(0.0, 1.0), unit="probability"))
    return found


def _choice_estimates(choice: Part) -> list[Estimate]:
    confidence, correct, clusters = choice["confidence"], choice["correct"], choice.clusters
    return [
        estimate_difference(correct, confidence, clusters, evaluation=NAME, name=HEADLINE),
        estimate_rate(correct, clusters, evaluation=NAME, name="accuracy"),
        estimate_mean(confidence, clusters, evaluation=NAME, name="confidence", within=(0.0, 1.0), unit="probability"),
        estimate_ece(confidence, correct, clusters, evaluation=NAME),
        estimate_ece(confidence, correct, clusters, evaluation=NAME, name="ece_debiased", debiased=True),
        estimate_rms(confidence, correct, clusters, evaluation=NAME),
        estimate_brier(confidence, correct, clusters, evaluation=NAME),
        estimate_auroc(confidence, correct, clusters, evaluation=NAME),
        _temperature(choice),
        _all_options(choice),
    ]


def _none_estimates(choice: Part, none: Part) -> list[Estimate]:
    before, after = choice.beside(none)
    return [
        estimate_difference(
            before["correct"],
            after["correct"],
            after.clusters,
            evaluation=NAME,
            name="none_of_the_above_accuracy_change",
        ),
        estimate_ece(none["confidence"], none["correct"], none.clusters, evaluation=NAME, name="none_of_the_above_ece"),
        estimate_difference(
            none["chose_last"],
            none["right_is_last"],
            none.clusters,
            evaluation=NAME,
            name="none_of_the_above_underuse",
        ),
    ]


def _truth_estimates(records: Part, prefix: str) -> list[Estimate]:
    stated, true, clusters = records["p_true"], records["true"], records.clusters
    return [
        estimate_auroc(stated, true, clusters, evaluation=NAME, name=f"{prefix}_auroc"),
        estimate_brier(stated, true, clusters, evaluation=NAME, name=f"{prefix}_brier"),
        estimate_ece(stated, true, clusters, evaluation=NAME, name=f"{prefix}_ece"),
    ]


def _temperature(choice: Part) -> Estimate:
    rows = [row for row in choice.rows if row["status"] == "value" and row.get("probabilities")]
    clusters = [row["cluster"] for row in rows]
    if len(set(clusters)) < FOLDS:
        reason = f"a temperature is fitted and checked on {FOLDS} folds, which need as many questions"
        return Estimate.unmeasured(NAME, "temperature", reason, unit="score")
    most = max(len(row["probabilities"]) for row in rows)
    logits = np.full((len(rows), most), -np.inf)
    for place, row in enumerate(rows):
        logits[place, : len(row["probabilities"])] = [math.log(max(p, 1e-300)) for p in row["probabilities"]]
    answers = [ascii_uppercase.index(row["answer"]) for row in rows]
    fit = cross_validated_temperature(logits, answers, clusters, folds=FOLDS)
    return estimate_temperature(fit, total=len(choice.rows), evaluation=NAME)


def _all_options(choice: Part) -> Estimate:
    stated, right, clusters = _options(choice)
    return estimate_ece(stated, right, clusters, evaluation=NAME, name="ece_all_options")


def _options(choice: Part) -> tuple[Values, Values, list[str]]:
    """Every option's probability and whether it is the right one; an unscored question stays in as one unscored option."""
    stated: Values = []
    right: Values = []
    clusters: list[str] = []
    for row in choice.rows:
        probabilities = row.get("probabilities") if row["status"] == "value" else None
        for index, probability in enumerate(probabilities or [None]):
            stated.append(probability)
            right.append(None if probability is None else index == ascii_uppercase.index(row["answer"]))
            clusters.append(row["cluster"])
    return stated, right, clusters


def series(table: pl.DataFrame) -> dict[str, Series]:
    """What two runs are compared by; ECE and AUROC are no means of records and have no paired series."""
    choice, given = part(table, "choice"), part(table, "true_false")
    gaps: Values = [
        None if None in pair else pair[0] - int(pair[1]) for pair in zip(choice["confidence"], choice["correct"], strict=True)
    ]
    brier: Values = [None if gap is None else gap * gap for gap in gaps]
    found = {
        HEADLINE: Series(gaps, choice.clusters, within=(-1.0, 1.0), harm=1),
        "accuracy": Series(choice["correct"], choice.clusters, harm=-1),
        "brier": Series(brier, choice.clusters, harm=1),
    }
    if given.rows:
        found["true_false_accuracy"] = Series(given["correct"], given.clusters, harm=-1)
    return found


def figures(table: pl.DataFrame) -> list[Figure]:
    """Reliability diagrams: of top choices and stated truths in one; all options are another object and have their own."""
    choice = part(table, "choice")
    given, own = part(table, "true_false"), part(table, "p_true")
    stated: dict[str, tuple[Values, Values, list[str]]] = {
        "top choice": (choice["confidence"], choice["correct"], choice.clusters),
        "true/false": (given["p_true"], given["true"], given.clusters),
        "P(True) of own samples": (own["p_true"], own["true"], own.clusters),
    }
    drawn = [
        reliability({name: found for name, columns in stated.items() if (found := _bins(*columns))}),
        reliability({"all options": _bins(*_options(choice))}, name="reliability_all_options", title="Reliability, all options"),
    ]
    return [figure for figure in drawn if figure]


def _bins(stated: Values, right: Values, clusters: list[str]) -> list[ReliabilityBin]:
    kept = [place for place, pair in enumerate(zip(stated, right, strict=True)) if None not in pair]
    if not kept:
        return []
    return calibration.reliability(
        [stated[place] for place in kept], [right[place] for place in kept], [clusters[place] for place in kept]
    )
