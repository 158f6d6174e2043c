"""Inverse Scaling: When Bigger Isn't Better (2306.09479) on a family of models, and on the recorded runs of its pilot."""

from collections.abc import Sequence

from gnomon.measure import catalogue
from gnomon.measure.inverse_scaling_analysis import NAME, quality
from gnomon.measure.inverse_scaling_trends import TaskTrend, task_trends
from gnomon.report.content import Claim, Ruling
from gnomon.report.figure import Figure
from gnomon.report.scaling import SizedReading, scaling_curves
from gnomon.stats.estimate import Estimate
from gnomon.stats.estimators import estimate_mean
from gnomon.studies.bench import Bench, Measured, label
from gnomon.studies.inverse_scaling_recorded import RecordedRuns, recorded_runs
from gnomon.studies.scaling import named
from gnomon.studies.study import Findings, Study, StudyConfig
from gnomon.studies.verdicts import above, all_of, below, claim, untried

CAUSES = {"repeat": "a", "pronoun": "b", "negation": "c", "examples": "d"}
"""The world's task for each cause, and its letter among the parts of claim 1."""

_WHY = {
    "repeat": "a strong prior (a sentence to be repeated changes a fact)",
    "pronoun": "unwanted imitation (the text contradicts an occupation's usual pronoun)",
    "negation": "a distractor task (what is not so is asked for)",
    "examples": "spurious examples (true pairs suggest a rule that the query breaks)",
}
_CURVES = {"accuracy": ("share right", 0.5), "loss": ("loss in nats", None)}
_SURE = 0.8


async def run(bench: Bench, config: StudyConfig) -> Findings:
    """Measures every model, judges the trends, and decides the paper's claims."""
    options = {"seed": config.seed} | ({"n": config.n} if config.n else {})
    tasks = _tasks(config)
    evaluation = catalogue.build(NAME, task=",".join(tasks), **options)
    measured = [await bench.measure(model, evaluation) for model in config.models]
    sizes = {one.model: float(bench.size(one.model)) for one in measured}
    largest = max(measured, key=lambda one: sizes[one.model])
    shown = catalogue.build(NAME, task=",".join(CAUSES), shots=1, plain=False, **options)
    demonstrated = await bench.measure(largest.model, shown)

    tables = {one.model: one.table for one in measured}
    trends = {one.task: one for one in task_trends(tables, sizes, seed=config.seed)}
    plain = {one.task: one for one in task_trends(tables, sizes, seed=config.seed, plain=True)}
    runs = recorded_runs()
    claims = [
        *(_inverse(task, trends[task], plain[task]) for task in CAUSES),
        _worse_than_chance(largest, trends),
        _turns(trends),
        _tuning_steepens(runs),
        _bias_grows(runs, trends["stereotype"]),
        _control_rises(runs, plain),
        _distractor_explains(trends["negation"], plain["negation"]),
        _demonstration_repairs(largest, demonstrated),
    ]
    return Findings(
        claims=claims,
        estimates=_estimates(measured, trends, plain),
        figures=_figures(measured, sizes),
        notes=_notes(trends, plain, runs),
    )


def _tasks(config: StudyConfig) -> list[str]:
    """Of a few items the proverbs are left out: they are twelve, and say nothing then."""
    return [*CAUSES, "stereotype"] if config.n and config.n < 12 else [*CAUSES, "proverb", "stereotype"]


def _inverse(task: str, trend: TaskTrend, plain: TaskTrend) -> Claim:
    return claim(
        f"1{CAUSES[task]}",
        f"Larger models do worse because of {_WHY[task]}.",
        "minus the loss falls with log10 parameters: the slope's interval lies below 0, so does Kendall's tau, nothing turns "
        "(verdict inverse), and the p-value, corrected by Holm over all tasks, is 0.05 or less; four sizes or more; the plain "
        "version's slope lies above 0, else the family or the harness may be at fault",
        _inverse_ruling(trend, plain),
        [trend.trend, *([trend.accuracy] if trend.accuracy else []), plain.trend],
    )


def _inverse_ruling(trend: TaskTrend, plain: TaskTrend) -> tuple[Ruling, str]:
    said = _said(trend)
    if trend.verdict == "cannot tell":
        return "cannot tell", said
    rises, because = above(plain.trend)
    if rises != "holds":
        return "cannot tell", f"{said}, but the plain version does not rise: {because}"
    return ("holds" if trend.verdict == "inverse" else "does not hold"), f"{said}; its plain version: {because}"


def _said(trend: TaskTrend) -> str:
    if trend.trend.value is None or trend.trend.low is None or trend.trend.high is None:
        return f"{trend.task} has no slope: {trend.trend.reason}"
    corrected = "" if trend.adjusted is None else f", corrected p {trend.adjusted:.2g}"
    sure = "" if trend.trend.confidence is None else f" with confidence {trend.trend.confidence:.2f}"
    interval = f"{trend.trend.value:.2g} ({trend.trend.low:.2g} to {trend.trend.high:.2g}) per tenfold size{corrected}"
    return f"{trend.task} is judged {trend.verdict}{sure}: slope of quality {interval}"


def _worse_than_chance(largest: Measured, trends: dict[str, TaskTrend]) -> Claim:
    falling = [task for task in CAUSES if trends[task].verdict == "inverse"]
    rates = [named(largest[f"accuracy_{task}"], largest.model) for task in falling]
    rule = "on each task that scales inversely here the largest model's accuracy, with its interval, lies below one half"
    statement = "At the largest size accuracy is worse than guessing."
    if not falling:
        return untried("2", statement, rule, "no task scales inversely here")
    return claim("2", statement, rule, all_of([below(rate, 0.5) for rate in rates]), rates)


def _turns(trends: dict[str, TaskTrend]) -> Claim:
    of = [trends[task] for task in CAUSES]
    turned = [one for one in of if one.verdict in ("U", "inverted-U")]
    sure = [one for one in turned if (one.trend.confidence or 0.0) >= _SURE]
    open_ones = [one for one in of if one.verdict == "cannot tell"]
    if sure:
        ruling: tuple[Ruling, str] = ("holds", "; ".join(map(_said, sure)))
    elif of[0].sizes < 5:
        ruling = ("cannot tell", f"{of[0].sizes} sizes are too few: a turn needs three on either side")
    elif turned or open_ones:
        ruling = ("cannot tell", "; ".join(map(_said, turned or open_ones)))
    else:
        ruling = ("does not hold", "; ".join(map(_said, of)))
    return claim(
        "3",
        "On some tasks quality turns with scale (U-shaped or inverted-U).",
        "two lines that meet at the fitted turn have slopes of opposite sign, both significant, with three sizes or more on "
        f"either side, on one of the four tasks, and in {_SURE:.0%} of the resamples too",
        ruling,
        [one.trend for one in of],
    )


def _tuning_steepens(runs: RecordedRuns | None) -> Claim:
    statement = "Instruction tuning makes the slope steeper."
    rule = "the slope of minus absolute log-odds bias of InstructGPT minus that of GPT-3, on the same 40 items, lies below 0"
    if runs is None:
        return untried(
            "4", statement, rule, "the world has no tuned organisms of several sizes, and no recorded runs are at hand"
        )
    return claim("4", statement, rule, below(runs.steeper_by_tuning), [runs.steeper_by_tuning])


def _bias_grows(runs: RecordedRuns | None, world: TaskTrend) -> Claim:
    if runs is None:
        decided, rule = [world.trend], "the slope of minus the log-odds bias that an occupation gives a pronoun lies below 0"
    else:
        decided, rule = (
            list(runs.biases),
            "in both recorded families the slope of minus the log-odds bias of answers lies below 0",
        )
    evidence = [*decided, *([] if runs is None else [world.trend])]
    statement = "How far a biasing element moves the log-odds grows with scale."
    return claim("5", statement, rule, all_of([below(each) for each in decided]), evidence)


def _control_rises(runs: RecordedRuns | None, plain: dict[str, TaskTrend]) -> Claim:
    decided = [*(plain[task].trend for task in CAUSES), *(runs.controls if runs else ())]
    recorded = " and on the recorded runs of LAMBADA and BoolQ" if runs else ""
    return claim(
        "6",
        "On plain versions of the tasks larger models do better (positive control).",
        f"the slope of minus the loss lies above 0 on the plain version of each of the four tasks{recorded}",
        all_of([above(each) for each in decided]),
        decided,
    )


def _distractor_explains(trend: TaskTrend, plain: TaskTrend) -> Claim:
    return claim(
        "7",
        "The distractor explains it: without its negation a question is answered better with scale, with it worse.",
        "on the same questions and options, the slope of minus the loss lies above 0 without `not` and below 0 with it",
        all_of([above(plain.trend), below(trend.trend)]),
        [plain.trend, trend.trend],
    )


def _demonstration_repairs(largest: Measured, demonstrated: Measured) -> Claim:
    gains = [_gain(task, largest, demonstrated) for task in CAUSES]
    return claim(
        "8",
        "A fair demonstration raises the largest model's quality.",
        "on each of the four tasks its loss without minus its loss with one demonstration, item by item, lies above 0",
        all_of([above(each) for each in gains]),
        gains,
    )


def _gain(task: str, without: Measured, shown: Measured) -> Estimate:
    before = dict(zip(*quality(without.table, task, "loss")[1::-1], strict=True))
    losses, questions, clusters = quality(shown.table, task, "loss")
    gained = [
        None if loss is None or (first := before.get(question)) is None else first - loss
        for loss, question in zip(losses, questions, strict=True)
    ]
    name = f"{label(without.model)}/gain_by_demonstration_{task}"
    return estimate_mean(gained, clusters, evaluation=NAME, name=name, unit="nats")


def _estimates(measured: Sequence[Measured], trends: dict[str, TaskTrend], plain: dict[str, TaskTrend]) -> list[Estimate]:
    of_trends = [found for one in (*trends.values(), *plain.values()) for found in (one.trend, one.accuracy) if found]
    kept = ("accuracy", "loss", "accuracy_plain", "loss_plain", "class_mass", "logodds_bias", "absolute_logodds_bias")
    of_tasks = [f"{column}{version}_{task}" for task in CAUSES for version in ("", "_plain") for column in ("accuracy", "loss")]
    return of_trends + [named(one[name], one.model) for one in measured for name in (*kept, *of_tasks)]


def _figures(measured: Sequence[Measured], sizes: dict[str, float]) -> list[Figure]:
    drawn = [
        scaling_curves(
            [
                SizedReading(series, label(one.model), sizes[one.model], one[f"{column}{version}_{task}"])
                for version, series in (("", "the task"), ("_plain", "its plain version"))
                for one in sorted(measured, key=lambda each: sizes[each.model])
            ],
            name=f"{task}_{column}_by_size",
            title=f"{task.capitalize()}: {y_title} by size",
            y_title=y_title,
            caption=f"Of {_WHY[task]}.",
            chance=chance,
        )
        for task in CAUSES
        for column, (y_title, chance) in _CURVES.items()
    ]
    return [figure for figure in drawn if figure]


def _notes(trends: dict[str, TaskTrend], plain: dict[str, TaskTrend], runs: RecordedRuns | None) -> list[str]:
    found = [
        "Power. " + " ".join(trends[task].power[0].upper() + trends[task].power[1:] for task in trends),
        f"P-values of slopes are corrected by Holm's method over the {len(trends)} tasks, and over the {len(plain)} plain "
        "versions by themselves; a verdict that names a direction needs a corrected p-value of 0.05 or less. Items of one fact, "
        "proverb or occupation are a cluster.",
        "There is one model at each size: intervals speak of other items, not of other training runs.",
    ]
    if runs is None:
        found.append("The recorded runs of the paper's pilot were not at hand (GNOMON_DATA names no mirror that has them).")
    else:
        found.append("Recorded runs are those of the paper's pilot experiments: " + ", ".join(runs.folders) + ".")
    return found


STUDY = Study(paper="2306.09479", title="Inverse Scaling: When Bigger Isn't Better", run=run)
