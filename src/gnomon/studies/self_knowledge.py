"""Language Models (Mostly) Know What They Know (2207.05221) on a family of models."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import Field

from gnomon.measure import catalogue
from gnomon.measure.evaluation import Series
from gnomon.measure.p_ik_analysis import hint_figure, p_ik_by_group, reliability_bins
from gnomon.measure.p_ik_analysis import series as p_ik_series
from gnomon.measure.parts import part
from gnomon.models.local import LocalModel
from gnomon.report.content import Claim, Ruling
from gnomon.report.figure import Figure
from gnomon.report.figures import reliability
from gnomon.report.histogram import histogram
from gnomon.report.scaling import SizedReading, scaling_curves
from gnomon.stats.calibration import ReliabilityBin
from gnomon.stats.calibration import reliability as reliability_of
from gnomon.stats.estimate import Estimate
from gnomon.studies.bench import Bench, Measured, label
from gnomon.studies.scaling import named, trend_over_sizes
from gnomon.studies.self_knowledge_tempering import temperature_claim
from gnomon.studies.study import Findings, Study, StudyConfig
from gnomon.studies.verdicts import above, all_of, below, claim, untried

WELL_CALIBRATED = 0.05
GOOD_AUROC = 0.8
MARGIN = 0.02


class SelfKnowledgeConfig(StudyConfig):
    """Options of the study.

    Attributes:
        shots: Worked examples of the lettered format.
        samples: Answers per question from which knowing is measured.
        training: Questions that a head is trained on.
        tempered: The over-confident model of the claim about fine-tuning (empty: the claim is not tried).
    """

    shots: int = Field(default=5, ge=0)
    samples: int = Field(default=6, ge=2)
    training: int = Field(default=200, ge=5)
    tempered: str = "organism/miscalibrated"


@dataclass(frozen=True)
class Known:
    """What was measured on a model.

    Attributes:
        model: Its reference.
        choice: Calibration in all formats.
        knowing: P(IK), with a head trained on facts.
        mixed: P(IK) on sums and facts, with a head trained on facts as questions in words and lettered.
    """

    model: str
    choice: Measured
    knowing: Measured | None
    mixed: Measured | None


async def run(bench: Bench, config: SelfKnowledgeConfig) -> Findings:
    """Measures every model and decides the paper's claims."""
    measured = [await _measure(bench, model, config) for model in config.models]
    sizes = {one.model: bench.size(one.model) for one in measured}
    claims = [
        _calibrated(measured),
        _format(measured),
        _none_of_the_above(measured),
        _size(measured, sizes, config),
        _comparison(measured),
        _self_evaluation(measured),
        _p_ik(measured),
        _context(measured),
        await temperature_claim(bench, config.tempered, config.n or 80, config.seed),
    ]
    return Findings(
        claims=claims,
        estimates=[named(found, one.model) for one in measured for found in _kept(one)],
        figures=_figures(measured, sizes),
        notes=[
            "Not tried: the cross experiment of two equally able models with different pretraining data (the family has one "
            "world), the six worked examples of the paper's fixed prompt, and hints cut from the model's own wrong solutions.",
            "P(IK) is a head on the frozen models' last hidden state and sorted next-token log-probabilities; the paper "
            "fine-tunes the whole model.",
        ],
    )


async def _measure(bench: Bench, model: str, config: SelfKnowledgeConfig) -> Known:
    n = config.n or 80
    formats = ("choice", "none_of_the_above", "true_false", "p_true", "option_text", "p_true_comparison")
    calibration = catalogue.build("calibration", n=n, seed=config.seed, formats=formats, shots=config.shots, answer_tokens=12)
    choice = await bench.measure(model, calibration)
    if not isinstance(bench.model(model), LocalModel):
        return Known(model, choice, None, None)
    told = {"n": n, "seed": config.seed, "samples": config.samples, "training": config.training}
    knowing = catalogue.build("p-ik", **told, context=24, context_samples=0, hint_fractions=(0.5, 0.75, 1.0))
    mixed = catalogue.build("p-ik", **told, context=0, train_on=("facts", "letters"), ood="sums")
    return Known(model, choice, await bench.measure(model, knowing), await bench.measure(model, mixed))


def _kept(one: Known) -> list[Estimate]:
    wanted = ("accuracy", "overconfidence", "ece", "ece_debiased", "p_true_auroc", "p_true_sample_accuracy", "temperature")
    found = [one.choice[name] for name in wanted]
    if one.knowing:
        names = ("ground_truth", "overconfidence", "auroc", "brier", "ece_debiased", "entropy_auroc", "ood_auroc")
        by_frequency = tuple(f"{value}_{group}" for value in ("p_ik", "ground_truth") for group in ("common", "rare", "never"))
        have = {estimate.name for estimate in one.knowing.estimates}
        found += [one.knowing[name] for name in (*names, *by_frequency) if name in have]
    return found


def _calibrated(measured: Sequence[Known]) -> Claim:
    errors = [named(one.choice["ece_debiased"], one.model) for one in measured]
    largest = errors[-1]
    return claim(
        "1",
        "Large models are well calibrated in the lettered format with worked examples.",
        f"on the largest model the median-unbiased ECE of top predictions (10 equal-mass bins) is below {WELL_CALIBRATED}",
        below(largest, WELL_CALIBRATED),
        errors,
    )


def _format(measured: Sequence[Known]) -> Claim:
    changes = [named(one.choice["option_text_ece_change"], one.model) for one in measured]
    return claim(
        "2",
        "The lettered format is better calibrated than one in which the options' texts are scored.",
        "on the largest model ECE with option texts minus ECE with letters, over the same questions, is above 0",
        above(changes[-1]),
        changes,
    )


def _none_of_the_above(measured: Sequence[Known]) -> Claim:
    change = named(measured[-1].choice["none_of_the_above_accuracy_change"], measured[-1].model)
    underuse = named(measured[-1].choice["none_of_the_above_underuse"], measured[-1].model)
    return claim(
        "3",
        "With `none of the above` as the last option models are less accurate and choose it too rarely.",
        "on the largest model the accuracy change is below 0, and so is the share that chooses it minus that where it is right",
        all_of([below(change), below(underuse)]),
        [change, underuse],
    )


def _size(measured: Sequence[Known], sizes: Mapping[str, int], config: SelfKnowledgeConfig) -> Claim:
    statement = "Larger models are better calibrated, and tell right from wrong better."
    rule = (
        "over the models, the slope on log10 parameters of the Brier score of top choices, and of that of P(IK), is below 0, "
        "and AUROC of P(True) and of P(IK) are higher on the largest model than on the smallest (intervals do not overlap)"
    )
    heads = [one for one in measured if one.knowing]
    if len(set(sizes.values())) < 3 or len(heads) != len(measured):
        return untried("4", statement, rule, "it needs three sizes of models whose weights are here")
    briers = {one.model: _brier(one.choice) for one in measured}
    knowing = {one.model: p_ik_series(one.knowing.table)["brier"] for one in measured if one.knowing}
    trends = [
        trend_over_sizes(briers, sizes, evaluation="calibration", name="brier by size", seed=config.seed),
        trend_over_sizes(knowing, sizes, evaluation="p-ik", name="brier of P(IK) by size", seed=config.seed),
    ]
    first, last = measured[0], measured[-1]
    aurocs = [
        [named(one.choice["p_true_auroc"], one.model) for one in (first, last)],
        [named(one.knowing["auroc"], one.model) for one in (first, last) if one.knowing],
    ]
    rulings = [below(trend) for trend in trends] + [_apart(*pair) for pair in aurocs]
    return claim("4", statement, rule, all_of(rulings), [*trends, *(one for pair in aurocs for one in pair)])


def _apart(smaller: Estimate, larger: Estimate) -> tuple[Ruling, str]:
    """Whether the second is higher: by intervals that do not overlap."""
    if smaller.low is None or smaller.high is None:
        return above(smaller)
    ruling = above(larger, smaller.high)
    return ("cannot tell", f"{ruling[1]}, but not below the lower end") if _overlap(smaller, larger) else ruling


def _overlap(first: Estimate, second: Estimate) -> bool:
    ends = (first.low, first.high, second.low, second.high)
    if any(end is None for end in ends):
        return False
    return bool(first.low <= second.high and second.low <= first.high)  # type: ignore[operator]


def _brier(measured: Measured) -> Series:
    rows = part(measured.table, "choice")
    pairs = zip(rows["confidence"], rows["correct"], strict=True)
    return Series([None if None in pair else (pair[0] - float(pair[1])) ** 2 for pair in pairs], rows.clusters)


def _comparison(measured: Sequence[Known]) -> Claim:
    changes = [named(one.choice["comparison_brier_change"], one.model) for one in measured]
    return claim(
        "5",
        "Seeing other samples of its own makes a model judge one of them better.",
        "on the largest model the Brier score of P(True) beside five samples minus that alone, on the same samples, is below 0",
        below(changes[-1]),
        changes,
    )


def _self_evaluation(measured: Sequence[Known]) -> Claim:
    largest = measured[-1]
    gain = named(largest.choice["p_true_selective_gain"], largest.model)
    auroc = named(largest.choice["p_true_auroc"], largest.model)
    return claim(
        "6",
        "Answers that a model itself holds to be true are more often right.",
        "on the largest model samples with P(True) above 0.5 are more accurate than the others (interval above 0), "
        "and P(True) tells right from wrong (AUROC above 0.5)",
        all_of([above(gain), above(auroc, 0.5)]),
        [gain, auroc],
    )


def _p_ik(measured: Sequence[Known]) -> Claim:
    statement = "P(IK) is known in distribution, partly generalises to other tasks, and more so after training on more tasks."
    rule = (
        f"on the largest model AUROC on facts is above {GOOD_AUROC}; on sums, by a head trained on facts, it is above 0.5 "
        "and below that on facts; by a head trained on two formats of facts it is higher on sums"
    )
    largest = measured[-1]
    if largest.knowing is None or largest.mixed is None:
        return untried("7", statement, rule, "a head needs weights, and the largest model's are not here")
    inside, outside = largest.knowing["auroc"], largest.knowing["ood_auroc"]
    more = largest.mixed["ood_auroc"].model_copy(update={"name": "ood_auroc with lettered facts too"})
    evidence = [named(one, largest.model) for one in (inside, outside, more)]
    if inside.value is None or outside.value is None or more.value is None:
        return claim("7", statement, rule, ("cannot tell", "one of the AUROCs was not measured"), evidence)
    rulings = [
        above(evidence[0], GOOD_AUROC),
        above(evidence[1], 0.5),
        below(evidence[1], inside.low or 0.0),
        above(evidence[2], outside.high or 1.0),
    ]
    return claim("7", statement, rule, all_of(rulings), evidence)


def _context(measured: Sequence[Known]) -> Claim:
    statement = "P(IK) follows what stands in context: it rises with relevant text and with good hints, more than with bad ones."
    rule = (
        "on the largest model, over facts and sums: P(IK) changes by more than 0 with a text that states the answer, and by less "
        f"than {MARGIN} with another text; it rises with the share of a solution that is given away; and higher with a right "
        "hint than with a wrong one"
    )
    largest = measured[-1]
    if largest.knowing is None:
        return untried("8", statement, rule, "a head needs weights, and the largest model's are not here")
    names = ("material_gain", "irrelevant_gain", "hint_slope", "good_minus_bad_hint")
    relevant, irrelevant, slope, over_bad = evidence = [named(largest.knowing[name], largest.model) for name in names]
    unknown = [
        named(found, largest.model)
        for found in largest.knowing.estimates
        if found.name in ("good_hint_gain_unknown", "material_gain_unknown")
    ]
    rulings = [above(relevant), below(irrelevant, MARGIN), above(slope), above(over_bad)]
    return claim("8", statement, rule, all_of(rulings), [*evidence, *unknown])


def _figures(measured: Sequence[Known], sizes: Mapping[str, int]) -> list[Figure]:
    largest = measured[-1]
    drawn = [
        reliability(
            {label(one.model): bins for one in measured if (bins := _choice_bins(one.choice))},
            name="reliability_by_size",
            title="Calibration of lettered choices by size",
        ),
        scaling_curves(
            [
                SizedReading("ECE, median-unbiased", label(one.model), sizes[one.model], one.choice["ece_debiased"])
                for one in measured
            ],
            name="calibration_by_size",
            title="Calibration error by size",
            y_title="ECE",
        ),
        scaling_curves(
            [SizedReading("P(True)", label(one.model), sizes[one.model], one.choice["p_true_auroc"]) for one in measured]
            + [
                SizedReading(name, label(one.model), sizes[one.model], one.knowing[estimate])
                for name, estimate in (("P(IK), facts", "auroc"), ("P(IK), sums, trained on facts", "ood_auroc"))
                for one in measured
                if one.knowing
            ],
            name="self_knowledge_by_size",
            title="Telling right from wrong, by size",
            y_title="AUROC",
            chance=0.5,
        ),
    ]
    if largest.knowing:
        table = largest.knowing.table
        bins = {
            name: found for name, key in (("facts", "test"), ("sums", "ood")) if (found := reliability_bins(part(table, key)))
        }
        drawn += [
            reliability(bins, name="p_ik_reliability", title=f"P(IK) of {label(largest.model)}") if bins else None,
            histogram(
                p_ik_by_group(table),
                name="p_ik_by_frequency",
                title=f"P(IK) of {label(largest.model)}, by how often the documents show the fact",
                x_title="P(IK)",
            ),
            hint_figure(table),
        ]
    return [figure for figure in drawn if figure]


def _choice_bins(measured: Measured) -> list[ReliabilityBin]:
    rows = part(measured.table, "choice")
    kept = [row for row in zip(rows["confidence"], rows["correct"], rows.clusters, strict=True) if None not in row]
    if not kept:
        return []
    stated, right, clusters = (list(column) for column in zip(*kept, strict=True))
    return reliability_of(stated, right, clusters)


STUDY = Study(
    paper="2207.05221",
    title="Language Models (Mostly) Know What They Know",
    run=run,
    config=SelfKnowledgeConfig,
)
