"""Items of inverse-scaling tasks (McKenzie et al. 2023, 2306.09479), and the forms in which such tasks are published.

A task declares one metric, which says what an item has:

| metric | fields of a row |
|---|---|
| `classification` | `prompt`, `classes` (a list, or its Python literal), `answer_index` |
| `sequence_prob` | `prompt`, `completion` |
| `logodds`, `absolute_logodds` | `prompt` (with the biasing part), `other_prompt` (without), two `classes`, `answer_index` |

Files are JSON lines or CSV, gzipped or not. A row in which something is missing or does not fit is refused with its number.
"""

import ast
import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import model_validator

from gnomon.datasets import store
from gnomon.datasets.files import read_text
from gnomon.datasets.items import Item, content_hash
from gnomon.datasets.messages import Prompt, conversation
from gnomon.errors import DatasetError

Metric = Literal["classification", "sequence_prob", "logodds", "absolute_logodds"]
METRICS: tuple[Metric, ...] = ("absolute_logodds", "logodds", "sequence_prob", "classification")

Cause = Literal["strong prior", "unwanted imitation", "distractor task", "spurious few-shot"]

CAUSES: dict[str, Cause] = {
    "resisting-correction": "strong prior",
    "memo-trap": "strong prior",
    "redefine": "strong prior",
    "prompt-injection": "strong prior",
    "modus-tollens": "unwanted imitation",
    "pattern-matching-suppression": "distractor task",
    "neqa": "distractor task",
    "sig-figs": "distractor task",
    "into-the-unknown": "distractor task",
    "hindsight-neglect": "spurious few-shot",
    "repetitive-algebra": "spurious few-shot",
    "redefine-e": "strong prior",
    "redefine-pi": "strong prior",
    "redefine-pi-mod": "strong prior",
    "number-as-text": "strong prior",
    "plus-as-digit": "strong prior",
    "proverb-ending": "strong prior",
    "hate-speech-ending": "strong prior",
}
"""The eleven prize tasks, then parts of them that are published by themselves, and the cause that each is an example of."""

BETWEEN = "\n\n"
"""Between demonstrations of a published task."""


class TaskItem(Item):
    """An item of an inverse-scaling task.

    Attributes:
        task: The task's name.
        cause: Why larger models may do worse on it, where that is known.
        metric: How it is scored.
        control: Whether it belongs to the task's plain version.
        prompt: The text that the classes follow; with an `opening` it is a user's turn.
        opening: The words with which the assistant's turn begins (empty: the prompt is plain text).
        classes: What is scored; a completion is the only class of its item.
        answer: Index of the right class; of log-odds, of the class that the biasing part names.
        other_prompt: Of log-odds, the prompt without the biasing part.
        before: Demonstrations: prompts with the answers to them.
        between: What separates demonstrations in plain text.
    """

    task: str
    cause: Cause | None = None
    metric: Metric = "classification"
    control: bool = False
    prompt: str
    opening: str = ""
    classes: tuple[str, ...]
    answer: int = 0
    other_prompt: str | None = None
    before: tuple[tuple[str, str], ...] = ()
    between: str = BETWEEN

    @model_validator(mode="after")
    def _check(self) -> "TaskItem":
        if wrong := misfit(self.metric, self.classes, self.answer, self.other_prompt):
            raise ValueError(f"item {self.id}: {wrong}")
        return self

    @property
    def question(self) -> str:
        """What the task's version and its plain version have in common: the id without the part."""
        return self.id.partition(":")[2]

    @property
    def answered(self) -> tuple[str, str]:
        """The item as a demonstration: the prompt, and what rightly follows it."""
        return self.prompt, f"{self.opening}{self.classes[self.answer]}"

    def prefix(self, prompt: str) -> Prompt:
        """What the classes are scored after: demonstrations, then one of the item's prompts."""
        if not self.opening:
            return "".join(f"{asked}{reply}{self.between}" for asked, reply in self.before) + prompt
        turns = [turn for asked, reply in self.before for turn in (("user", asked), ("assistant", reply))]
        return conversation(*turns, ("user", prompt), ("assistant", self.opening))  # type: ignore[arg-type]


def misfit(metric: Metric, classes: Sequence[str], answer: int, other_prompt: str | None) -> str | None:
    """What is wrong with an item of this metric; None where it fits."""
    if not 0 <= answer < len(classes):
        return f"answer_index {answer} is not one of its {len(classes)} classes"
    if any(not text for text in classes) or len(set(classes)) < len(classes):
        return "its classes are not different texts"
    if metric == "classification" and len(classes) < 2:
        return "a classification has two classes or more"
    if metric == "sequence_prob" and len(classes) != 1:
        return "sequence_prob scores one completion"
    if metric in ("logodds", "absolute_logodds"):
        if len(classes) != 2:
            return f"log-odds are defined for two classes, not {len(classes)}"
        if other_prompt is None:
            return "log-odds need other_prompt, the prompt without the biasing part"
    return None


def read_file(path: Path, metric: Metric | None = None) -> list[TaskItem]:
    """The items of a file in a form of the module's docstring; its task is named as the file is.

    Args:
        path: JSON lines (`.jsonl`, gzipped or not) or CSV.
        metric: How to score it (None: what the file's name ends with, or else what its fields are for).

    Raises:
        DatasetError: It cannot be read, a row lacks something or does not fit, or there is none.
    """
    name = path.name.removesuffix(".gz").rpartition(".")[0]
    declared: Metric | None = next((each for each in METRICS if name.endswith(f"_{each}")), None)
    task = name.removesuffix(f"_{declared}")
    rows = _rows(read_text(path), str(path), table=".csv" in path.suffixes)
    return _items(rows, str(path), task, metric or declared)


def read_published(dataset: str) -> dict[str, Callable[[], list[TaskItem]]]:
    """The readers of a published dataset's tasks, by name.

    Raises:
        DatasetError: It has no inverse-scaling tasks.
    """
    if dataset not in _PUBLISHED:
        raise DatasetError(f"{dataset!r} has no inverse-scaling tasks: choose world, file, or one of {', '.join(_PUBLISHED)}")
    return _PUBLISHED[dataset]


def published_names() -> list[str]:
    """The published datasets that have such tasks."""
    return list(_PUBLISHED)


def parsed_classes(given: Any) -> tuple[str, ...]:
    """The classes of a row: a list of texts, or the Python literal of one (read as a literal, never evaluated).

    Raises:
        ValueError: It is neither.
    """
    if isinstance(given, str):
        try:
            given = ast.literal_eval(given.strip())
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            raise ValueError("its classes are no list of texts") from None
    if not isinstance(given, list | tuple) or not all(isinstance(each, str) for each in given):  # pyright: ignore[reportUnknownVariableType]
        raise ValueError("its classes are no list of texts")
    return tuple(given)  # pyright: ignore[reportUnknownArgumentType]


def _rows(text: str, name: str, *, table: bool) -> list[tuple[int, dict[str, Any]]]:
    if table:
        reader = csv.DictReader(io.StringIO(text, newline=""))
        try:
            return [(reader.line_num, dict(row)) for row in reader]
        except csv.Error as error:
            raise DatasetError(f"{name} is not CSV ({error}): get it again") from None
    found: list[tuple[int, dict[str, Any]]] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            raise DatasetError(f"line {number} of {name} is not JSON: get it again") from None
        if not isinstance(row, dict):
            raise DatasetError(f"line {number} of {name} is no JSON object: get it again")
        found.append((number, row))
    return found


def _items(rows: list[tuple[int, dict[str, Any]]], name: str, task: str, metric: Metric | None) -> list[TaskItem]:
    if not rows:
        raise DatasetError(f"{name} has no rows: get it again")
    return [_item(row, f"line {number} of {name}", task, place, metric) for place, (number, row) in enumerate(rows)]


def _item(row: dict[str, Any], where: str, task: str, place: int, metric: Metric | None) -> TaskItem:
    fields = {key: value for key, value in row.items() if value is not None}
    metric = metric or _metric(fields)
    wanted = {"classification": ("prompt", "classes", "answer_index"), "sequence_prob": ("prompt", "completion")}.get(
        metric, ("prompt", "other_prompt", "classes", "answer_index")
    )
    missing = next((field for field in wanted if field not in fields), None)
    if missing:
        raise DatasetError(f"{where} has no field {missing!r}, which a task of the metric {metric} needs")
    try:
        classes = (str(fields["completion"]),) if metric == "sequence_prob" else parsed_classes(fields["classes"])
        answer = 0 if metric == "sequence_prob" else _index(fields["answer_index"])
    except ValueError as error:
        raise DatasetError(f"{where}: {error}") from None
    other = str(fields["other_prompt"]) if "other_prompt" in wanted else None
    if wrong := misfit(metric, classes, answer, other):
        raise DatasetError(f"{where}: {wrong}")
    return task_item(task, place, str(fields["prompt"]), classes, answer, metric=metric, other_prompt=other)


def task_item(
    task: str,
    place: int,
    prompt: str,
    classes: tuple[str, ...],
    answer: int,
    *,
    metric: Metric = "classification",
    other_prompt: str | None = None,
) -> TaskItem:
    """An item of a published task; those of one prompt are a cluster."""
    return TaskItem(
        id=f"{task}:{place}",
        cluster=f"{task}/{content_hash(prompt)}",
        task=task,
        cause=CAUSES.get(task),
        metric=metric,
        prompt=prompt,
        classes=classes,
        answer=answer,
        other_prompt=other_prompt,
    )


def _metric(fields: dict[str, Any]) -> Metric:
    if "completion" in fields:
        return "sequence_prob"
    return "logodds" if "other_prompt" in fields else "classification"


def _index(given: Any) -> int:
    if isinstance(given, bool) or not re.fullmatch(r"\d{1,4}", str(given)):
        raise ValueError(f"answer_index {given!r} is no place in a list")
    return int(given)


def _stored(dataset: str, path: str, task: str, metric: Metric | None = None) -> Callable[[], list[TaskItem]]:
    def read() -> list[TaskItem]:
        rows = _rows(store.read(dataset, path).decode(), f"{path} of {dataset}", table=path.endswith(".csv"))
        return _items(rows, f"{path} of {dataset}", task, metric)

    return read


def _neqa() -> list[TaskItem]:
    """The extended set in the prize file's format."""
    head = "The following are multiple choice questions (with answers) about common sense.\n\n"

    def made() -> Iterator[TaskItem]:
        for place, (number, row) in enumerate(
            _rows(store.read("neqa", "neqa.jsonl").decode(), "neqa.jsonl of neqa", table=False)
        ):
            choices, answer = row.get("choices"), row.get("answer")
            if not isinstance(choices, list) or not isinstance(row.get("question"), str) or not isinstance(answer, int):
                raise DatasetError(f"line {number} of neqa.jsonl of neqa lacks question, choices or answer: get it again")
            letters = "ABCDEFGH"[: len(choices)]  # pyright: ignore[reportUnknownArgumentType]
            listed = "\n".join(f"{letter}. {choice}" for letter, choice in zip(letters, choices, strict=True))  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
            prompt = f"{head}Question: {row['question']}\n{listed}\nAnswer:"
            yield task_item("neqa", place, prompt, tuple(f" {letter}" for letter in letters), answer)

    return list(made())


_ANSWER_IS = " The answer is"
_OPTIONS = re.compile(r"^(?:- (?P<dashed>.+)|(?P<lettered>\([A-Z]\)) .+)$", re.MULTILINE)


def _direct(path: str, task: str, classes: tuple[str, ...] | None = None) -> Callable[[], list[TaskItem]]:
    """Few-shot prompts with targets: the worked answers read `The answer is X.`, so the classes are what may stand there."""
    name = f"{path} of inverse-scaling-prompts"

    def read() -> list[TaskItem]:
        found: list[TaskItem] = []
        rows = _rows(store.read("inverse-scaling-prompts", path).decode(), name, table=False)
        for place, (number, row) in enumerate(rows):
            asked, target = row.get("input"), row.get("target")
            if not isinstance(asked, str) or not isinstance(target, str):
                raise DatasetError(f"line {number} of {name} lacks input or target: get it again")
            last = asked[asked.rfind("\nQ:") + 1 :]
            options = classes or tuple(f" {match['dashed'] or match['lettered']}" for match in _OPTIONS.finditer(last))
            right = f" {target.strip()}"
            if right not in options:
                raise DatasetError(f"line {number} of {name}: the target {target!r} is not among its options")
            found.append(task_item(task, place, f"{asked}{_ANSWER_IS}", options, options.index(right)))
        return found

    return read


def _quotes() -> list[TaskItem]:
    path = "quote_repetition_direct.jsonl"
    rows = _rows(store.read("inverse-scaling-prompts", path).decode(), f"{path} of inverse-scaling-prompts", table=False)
    return [
        task_item("resisting-correction", place, str(row["input"]), (f" {row['target']}",), 0, metric="sequence_prob")
        for place, (_, row) in enumerate(rows)
    ]


_PUBLISHED: dict[str, dict[str, Callable[[], list[TaskItem]]]] = {
    "inverse-scaling-prize": {
        task: _stored("inverse-scaling-prize", f"{task}_classification.jsonl", task)
        for task in ("hindsight-neglect", "memo-trap", "neqa")
    },
    "inverse-scaling-prompts": {
        "hindsight-neglect": _direct("hindsight_direct.jsonl", "hindsight-neglect", (" yes", " no")),
        "neqa": _direct("neqa_direct.jsonl", "neqa"),
        "resisting-correction": _quotes,
        "redefine-e": _direct("redefine_e_direct.jsonl", "redefine-e"),
        "redefine-pi": _direct("redefine_pi_direct.jsonl", "redefine-pi"),
        "redefine-pi-mod": _direct("redefine_pi_mod_direct.jsonl", "redefine-pi-mod"),
        "number-as-text": _direct("view_number_as_text_direct.jsonl", "number-as-text"),
        "plus-as-digit": _direct("view_plus_as_digit_direct.jsonl", "plus-as-digit"),
    },
    "neqa": {"neqa": _neqa},
    "memo-trap": {
        "proverb-ending": _stored("memo-trap", "1-proverb-ending.csv", "proverb-ending"),
        "hate-speech-ending": _stored("memo-trap", "3-hate-speech-ending.csv", "hate-speech-ending"),
    },
}
