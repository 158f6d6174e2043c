"""The estimates of the inverse-scaling evaluation, of one model.

| estimate | definition |
|---|---|
| `accuracy_change` (headline) | accuracy on the tasks minus that on their plain versions, over the same items |
| `accuracy` | share of items whose right class scores highest, over all classification tasks |
| `loss` | mean of minus log-probability of the right class among the classes, in nats |
| `above_guessing` | accuracy minus what guessing gives, the mean of 1 / classes |
| `length_normalised_accuracy` | the same with each class's score divided by its number of tokens |
| `class_mass` | mean probability of all classes together: how far the model says any of them at all |
| `accuracy_plain`, `loss_plain` | of the plain versions of the same items |
| `loss_change` | loss on the tasks minus that on their plain versions |
| `accuracy_<task>`, `loss_<task>`, `accuracy_plain_<task>`, `loss_plain_<task>` | of each task, where there are several |
| `sequence_loss`, `sequence_loss_plain` | mean of minus log-probability of the completion |
| `logodds_bias`, `absolute_logodds_bias` | how far the biasing part moves the log-odds towards what it names, and at all |
| `accuracy_unbiased` | of log-odds tasks, right without the biasing part |

Plain versions never count in a task's own estimates.
"""

from itertools import chain

import polars as pl

from gnomon.measure.evaluation import Series
from gnomon.measure.parts import Part, Values, part
from gnomon.stats.estimate import Estimate
from gnomon.stats.estimators import estimate_difference, estimate_mean, estimate_rate

NAME = "inverse-scaling"
HEADLINE = "accuracy_change"
PLAIN = "_plain"
LOGODDS = ("logodds", "absolute_logodds")
NO_CLASSES = "no task has classes of which one is right"
NO_PLAIN = "there are no plain versions of these tasks to compare with"
LARGEST_LOSS = 100.0
"""A bound that no loss of a class passes; only to scale differences by."""


def tasks(table: pl.DataFrame) -> dict[str, str]:
    """The tasks of a record table in their order, and the metric of each (classification where all of its items failed)."""
    found: dict[str, str] = {}
    metrics = table["metric"].to_list() if "metric" in table.columns else [None] * table.height
    for item, metric in zip(table["item"].to_list(), metrics, strict=True):
        task = str(item).partition(":")[0].removesuffix(PLAIN)
        if not found.get(task):
            found[task] = metric or ""
    return {task: metric or "classification" for task, metric in found.items()}


def analyse(table: pl.DataFrame) -> list[Estimate]:
    """All estimates of the module's docstring that the table has records for, the headline first."""
    metrics = tasks(table)
    classified = [task for task, metric in metrics.items() if metric == "classification"]
    completed = [task for task, metric in metrics.items() if metric == "sequence_prob"]
    biased = [task for task, metric in metrics.items() if metric in LOGODDS]
    found = _classified(table, classified) if classified else [Estimate.unmeasured(NAME, HEADLINE, NO_CLASSES, unit="difference")]
    if len(metrics) > 1:
        for task in classified:
            found += _of_task(table, task)
    if completed:
        for suffix in ("", PLAIN):
            rows = _pooled(table, completed, suffix)
            if rows.rows:
                found.append(_mean(rows["sequence_loss"], rows, f"sequence_loss{suffix}"))
    if biased:
        rows = _pooled(table, biased)
        found.append(_mean(rows["logodds_difference"], rows, "logodds_bias"))
        found.append(_mean(rows["absolute_logodds"], rows, "absolute_logodds_bias"))
        found.append(estimate_rate(rows["correct"], rows.clusters, evaluation=NAME, name="accuracy_unbiased"))
    return found


def quality(table: pl.DataFrame, task: str, column: str, *, plain: bool = False) -> tuple[Values, list[str], list[str]]:
    """A task's values for a trend: the column, with the question and the cluster of each."""
    rows = part(table, f"{task}{PLAIN if plain else ''}")
    return rows[column], [row["question"] for row in rows.rows], rows.clusters


def series(table: pl.DataFrame) -> dict[str, Series]:
    """What two runs are compared by."""
    names = [task for task, metric in tasks(table).items() if metric == "classification"]
    rows = _pooled(table, names)
    before, after = _pooled(table, names, PLAIN).beside(rows)
    changes = _minus(after["correct"], before["correct"])
    return {
        HEADLINE: Series(changes, after.clusters, within=(-1.0, 1.0), harm=-1),
        "accuracy": Series(rows["correct"], rows.clusters, harm=-1),
        "loss": Series(rows["loss"], rows.clusters, within=(0.0, LARGEST_LOSS), harm=1),
    }


def _classified(table: pl.DataFrame, names: list[str]) -> list[Estimate]:
    rows, plain = _pooled(table, names), _pooled(table, names, PLAIN)
    before, after = plain.beside(rows)
    found = [
        _change(before, after) if plain.rows else Estimate.unmeasured(NAME, HEADLINE, NO_PLAIN, unit="difference"),
        estimate_rate(rows["correct"], rows.clusters, evaluation=NAME, name="accuracy"),
        _mean(rows["loss"], rows, "loss"),
        _above_guessing(rows),
    ]
    normalised = rows["correct_length_normalised"]
    if any(value is not None for value in normalised):
        found.append(estimate_rate(normalised, rows.clusters, evaluation=NAME, name="length_normalised_accuracy"))
    if plain.rows:
        found += [
            estimate_rate(plain["correct"], plain.clusters, evaluation=NAME, name="accuracy_plain"),
            _mean(plain["loss"], plain, "loss_plain"),
            _mean(_minus(after["loss"], before["loss"]), after, "loss_change"),
        ]
    mass = {"evaluation": NAME, "name": "class_mass"}
    found.append(estimate_mean(rows["mass"], rows.clusters, **mass, within=(0.0, 1.0), unit="probability"))
    return found


def _change(before: Part, after: Part) -> Estimate:
    return estimate_difference(before["correct"], after["correct"], after.clusters, evaluation=NAME, name=HEADLINE)


def _of_task(table: pl.DataFrame, task: str) -> list[Estimate]:
    found: list[Estimate] = []
    for suffix in ("", PLAIN):
        rows = part(table, f"{task}{suffix}")
        if rows.rows:
            name = f"accuracy{suffix}_{task}"
            found.append(estimate_rate(rows["correct"], rows.clusters, evaluation=NAME, name=name))
            found.append(_mean(rows["loss"], rows, f"loss{suffix}_{task}"))
    return found


def _pooled(table: pl.DataFrame, names: list[str], suffix: str = "") -> Part:
    """The records of several tasks; their questions are told apart by the task."""
    return Part(
        [
            {**row, "question": f"{task}:{row['question']}"}
            for task, rows in ((task, part(table, f"{task}{suffix}").rows) for task in names)
            for row in chain(rows)
        ]
    )


def _mean(values: Values, rows: Part, name: str) -> Estimate:
    return estimate_mean(values, rows.clusters, evaluation=NAME, name=name, unit="nats")


def _above_guessing(rows: Part) -> Estimate:
    values = [
        None if correct is None or not classes else float(correct) - 1.0 / classes
        for correct, classes in zip(rows["correct"], rows["classes"], strict=True)
    ]
    return estimate_mean(values, rows.clusters, evaluation=NAME, name="above_guessing", within=(-1.0, 1.0), unit="difference")


def _minus(first: Values, second: Values) -> Values:
    return [None if None in pair else pair[0] - pair[1] for pair in zip(first, second, strict=True)]
