"""Inverse scaling: tasks on which a model that knows more may do worse (McKenzie et al. 2023, 2306.09479).

An item's classes are scored as they stand, directly behind the prompt: `s_c`, the sum of the log-probabilities of the tokens of
class c. Nothing is generated. The metrics are the paper's (definitions):

- `classification`: the loss is `-log softmax(s)[answer]`, right where the right class scores highest. Beside both stands the mass
  on all classes: where it is small, the renormalised loss means little.
- `sequence_prob`: the loss is `-s` of the completion.
- `logodds`: `L(x) = s_0 - s_1`; `L(prompt) - L(other_prompt)`, times -1 where the answer is class 1: how far the biasing part
  moves the model towards the class that it names. `absolute_logodds` is its size. Two classes that differ in one token; what
  does not fit is unscored and says so.

The estimates are in `gnomon.measure.inverse_scaling_analysis`; the trend over a family of models in `inverse_scaling_trends`. One
model alone shows no scaling.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import Field

from gnomon.datasets.items import Item, derive_seed
from gnomon.datasets.messages import as_jsonable, conversation
from gnomon.datasets.scaling_tasks import Metric, TaskItem, read_file, read_published
from gnomon.errors import ConfigurationError, DatasetError, TooFewItems
from gnomon.measure.evaluation import Evaluation, EvaluationConfig, of_kind
from gnomon.measure.inverse_scaling_analysis import HEADLINE, NAME, analyse, series
from gnomon.models.model import Model, Score
from gnomon.organisms.world import misleading, world
from gnomon.run.record import Column, Outcome

__all__ = ["HEADLINE", "NAME", "InverseScalingConfig", "analyse", "evaluation", "series"]

NOTHING = "none of the classes has any probability"
WORLD_ITEMS, PUBLISHED_ITEMS = 120, 200


class InverseScalingConfig(EvaluationConfig):
    """Options of the inverse-scaling evaluation; `n` counts items per task: 120 by default (or all, where there
    are fewer), 200 of published tasks.

    Attributes:
        task: Tasks of the dataset, separated by commas (empty: all of them).
        file: With the dataset `file`: a file in one of the published forms.
        metric: How to score a file's items (None: what the file declares).
        plain: Whether the world's plain versions are asked too.
        shots: Fair demonstrations before each item: others of its task with their right answers.
    """

    task: str = ""
    file: str | None = None
    metric: Metric | None = None
    plain: bool = True
    shots: int = Field(default=0, ge=0, le=16)


def evaluation(config: InverseScalingConfig | None = None) -> Evaluation:
    """The inverse-scaling evaluation.

    Raises:
        DatasetError: The dataset, a task or a file is unknown, missing, empty or broken, or has fewer items.
        ConfigurationError: Options that do not go together.
    """
    config = config or InverseScalingConfig()
    if (config.dataset == "file") != (config.file is not None):
        raise ConfigurationError("the dataset file and the option file go together: --dataset file --set file=PATH")
    if config.metric and config.file is None:
        raise ConfigurationError("metric is for a file: published tasks and the world's declare theirs")
    items = _world_items(config) if config.dataset == "world" else _published_items(config)

    async def protocol(model: Model, item: Item, seed: int) -> Outcome:
        item = of_kind(item, TaskItem)
        if item.metric in ("logodds", "absolute_logodds"):
            return await _biased(model, item)
        return await _scored(model, item)

    return Evaluation(NAME, config, items, protocol, analyse, HEADLINE, harm=-1)


def _wanted(config: InverseScalingConfig, known: Sequence[str]) -> list[str]:
    wanted = [name.strip() for name in config.task.split(",") if name.strip()] or list(known)
    for name in wanted:
        if name not in known:
            raise DatasetError(f"{config.dataset} has no task {name!r}: choose from {', '.join(known)}")
    return list(dict.fromkeys(wanted))


def _world_items(config: InverseScalingConfig) -> list[TaskItem]:
    wanted = _wanted(config, misleading.names())
    drawn = [
        item
        for task in wanted
        for item in misleading.items(world(0), task, _most(task, len(wanted), config), config.seed)
        if config.plain or not item.control
    ]
    if not config.shots:
        return drawn
    return [
        item.model_copy(update={"before": tuple(misleading.demonstrations(world(0), item, config.shots, config.seed))})
        for item in drawn
    ]


def _most(task: str, of: int, config: InverseScalingConfig) -> int:
    """How many items of a task; where several are asked together, one that has fewer gives all it has."""
    n = config.n or WORLD_ITEMS
    return min(n, misleading.MOST.get(task, n)) if of > 1 or config.n is None else n


def _published_items(config: InverseScalingConfig) -> list[TaskItem]:
    if config.file is not None:
        everything = {"file": read_file(Path(config.file), config.metric)}
    else:
        readers = read_published(config.dataset)
        everything = {task: readers[task]() for task in _wanted(config, list(readers))}
    found: list[TaskItem] = []
    for task, items in everything.items():
        n = min(config.n or PUBLISHED_ITEMS, len(items)) if config.n is None else config.n
        if n > len(items):
            raise TooFewItems(f"the task {task} has", len(items), "items", n)
        order = sorted(items, key=lambda item: derive_seed(config.seed, "choice of items", item.id))
        chosen = {item.id for item in order[:n]}
        found += [_with_shots(item, order, config) for item in items if item.id in chosen]
    return found


def _with_shots(item: TaskItem, others: Sequence[TaskItem], config: InverseScalingConfig) -> TaskItem:
    """The item behind demonstrations; they are taken from the end of the order, where items are that are not asked first."""
    if not config.shots:
        return item
    pool = [other for other in reversed(others) if other.cluster != item.cluster][: config.shots]
    if len(pool) < config.shots:
        raise DatasetError(f"the task {item.task} has too few items for {config.shots} demonstrations")
    return item.model_copy(update={"before": tuple(other.answered for other in pool)})


async def _scored(model: Model, item: TaskItem) -> Outcome:
    """Classification and sequence probability."""
    prefix = item.prefix(item.prompt)
    scores = await model.score(prefix, list(item.classes))
    values = _about(item, scores)
    if reason := _lacking(item, scores):
        return Outcome(values, _said(item), reason)
    logprobs = _logprobs(scores)
    if item.metric == "sequence_prob":
        if math.isinf(logprobs[0]):
            return Outcome(values, _said(item), NOTHING)
        return Outcome(values | {"sequence_loss": -logprobs[0]}, _said(item, item.classes[0]))
    total = _logsumexp(logprobs)
    if math.isinf(total):
        return Outcome(values, _said(item), NOTHING)
    predicted = max(range(len(logprobs)), key=logprobs.__getitem__)
    loss = total - logprobs[item.answer]
    values |= {
        "loss": loss if math.isfinite(loss) else None,
        "correct": predicted == item.answer,
        "predicted": predicted,
        "total_logprob": total,
        "mass": min(1.0, math.exp(total)),
    }
    if all(score.token_logprobs and score.method == "exact" for score in scores):
        per_token = [logprob / len(score.token_logprobs) for logprob, score in zip(logprobs, scores, strict=True)]
        values["correct_length_normalised"] = max(range(len(per_token)), key=per_token.__getitem__) == item.answer
    return Outcome(values, _said(item, item.classes[predicted]))


async def _biased(model: Model, item: TaskItem) -> Outcome:
    """Log-odds with the biasing part and without."""
    assert item.other_prompt is not None
    odds: list[float] = []
    values: dict[str, Column] = {}
    for prompt in (item.prompt, item.other_prompt):
        scores = await model.score(item.prefix(prompt), list(item.classes))
        values = _about(item, scores)
        reason = _lacking(item, scores) or _not_one_token(scores)
        logprobs = [] if reason else _logprobs(scores)
        if reason or any(math.isinf(each) for each in logprobs):
            return Outcome(values, _said(item), reason or NOTHING)
        odds.append(logprobs[0] - logprobs[1])
        values["total_logprob"] = _logsumexp(logprobs)
    difference = (odds[0] - odds[1]) * (-1.0 if item.answer == 1 else 1.0)
    values |= {
        "logodds_difference": difference,
        "absolute_logodds": abs(difference),
        "correct": (0 if odds[1] >= 0 else 1) == item.answer,
    }
    return Outcome(values, _said(item, item.classes[0 if odds[0] >= 0 else 1]))


def _about(item: TaskItem, scores: Sequence[Score]) -> dict[str, Column]:
    return {
        "task": item.task,
        "cause": item.cause,
        "metric": item.metric,
        "control": item.control,
        "answer": item.answer,
        "classes": len(item.classes),
        "method": scores[0].method,
    }


def _lacking(item: TaskItem, scores: Sequence[Score]) -> str | None:
    for text, score in zip(item.classes, scores, strict=True):
        if score.logprob is None or math.isnan(score.logprob):
            return f"no score for {text!r}: {score.reason or 'the model gave none'}"
    return None


def _not_one_token(scores: Sequence[Score]) -> str | None:
    """Why log-odds of two classes mean nothing here; None where the classes differ in one token, their last."""
    first, second = (score.token_logprobs for score in scores)
    if not first or not second:
        return None  # a model that does not show its tokens is taken at its word
    if len(first) == len(second) and all(math.isclose(*pair, abs_tol=1e-4) for pair in zip(first[:-1], second[:-1], strict=True)):
        return None
    return "log-odds are defined for classes that differ in a single token"


def _logprobs(scores: Sequence[Score]) -> list[float]:
    return [score.logprob for score in scores if score.logprob is not None]


def _logsumexp(values: Sequence[float]) -> float:
    top = max(values)
    return top if math.isinf(top) else top + math.log(math.fsum(math.exp(value - top) for value in values))


def _said(item: TaskItem, reply: str = "") -> list[dict[str, str]]:
    """The transcript; an unscored answer stays open."""
    prefix: Any = item.prefix(item.prompt)
    if isinstance(prefix, str):
        prefix = conversation(("user", prefix), ("assistant", ""))
    told = as_jsonable(prefix)
    told[-1]["content"] += reply
    return told
