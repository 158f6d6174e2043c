"""From calibration records to estimates and reliability diagrams; the definitions are in `gnomon.measure.calibration`."""

import math
from collections.abc import Mapping, Sequence
from itertools import chain
from string import ascii_uppercase
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gnomon.measure.evaluation import Series
from gnomon.measure.parts import Part, Values, part
from gnomon.report.figure import Figure
from gnomon.report.figures import reliability
from gnomon.stats import calibration
from gnomon.stats.calibration import ReliabilityBin, estimate_brier, estimate_ece, estimate_rms
from gnomon.stats.calibration_change import estimate_ece_change
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
    texts, beside = part(table, "option_text"), part(table, "p_true_comparison")
    if texts.rows:
        found += _text_estimates(choice, texts)
    if beside.rows:
        found += _comparison_estimates(beside)
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
        *_temperature(choice),
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


def _temperature(choice: Part) -> list[Estimate]:
    """The temperature, and what it is worth on questions that it was not fitted to."""
    rows = [row for row in choice.rows if row["status"] == "value" and row.get("probabilities")]
    clusters = [row["cluster"] for row in rows]
    names = ("temperature", "ece_at_temperature", "ece_change_at_temperature")
    if len(set(clusters)) < FOLDS:
        reason = f"a temperature is fitted and checked on {FOLDS} folds, which need as many questions"
        return [Estimate.unmeasured(NAME, name, reason, unit="score") for name in names]
    logits, answers = letter_logits(rows)
    fit = cross_validated_temperature(logits, answers, clusters, folds=FOLDS)
    found = estimate_temperature(fit, total=len(choice.rows), evaluation=NAME)
    if found.value is None:
        return [found, *(Estimate.unmeasured(NAME, name, found.reason or "", unit="score") for name in names[1:])]
    top, right = calibration.top_predictions(fit.probabilities, answers)
    before = [row["confidence"] for row in rows], [row["correct"] for row in rows]
    after = top.tolist(), right.tolist()
    return [
        found,
        estimate_ece(*after, clusters, evaluation=NAME, name=names[1]),
        estimate_ece_change(before, after, clusters, total=len(choice.rows), evaluation=NAME, name=names[2]),
    ]


def letter_logits(rows: Sequence[Mapping[str, Any]]) -> tuple[NDArray[np.float64], list[int]]:
    """Log-probabilities of the letters [questions, options], -inf where a question has fewer, and the right ones' indices."""
    most = max(len(row["probabilities"]) for row in rows)
    logits = np.full((len(rows), most), -np.inf)
    for place, row in enumerate(rows):
        logits[place, : len(row["probabilities"])] = [math.log(max(p, 1e-300)) for p in row["probabilities"]]
    return logits, [ascii_uppercase.index(row["answer"]) for row in rows]


def _text_estimates(choice: Part, texts: Part) -> list[Estimate]:
    found = [
        estimate_rate(texts["correct"], texts.clusters, evaluation=NAME, name="option_text_accuracy"),
        estimate_ece(texts["confidence"], texts["correct"], texts.clusters, evaluation=NAME, name="option_text_ece"),
    ]
    if choice.rows:
        before, after = choice.beside(texts)
        columns = [one[name] for one in (before, after) for name in ("confidence", "correct")]
        kept = [place for place, row in enumerate(zip(*columns, strict=True)) if None not in row]
        first, right, second, after_right = ([column[place] for place in kept] for column in columns)
        clusters = [after.clusters[place] for place in kept]
        name = "option_text_ece_change"
        change = estimate_ece_change(
            (first, right), (second, after_right), clusters, total=len(after.rows), evaluation=NAME, name=name
        )
        found.append(change)
    return found


def _comparison_estimates(beside: Part) -> list[Estimate]:
    stated, alone, true, clusters = beside["p_true"], beside["p_true_alone"], beside["true"], beside.clusters

    def squares(probabilities: Values) -> Values:
        return [None if None in pair else (pair[0] - pair[1]) ** 2 for pair in zip(probabilities, true, strict=True)]

    return [
        estimate_auroc(stated, true, clusters, evaluation=NAME, name="comparison_auroc"),
        estimate_brier(stated, true, clusters, evaluation=NAME, name="comparison_brier"),
        estimate_difference(squares(alone), squares(stated), clusters, evaluation=NAME, name="comparison_brier_change"),
    ]


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
    none, texts, beside = (part(table, name) for name in ("none_of_the_above", "option_text", "p_true_comparison"))
    stated: dict[str, tuple[Values, Values, list[str]]] = {
        "top choice": (choice["confidence"], choice["correct"], choice.clusters),
        "true/false": (given["p_true"], given["true"], given.clusters),
        "P(True) of own samples": (own["p_true"], own["true"], own.clusters),
    }
    others: dict[str, tuple[Values, Values, list[str]]] = {
        "none of the above": (none["confidence"], none["correct"], none.clusters),
        "option texts": (texts["confidence"], texts["correct"], texts.clusters),
        "P(True) beside other samples": (beside["p_true"], beside["true"], beside.clusters),
    }
    drawn = [
        reliability({name: found for name, columns in stated.items() if (found := _bins(*columns))}),
        reliability(
            {name: found for name, columns in others.items() if (found := _bins(*columns))},
            name="reliability_other_formats",
            title="Reliability, other formats",
        ),
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
