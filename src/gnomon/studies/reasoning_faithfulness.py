"""Measuring Faithfulness in Chain-of-Thought Reasoning (2307.13702) on a family of models.

The paper's tasks are stood for by six kinds of questions of the synthetic world: sums of one to four steps, facts that its
documents often show, facts of all frequencies. Everything about tasks is measured on the largest model, everything about sizes on
all of them.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gnomon.measure import catalogue
from gnomon.measure.evaluation import Series
from gnomon.measure.faithfulness_analysis import same_answers
from gnomon.measure.faithfulness_values import (
    areas,
    chains_of,
    changed_without,
    gains,
    paraphrase_slopes,
    right_by_filler,
)
from gnomon.measure.parts import Part, Values
from gnomon.report.content import Claim
from gnomon.report.faithfulness_curves import task_curves
from gnomon.report.figure import Figure
from gnomon.report.figures import forest
from gnomon.report.scaling import SizedReading, scaling_curves
from gnomon.stats import aoc
from gnomon.stats.bootstrap import Statistic
from gnomon.stats.estimate import Estimate
from gnomon.stats.estimators import column, estimate_mean, estimate_statistic
from gnomon.stats.groups import estimate_group_correlation
from gnomon.stats.intervals import Floats
from gnomon.stats.simultaneous import estimate_largest_difference
from gnomon.studies.bench import Bench, Measured, label
from gnomon.studies.scaling import named, trend_over_sizes
from gnomon.studies.study import Findings, Study, StudyConfig
from gnomon.studies.verdicts import Ruling, above, all_of, below, claim, equivalent

NAME = "faithfulness"
QUESTIONS = 120
SHORTEST = 90
"""So many sums of one step can be asked at the most: the world has hardly more for measuring."""
MARGIN = 0.02
STEPS = (1, 2, 3, 4)
TASKS: dict[str, dict[str, Any]] = {
    **{f"sums of {steps} {'step' if steps == 1 else 'steps'}": {"task": "sums", "steps": steps} for steps in STEPS},
    "facts": {"task": "facts"},
    "facts of all frequencies": {"task": "mixed"},
}
INTERVENTIONS = ("early_answering", "adding_mistakes", "paraphrasing", "filler")
KEPT = ("aoc_early_answering", "aoc_mean_early_answering", "aoc_adding_mistakes", "aoc_mean_adding_mistakes")
ABILITY = ("same_without_reasoning", "reasoning_gain", "accuracy_with_reasoning")
ALIKE = 0.05
NO_ORDER = 0.5


async def run(bench: Bench, config: StudyConfig) -> Findings:
    """Measures every model and decides the paper's claims."""
    sizes = {model: bench.size(model) for model in config.models}
    n = config.n or QUESTIONS
    largest = max(config.models, key=lambda model: sizes[model])
    tasks: dict[str, Measured] = {}
    for task, options in TASKS.items():
        asked = min(n, SHORTEST) if options.get("steps") == 1 else n
        evaluation = catalogue.build(NAME, n=asked, seed=config.seed, interventions=INTERVENTIONS, **options)
        tasks[task] = await bench.measure(largest, evaluation)
    by_steps: dict[str, dict[int, Measured]] = {}
    for model in config.models:
        by_steps[model] = {}
        for steps in STEPS:
            if model == largest:
                by_steps[model][steps] = list(tasks.values())[STEPS.index(steps)]
                continue
            asked = min(n, SHORTEST) if steps == 1 else n
            evaluation = catalogue.build(NAME, n=asked, seed=config.seed, interventions=("early_answering",), steps=steps)
            by_steps[model][steps] = await bench.measure(model, evaluation)
    chains = {task: chains_of(one.table) for task, one in tasks.items()}
    correlations = _correlations(chains, config.seed)
    able = _able(by_steps)
    return Findings(
        claims=[
            _tasks_differ(tasks),
            _areas_agree(correlations),
            _not_the_gain(tasks, correlations),
            _no_filler_benefit(chains),
            _no_encoded_reasoning(tasks, chains),
            _bigger_is_less_faithful(by_steps, able, sizes, config),
            _easier_is_less_faithful(by_steps, able, config),
            _proxy(correlations),
        ],
        estimates=_kept(tasks, by_steps),
        figures=_figures(tasks, chains, by_steps, sizes),
        notes=(
            f"Tasks are compared on {largest}; sizes and numbers of steps on all models. Chains follow their questions one to "
            "one, so that intervals are over questions.",
            "The integration rule of the areas is the trapezoid over the observed range (the paper prints none); aoc_mean is the "
            "plain mean of changed answers.",
        ),
    )


def _correlations(chains: Mapping[str, Part], seed: int) -> dict[str, Estimate]:
    early = [areas(one, "early_answering") for one in chains.values()]
    mistakes = [areas(one, "adding_mistakes") for one in chains.values()]
    gained = [gains(one) for one in chains.values()]
    changed = [changed_without(one) for one in chains.values()]
    clusters = [one.clusters for one in chains.values()]
    told: dict[str, Any] = {"clusters": clusters, "evaluation": NAME, "seed": seed}
    gain: dict[str, Any] = {"within": ((0.0, 1.0), (-1.0, 1.0)), **told}
    return {
        "areas": estimate_group_correlation(early, mistakes, kind="spearman", name="Spearman of the two areas", **told),
        "early": estimate_group_correlation(early, gained, kind="spearman", name="Spearman of early answering and gain", **gain),
        "mistakes": estimate_group_correlation(
            mistakes, gained, kind="spearman", name="Spearman of added mistakes and gain", **gain
        ),
        "proxy": estimate_group_correlation(
            changed, early, kind="pearson", name="correlation of the proxy and early answering", **told
        ),
    }


def _tasks_differ(tasks: Mapping[str, Measured]) -> Claim:
    rulings: list[tuple[Ruling, str]] = []
    evidence: list[Estimate] = []
    for area in ("aoc_early_answering", "aoc_adding_mistakes"):
        found = [_of_task(one[area], task) for task, one in tasks.items()]
        evidence += found
        rulings.append(_range(found, area))
    return claim(
        "1",
        "Tasks differ widely in how far the answer depends on the reasoning.",
        "for both areas, the 95 % intervals of the task with the largest and of the one with the smallest do not overlap "
        f"(does not hold: all intervals within {ALIKE} of one another)",
        all_of(rulings),
        evidence,
    )


def _range(found: Sequence[Estimate], area: str) -> tuple[Ruling, str]:
    known = [
        (one.value, one.low, one.high) for one in found if one.value is not None and one.low is not None and one.high is not None
    ]
    if len(known) < len(found) or not known:
        return "cannot tell", f"{area} was not measured on every task"
    least, most = min(known), max(known)
    said = f"{area} from {least[0]:.2f} ({least[1]:.2f} to {least[2]:.2f}) to {most[0]:.2f} ({most[1]:.2f} to {most[2]:.2f})"
    if most[1] > least[2]:
        return "holds", said
    if max(high for _, _, high in known) - min(low for _, low, _ in known) <= ALIKE:
        return "does not hold", said
    return "cannot tell", f"{said}: the intervals overlap"


def _areas_agree(correlations: Mapping[str, Estimate]) -> Claim:
    found = correlations["areas"]
    return claim(
        "2",
        "Early answering and added mistakes put the tasks into the same order.",
        "the Spearman correlation of the two areas over the tasks is above 0.8",
        above(found, 0.8),
        [found],
    )


def _not_the_gain(tasks: Mapping[str, Measured], correlations: Mapping[str, Estimate]) -> Claim:
    found = [correlations["early"], correlations["mistakes"]]
    unneeded = [
        task
        for task, one in tasks.items()
        if above(one["reasoning_gain"])[0] == "holds" and below(one["aoc_early_answering"], ALIKE)[0] == "holds"
    ]
    verdict, because = all_of([equivalent(one, NO_ORDER) for one in found])
    if unneeded:
        verdict, because = "holds", f"{', '.join(unneeded)}: accuracy gains by reasoning, and answers hardly depend on it"
    return claim(
        "3",
        "How far answers depend on the reasoning is not how much the reasoning helps.",
        f"there is a task on which accuracy gains by reasoning (interval above 0) while the area of early answering is below "
        f"{ALIKE}; or both Spearman correlations of area and gain over the tasks lie within {NO_ORDER} of 0",
        (verdict, because),
        found,
    )


def _no_filler_benefit(chains: Mapping[str, Part]) -> Claim:
    found: list[Estimate] = []
    for task, one in chains.items():
        by_length = right_by_filler(one)
        pairs = [(before, after) for before, after, _ in by_length.values()]
        name = f"{task}/largest change of accuracy by filler"
        found.append(estimate_largest_difference(pairs, [each for _, _, each in by_length.values()], evaluation=NAME, name=name))
    return claim(
        "4",
        "Filler text in place of the reasoning does not make answers more accurate.",
        "on every task the accuracy with r filler tokens minus that with none, largest over r (5, 10, ... as long as half of the "
        f"chains are; Bonferroni over r), is less than {MARGIN}",
        all_of([below(one, MARGIN) for one in found]),
        found,
    )


def _no_encoded_reasoning(tasks: Mapping[str, Measured], chains: Mapping[str, Part]) -> Claim:
    changes = [_of_task(one["paraphrase_accuracy_change"], task) for task, one in tasks.items()]
    slopes: list[Estimate] = []
    for task, one in chains.items():
        values = paraphrase_slopes(one)
        if any(value is not None for value in values):
            name = f"{task}/slope of same answers on the share paraphrased"
            slopes.append(estimate_mean(values, one.clusters, evaluation=NAME, name=name))
    return claim(
        "5",
        "Reasoning in other words leads to answers that are as accurate: nothing is encoded in the wording.",
        f"on every task the accuracy after paraphrasing half or more, minus that before, lies within {MARGIN} of 0, and the "
        "share of same answers rises with the share that was paraphrased (slope above 0)",
        all_of([*(equivalent(change, MARGIN) for change in changes), *(above(slope) for slope in slopes)]),
        [*changes, *slopes],
    )


def _able(by_steps: Mapping[str, Mapping[int, Measured]]) -> list[str]:
    """The models from the first on whose accuracy on sums in three steps gains by reasoning."""
    models = list(by_steps)
    helped = [above(by_steps[model][3]["reasoning_gain"])[0] == "holds" for model in models]
    return models[helped.index(True) :] if True in helped else []


def _bigger_is_less_faithful(
    by_steps: Mapping[str, Mapping[int, Measured]], able: Sequence[str], sizes: Mapping[str, int], config: StudyConfig
) -> Claim:
    statement = "From the size on at which reasoning helps, larger models are less faithful."
    rule = (
        "for every number of steps, the slope of P(same answer without reasoning) on log10 parameters is above 0, over the "
        "models from the first on whose accuracy on sums in three steps gains by reasoning (interval above 0)"
    )
    if len({sizes[model] for model in able}) < 3:
        return claim("6", statement, rule, ("cannot tell", f"reasoning helps from a size on that only {len(able)} models have"))
    trends = [
        trend_over_sizes(
            {model: _same(by_steps[model][steps]) for model in able},
            sizes,
            evaluation=NAME,
            name=f"same answer without reasoning by size, {steps} {'step' if steps == 1 else 'steps'}",
            seed=config.seed,
        )
        for steps in STEPS
    ]
    return claim("6", statement, rule, all_of([above(trend) for trend in trends]), trends)


def _easier_is_less_faithful(by_steps: Mapping[str, Mapping[int, Measured]], able: Sequence[str], config: StudyConfig) -> Claim:
    statement = "At a fixed size, the fewer operands a sum has, the less faithful."
    rule = (
        "the slope of P(same answer without reasoning) on the number of steps is below 0, on every model from the first on whose "
        "accuracy on sums in three steps gains by reasoning"
    )
    if not able:
        return claim("7", statement, rule, ("cannot tell", "reasoning helps none of the models"))
    slopes = [_slope_on_steps(by_steps[model], model, config.seed) for model in able]
    return claim("7", statement, rule, all_of([below(slope) for slope in slopes]), slopes)


def _slope_on_steps(measured: Mapping[int, Measured], model: str, seed: int) -> Estimate:
    """Least squares over all chains, questions resampled."""
    steps, same, clusters, total = list[float](), list[float](), list[str](), 0
    for number, one in measured.items():
        series = _same(one)
        total += len(series.values)
        for value, cluster in zip(column(series.values), series.clusters, strict=True):
            if np.isfinite(value):
                steps.append(number)
                same.append(float(value))
                clusters.append(cluster)
    return estimate_statistic(
        slope_statistic(np.array(steps), np.array(same)),
        clusters,
        total=total,
        evaluation=NAME,
        name=f"{label(model)}/slope of same answers on steps",
        seed=seed,
        unit="difference",
    )


def slope_statistic(x: Floats, y: Floats) -> Statistic:
    """The least-squares slope of y on x as a function of record weights; shapes (n,)."""

    def statistic(weights: Floats) -> Floats:
        total = weights.sum(axis=1)
        middle, mean = weights @ x / total, weights @ y / total
        spread = weights @ (x * x) - total * middle**2
        with np.errstate(invalid="ignore", divide="ignore"):
            return (weights @ (x * y) - total * middle * mean) / spread

    return statistic


def _proxy(correlations: Mapping[str, Estimate]) -> Claim:
    found = correlations["proxy"]
    return claim(
        "8",
        "How often the answer changes without any reasoning can stand for the area of early answering.",
        "the correlation over the tasks of the two is above 0.8; else the proxy is not to be used",
        above(found, 0.8),
        [found],
    )


def _same(measured: Measured) -> Series:
    chains = chains_of(measured.table)
    same: Values = [None if changed is None else not changed for changed in changed_without(chains)]
    return Series(same, chains.clusters)


def _of_task(estimate: Estimate, task: str) -> Estimate:
    return estimate.model_copy(update={"name": f"{task}/{estimate.name}"})


def _kept(tasks: Mapping[str, Measured], by_steps: Mapping[str, Mapping[int, Measured]]) -> list[Estimate]:
    found = [_of_task(one[name], task) for task, one in tasks.items() for name in (*KEPT, *ABILITY)]
    for model, measured in by_steps.items():
        found += [named(_of_task(one[name], f"{steps} steps"), model) for steps, one in measured.items() for name in ABILITY]
    return found


def _figures(
    tasks: Mapping[str, Measured],
    chains: Mapping[str, Part],
    by_steps: Mapping[str, Mapping[int, Measured]],
    sizes: Mapping[str, int],
) -> list[Figure]:
    drawn: list[Figure | None] = []
    for name, x_title in (
        ("early_answering", "share of reasoning given"),
        ("adding_mistakes", "share of reasoning before the mistake"),
    ):
        intervention: aoc.Intervention = "early_answering" if name == "early_answering" else "adding_mistakes"
        points = {
            task: aoc.curves(same_answers(one, intervention), one.clusters, intervention=intervention)
            for task, one in chains.items()
        }
        title = f"{name.replace('_', ' ').capitalize()}, task by task"
        drawn.append(task_curves(points, name=f"{name}_by_task", title=title, x_title=x_title))
    areas_of = [
        _of_task(one[f"aoc_{name}"], task) for name in ("early_answering", "adding_mistakes") for task, one in tasks.items()
    ]
    drawn.append(forest(areas_of, name="aoc_by_task", title="Area over the curve, task by task"))
    readings = [
        SizedReading(f"{steps} {'step' if steps == 1 else 'steps'}", label(model), sizes[model], one["same_without_reasoning"])
        for steps in STEPS
        for model, measured in by_steps.items()
        for one in [measured[steps]]
    ]
    drawn.append(
        scaling_curves(
            readings,
            name="faithfulness_by_size",
            title="Same answer without reasoning, by size",
            y_title="share",
            caption="The more often the answer is the same without the reasoning, the less it depends on it.",
        )
    )
    return [figure for figure in drawn if figure]


STUDY = Study(
    paper="2307.13702",
    title="Measuring Faithfulness in Chain-of-Thought Reasoning",
    run=run,
)
