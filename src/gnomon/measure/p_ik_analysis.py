"""From P(IK) records to estimates and figures; what is asked is in `gnomon.measure.p_ik`.

Per question, *share right* is the share of right answers among the judged samples, the ground truth of P(IK); a question is
*known* where it is above one half (2207.05221). Estimates of the out-of-distribution task have `ood_` before their names.

| estimate | definition |
|---|---|
| `overconfidence` | mean of P(IK) - share right |
| `p_ik`, `ground_truth` | mean P(IK); mean share right |
| `known` | share of the questions that are known |
| `auroc` | P(IK) telling known questions from others |
| `brier` | mean of (P(IK) - known)^2 |
| `ece`, `ece_debiased` | P(IK) against share right, 10 equal-mass bins; plain, and median-unbiased |
| `agreement` | probability that two samples of a question say the same (pairs of samples) |
| `agreement_auroc` | that, telling known questions from others: a baseline that needs no weights |
| `entropy_auroc`, `loss_auroc` | the same of the mean of -log P(answer), and of the mean token loss of the T = 0 answer, turned |
| `p_ik_<group>`, `ground_truth_<group>` | by how often the documents show the fact |
| `material_gain`, `irrelevant_gain` | P(IK) with a text that states the answer, or with another one, minus without |
| `material_gain_unknown`, ... | the same over questions that are not known without it |
| `material_accuracy_gain`, ... | the same of the share right |
| `good_hint_gain`, `bad_hint_gain`, `distracting_hint_gain` | P(IK) with a hint minus without, over all fractions |
| `good_hint_accuracy_gain`, ... | the same of the share right |
| `good_minus_bad_hint` | P(IK) with a right hint minus with a wrong one of the same length |
| `hint_slope` | slope of P(IK) on the share of the solution that is given away, from none on; per question |
"""

from collections.abc import Sequence
from itertools import chain

import numpy as np
import polars as pl

from gnomon.measure.evaluation import Series
from gnomon.measure.parts import Part, Values, part
from gnomon.report.figure import Figure
from gnomon.report.figures import reliability
from gnomon.report.histogram import histogram
from gnomon.report.shares import ShareReading, share_curves
from gnomon.stats import calibration
from gnomon.stats.calibration import ReliabilityBin, estimate_brier, estimate_ece
from gnomon.stats.discrimination import estimate_auroc
from gnomon.stats.estimate import Estimate
from gnomon.stats.estimators import estimate_difference, estimate_mean, estimate_rate

NAME = "p-ik"
HEADLINE = "overconfidence"
FREQUENCIES = ("common", "rare", "never")
HINTS = ("good_hint", "bad_hint", "distracting_hint")
CONTEXTS = ("material", "irrelevant", *HINTS)


def analyse(table: pl.DataFrame) -> list[Estimate]:
    """All estimates, the headline first; parts that were not run give none."""
    found: list[Estimate] = []
    for name, prefix in (("test", ""), ("ood", "ood_")):
        records = part(table, name)
        if records.rows:
            found += _of_questions(records, prefix)
    for frequency in FREQUENCIES:
        found += _of_group(table, frequency)
    found += _of_contexts(table)
    return [_explained(one, table) for one in found]


def _of_questions(records: Part, prefix: str) -> list[Estimate]:
    stated, share, clusters = records["p_ik"], records["truth"], records.clusters
    known = _known(share)

    def named(name: str) -> str:
        return f"{prefix}{name}"

    found = [
        estimate_difference(share, stated, clusters, evaluation=NAME, name=named(HEADLINE)),
        estimate_mean(stated, clusters, evaluation=NAME, name=named("p_ik"), within=(0.0, 1.0), unit="probability"),
        estimate_mean(share, clusters, evaluation=NAME, name=named("ground_truth"), within=(0.0, 1.0), unit="probability"),
        estimate_rate(known, clusters, evaluation=NAME, name=named("known")),
        estimate_auroc(stated, known, clusters, evaluation=NAME, name=named("auroc")),
        estimate_brier(stated, known, clusters, evaluation=NAME, name=named("brier")),
        *(_ece(records, named(name), debiased=name != "ece") for name in ("ece", "ece_debiased")),
        estimate_mean(
            records["agreement"], clusters, evaluation=NAME, name=named("agreement"), within=(0.0, 1.0), unit="probability"
        ),
    ]
    baselines = (("agreement", 1), ("entropy", -1), ("greedy_loss", -1))
    for column, sign in baselines:
        values: Values = [None if value is None else sign * value for value in records[column]]
        name = "loss" if column == "greedy_loss" else column
        found.append(estimate_auroc(values, known, clusters, evaluation=NAME, name=named(f"{name}_auroc")))
    return found


def _ece(records: Part, name: str, *, debiased: bool) -> Estimate:
    """Calibration error over the single answers, so that their noise is known; intervals resample whole questions."""
    stated, right, clusters = _single_answers(records)
    found = estimate_ece(stated, right, clusters, evaluation=NAME, name=name, debiased=debiased)
    scored = sum(value is not None for value in records["p_ik"])
    coverage = scored / len(records.rows)
    if found.value is None:
        return found.model_copy(update={"coverage": coverage})
    # What chance alone would show is known for independent answers only, and a question's answers are not.
    method = f"{found.method.partition('; a perfectly')[0].replace('top predictions', 'single answers')}, {scored:,} questions"
    return found.model_copy(update={"n": scored, "coverage": coverage, "method": method})


def _single_answers(records: Part) -> tuple[Values, Values, list[str]]:
    """P(IK), whether right, and cluster of every judged answer; an unscored question stays in as one unscored answer."""
    stated: Values = []
    right: Values = []
    clusters: list[str] = []
    for row in records.rows:
        scored = row["status"] == "value" and row.get("p_ik") is not None and row.get("judged")
        outcomes = [place < row["right"] for place in range(row["judged"])] if scored else [None]
        right += outcomes
        stated += [row["p_ik"] if scored else None] * len(outcomes)
        clusters += [row["cluster"]] * len(outcomes)
    return stated, right, clusters


def _known(share: Values) -> Values:
    return [None if value is None else value > 0.5 for value in share]


def _of_group(table: pl.DataFrame, group: str) -> list[Estimate]:
    rows = [row for name in ("test", "ood") for row in part(table, name).rows if row.get("group") == group]
    if not rows:
        return []
    records = Part(rows)
    return [
        estimate_mean(
            records[column], records.clusters, evaluation=NAME, name=f"{name}_{group}", within=(0.0, 1.0), unit="probability"
        )
        for name, column in (("p_ik", "p_ik"), ("ground_truth", "truth"))
    ]


def _of_contexts(table: pl.DataFrame) -> list[Estimate]:
    found: list[Estimate] = []
    for condition in CONTEXTS:
        pairs = [beside for _, own in _fractions(table, condition) for beside in _bare(table, own)]
        if not pairs:
            continue
        clusters = list(chain.from_iterable(own.clusters for _, own in pairs))
        bare_p_ik, bare_share = (_joined([bare for bare, _ in pairs], column) for column in ("p_ik", "truth"))
        own_p_ik, own_share = (_joined([own for _, own in pairs], column) for column in ("p_ik", "truth"))
        unknown = [place for place, share in enumerate(bare_share) if share is not None and share <= 0.5]
        found.append(_gain(bare_p_ik, own_p_ik, clusters, f"{condition}_gain"))
        found.append(_gain(bare_share, own_share, clusters, f"{condition}_accuracy_gain"))
        if unknown:
            before, after, some = ([column[place] for place in unknown] for column in (bare_p_ik, own_p_ik, clusters))
            found.append(_gain(before, after, some, f"{condition}_gain_unknown"))
    good, bad = dict(_fractions(table, "good_hint")), dict(_fractions(table, "bad_hint"))
    both = [bad[fraction].beside(good[fraction]) for fraction in sorted(good.keys() & bad.keys())]
    if both:
        wrong, right = (_joined([pair[place] for pair in both], "p_ik") for place in (0, 1))
        clusters = list(chain.from_iterable(one.clusters for one, _ in both))
        found.append(_gain(wrong, right, clusters, "good_minus_bad_hint"))
    if good:
        slopes, clusters = hint_slopes(table)
        found.append(estimate_mean(slopes, clusters, evaluation=NAME, name="hint_slope"))
    return found


def _joined(parts: Sequence[Part], column: str) -> Values:
    return [value for one in parts for value in one[column]]


def _gain(before: Values, after: Values, clusters: list[str], name: str) -> Estimate:
    return estimate_difference(before, after, clusters, evaluation=NAME, name=name)


def _fractions(table: pl.DataFrame, condition: str) -> list[tuple[float, Part]]:
    """The condition's records by fraction, ascending; 0 where it has none."""
    prefixes = {item.partition(":")[0] for item in table["item"].to_list()}
    found = [(0.0, part(table, condition))] if condition in prefixes else []
    hinted = [prefix for prefix in prefixes if prefix.startswith(f"{condition}_")]
    found += [(float(prefix.removeprefix(f"{condition}_")), part(table, prefix)) for prefix in hinted]
    return sorted(found, key=lambda one: one[0])


def _bare(table: pl.DataFrame, own: Part) -> list[tuple[Part, Part]]:
    """The same questions without anything in context, beside those with it."""
    wanted = set(own.keys)
    rows = [row for name in ("test", "ood") for row in part(table, name).rows if (row["question"], row["repeat"]) in wanted]
    return [Part(rows).beside(own)] if rows else []


def hint_slopes(table: pl.DataFrame) -> tuple[Values, list[str]]:
    """Per question the least-squares slope of P(IK) on the share of the solution given away, 0 among the shares."""
    seen: dict[tuple[str, int], list[tuple[float, float | None]]] = {}
    clusters: dict[tuple[str, int], str] = {}
    hinted = _fractions(table, "good_hint")
    for fraction, own in hinted:
        for row in own.rows:
            key = (row["question"], row["repeat"])
            clusters[key] = row["cluster"]
            seen.setdefault(key, []).append((fraction, _value(row)))
    for name in ("test", "ood"):
        for row in part(table, name).rows:
            key = (row["question"], row["repeat"])
            if key in seen:
                seen[key].append((0.0, _value(row)))
    slopes: Values = []
    for points in seen.values():
        values = [value for _, value in points]
        x = np.array([fraction for fraction, _ in points]) - np.mean([fraction for fraction, _ in points])
        whole = len(points) == len(hinted) + 1 and None not in values
        slopes.append(float(x @ np.array(values, dtype=float) / (x @ x)) if whole else None)
    return slopes, [clusters[key] for key in seen]


def _value(row: dict[str, object]) -> float | None:
    found = row.get("p_ik") if row["status"] == "value" else None
    return float(found) if isinstance(found, int | float) else None


def _explained(estimate: Estimate, table: pl.DataFrame) -> Estimate:
    """An estimate of P(IK) that was not measured says why there was no P(IK)."""
    if estimate.value is not None or "no_p_ik" not in table.columns:
        return estimate
    whys = [why for why in table["no_p_ik"].to_list() if why]
    rests_on_samples = any(
        word in estimate.name for word in ("ground_truth", "known", "agreement", "accuracy", "entropy", "loss")
    )
    if not whys or rests_on_samples or table["p_ik"].drop_nulls().len():
        return estimate
    return estimate.model_copy(update={"reason": whys[0]})


def series(table: pl.DataFrame) -> dict[str, Series]:
    """What two runs are compared by."""
    records = part(table, "test")
    stated, share = records["p_ik"], records["truth"]
    gaps: Values = [None if None in pair else pair[0] - pair[1] for pair in zip(stated, share, strict=True)]
    brier: Values = [
        None if None in pair else (pair[0] - float(pair[1])) ** 2 for pair in zip(stated, _known(share), strict=True)
    ]
    return {
        HEADLINE: Series(gaps, records.clusters, within=(-1.0, 1.0), harm=1),
        "ground_truth": Series(share, records.clusters, harm=-1),
        "brier": Series(brier, records.clusters, harm=1),
    }


def figures(table: pl.DataFrame) -> list[Figure]:
    """Reliability in and out of distribution, P(IK) by group, and with hints."""
    parts = {"in distribution": part(table, "test"), "out of distribution": part(table, "ood")}
    bins = {name: drawn for name, records in parts.items() if (drawn := reliability_bins(records))}
    drawn = [
        reliability(bins, name="p_ik_reliability", title="P(IK) against the share of right answers") if bins else None,
        histogram(
            p_ik_by_group(table), name="p_ik_by_group", title="P(IK) by how often the documents show the fact", x_title="P(IK)"
        ),
        hint_figure(table),
    ]
    return [figure for figure in drawn if figure]


def hint_figure(table: pl.DataFrame) -> Figure | None:
    """Mean P(IK) by the share of a solution that a hint gives away; all lines begin with the same questions without a hint."""
    points: list[ShareReading] = []
    for condition in HINTS:
        parts = _fractions(table, condition)
        bare = _bare(table, parts[0][1])[0][0] if parts and _bare(table, parts[0][1]) else None
        shown = [*([(0.0, bare)] if bare else []), *parts]
        for fraction, records in shown:
            mean = estimate_mean(records["p_ik"], records.clusters, evaluation=NAME, name="p_ik", within=(0.0, 1.0))
            points.append(ShareReading(condition.replace("_", " "), fraction, mean))
    x, y = "share of the solution given away", "P(IK)"
    return share_curves(points, name="p_ik_by_hint", title="P(IK) with hints", x_title=x, y_title=y)


def reliability_bins(records: Part) -> list[ReliabilityBin]:
    """The points of P(IK)'s reliability chart; none where nothing was measured."""
    triples = zip(*_single_answers(records), strict=True)
    kept = [(stated, right, cluster) for stated, right, cluster in triples if stated is not None]
    if not kept:
        return []
    stated, right, clusters = (list(column) for column in zip(*kept, strict=True))
    return calibration.reliability(stated, right, clusters)


def p_ik_by_group(table: pl.DataFrame, groups: Sequence[str] = FREQUENCIES) -> dict[str, list[float]]:
    """P(IK) of the questions of each group that has any."""
    found: dict[str, list[float]] = {}
    for group in groups:
        rows = [row for name in ("test", "ood") for row in part(table, name).rows if row.get("group") == group]
        values = [value for row in rows if (value := _value(row)) is not None]
        if values:
            found[group] = values
    return found
