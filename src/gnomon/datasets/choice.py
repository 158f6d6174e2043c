"""Multiple-choice questions of the published datasets, in one shape.

Each reader knows one upstream format. A row that lacks what a question needs is dropped and counted by reason, never guessed;
questions keep their upstream order and their upstream options' order, but for TruthfulQA, which lists the correct option first.
"""

import csv
import io
import json
import logging
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Any

from gnomon.datasets import store
from gnomon.datasets.items import ChoiceItem, content_hash, derive_seed
from gnomon.datasets.published import published_dataset
from gnomon.errors import DatasetError, TooFewItems

_log = logging.getLogger(__name__)


class _Unusable(Exception):
    """A row that makes no question; the message is the reason under which it is counted."""


@dataclass(frozen=True, slots=True)
class _Question:
    """A row in one shape; `about` is what its cluster hangs on: the passage where several questions share one."""

    id: str
    text: str
    options: tuple[str, ...]
    answer: int
    about: str = ""
    tags: tuple[tuple[str, str], ...] = ()


_Reader = Callable[[], Iterator[_Question | _Unusable]]


@dataclass(frozen=True, slots=True)
class Choices:
    """A dataset's questions, and how many rows made none, by reason."""

    items: list[ChoiceItem]
    dropped: dict[str, int]


def names() -> list[str]:
    """The multiple-choice datasets, sorted."""
    return sorted(_READERS)


def load(name: str, n: int | None = None, seed: int = 0) -> list[ChoiceItem]:
    """Questions of a published dataset; rows that had to be dropped are logged as a warning.

    Args:
        name: One of `names()`.
        n: How many (None: all). A larger n has the questions of a smaller one among its own.
        seed: Of the choice of questions, and of TruthfulQA's order of options.

    Returns:
        In upstream order. Questions on one passage, or of equal text, share a cluster.

    Raises:
        DatasetError: Unknown or missing dataset, broken file, no usable row, or fewer questions than asked for.
    """
    choices = read(name, seed)
    if choices.dropped:
        reasons = ", ".join(f"{reason}: {count}" for reason, count in sorted(choices.dropped.items()))
        _log.warning("%s: %d rows dropped (%s)", name, sum(choices.dropped.values()), reasons)
    items = choices.items
    if n is None:
        return items
    if not 1 <= n <= len(items):
        raise TooFewItems(f"{name} has", len(items), "questions", n, ", or leave n out for all")
    chosen = sorted(items, key=lambda item: derive_seed(seed, "choice of questions", item.id))[:n]
    wanted = {item.id for item in chosen}
    return [item for item in items if item.id in wanted]


def read(name: str, seed: int = 0) -> Choices:
    """All questions of a published dataset, with the count of dropped rows.

    Raises:
        DatasetError: Unknown or missing dataset, broken file, or no usable row.
    """
    if name not in _READERS:
        raise DatasetError(f"{name!r} is not a multiple-choice dataset: choose one of {', '.join(names())}")
    items: list[ChoiceItem] = []
    dropped: Counter[str] = Counter()
    for row in _READERS[name]():
        if isinstance(row, _Unusable):
            dropped[str(row)] += 1
            continue
        options, answer = row.options, row.answer
        if name == "truthfulqa":
            options, answer = _shuffled(options, answer, derive_seed(seed, "order of options", row.id))
        items.append(
            ChoiceItem(
                id=row.id,
                cluster=f"{name}/{content_hash(row.about or row.text)}",
                dataset=name,
                question=row.text,
                options=options,
                answer=answer,
                tags=dict(row.tags),
            )
        )
    if not items:
        raise DatasetError(f"{name} has no usable row ({dict(dropped) or 'it is empty'}): get the recorded version again")
    return Choices(items, dict(dropped))


def _shuffled(options: tuple[str, ...], answer: int, seed: int) -> tuple[tuple[str, ...], int]:
    order = list(range(len(options)))
    random.Random(seed).shuffle(order)
    return tuple(options[index] for index in order), order.index(answer)


def _question(make: Callable[[], _Question]) -> _Question | _Unusable:
    """The question that a row makes, checked; or why it makes none."""
    try:
        question = make()
        if not question.text.strip():
            raise _Unusable("empty question")
        if not 2 <= len(question.options) <= len(ascii_uppercase):
            raise _Unusable(f"{len(question.options)} options")
        if any(not option.strip() for option in question.options):
            raise _Unusable("empty option")
        if len(set(question.options)) < len(question.options):
            raise _Unusable("two equal options")
    except _Unusable as reason:
        return reason
    except KeyError as missing:
        return _Unusable(f"no field {missing}")
    except (TypeError, AttributeError):
        return _Unusable("a field of another type")
    return question


def _json_lines(name: str, path: str) -> Iterator[tuple[int, Any]]:
    content = store.read(name, path)
    for number, line in enumerate(content.decode().splitlines(), 1):
        if line.strip():
            try:
                yield number, json.loads(line)
            except ValueError:
                raise DatasetError(f"line {number} of {path} of {name} is not JSON: get the recorded version again") from None


def _index(letter: Any, letters: str) -> int:
    if not isinstance(letter, str) or len(letter.strip()) != 1 or letter.strip().upper() not in letters:
        raise _Unusable("an answer that is not one of the options")
    return letters.index(letter.strip().upper())


def _truthfulqa() -> Iterator[_Question | _Unusable]:
    for number, row in enumerate(json.loads(store.read("truthfulqa", "mc_task.json")), 1):
        yield _question(lambda row=row, number=number: _truthfulqa_row(row, number))


def _truthfulqa_row(row: dict[str, Any], number: int) -> _Question:
    targets: dict[str, int] = row["mc1_targets"]
    correct = [index for index, label in enumerate(targets.values()) if label == 1]
    if len(correct) != 1:
        raise _Unusable(f"{len(correct)} correct options")
    return _Question(f"truthfulqa/{number}", row["question"], tuple(targets), correct[0])


def _mmlu() -> Iterator[_Question | _Unusable]:
    for file in published_dataset("mmlu").files:
        if file.path.startswith("test/"):
            subject = file.path.removeprefix("test/").removesuffix("_test.csv")
            rows = csv.reader(io.StringIO(store.read("mmlu", file.path).decode(), newline=""))
            for number, row in enumerate(rows, 1):
                yield _question(lambda row=row, number=number, subject=subject: _mmlu_row(row, number, subject))


def _mmlu_row(row: list[str], number: int, subject: str) -> _Question:
    if len(row) != 6:
        raise _Unusable(f"{len(row)} columns")
    text, *options, answer = row
    tags = (("subject", subject),)
    return _Question(f"mmlu/{subject}/{number}", text, tuple(options), _index(answer, "ABCD"), tags=tags)


def _labelled(name: str, dataset: str, path: str) -> _Reader:
    """The format that ARC and OpenBookQA share; the answer is a letter, or in some rows of ARC a digit."""

    def rows() -> Iterator[_Question | _Unusable]:
        for _, row in _json_lines(dataset, path):
            yield _question(lambda row=row: _labelled_row(row, name))

    return rows


def _labelled_row(row: dict[str, Any], name: str) -> _Question:
    stem, choices = row["question"]["stem"], row["question"]["choices"]
    labels = [choice["label"] for choice in choices]
    if row["answerKey"] not in labels:
        raise _Unusable("an answer that is not one of the options")
    options = tuple(choice["text"] for choice in choices)
    return _Question(f"{name}/{row['id']}", stem, options, labels.index(row["answerKey"]))


def _aqua() -> Iterator[_Question | _Unusable]:
    for number, row in _json_lines("aqua", "dev.jsonl"):
        yield _question(lambda row=row, number=number: _aqua_row(row, number))


def _aqua_row(row: dict[str, Any], number: int) -> _Question:
    options = tuple(_without_letter(option, letter, ")") for option, letter in zip(row["options"], ascii_uppercase, strict=False))
    return _Question(f"aqua/{number}", row["question"], options, _index(row["correct"], ascii_uppercase[: len(options)]))


def _logiqa() -> Iterator[_Question | _Unusable]:
    """Plain text: blocks of answer letter, passage, question and four options; a lone letter begins a block."""
    lines = [line for line in store.read("logiqa", "Eval.txt").decode().splitlines() if line.strip()]
    starts = [number for number, line in enumerate(lines) if re.fullmatch(r"\s*[a-dA-D]\s*", line)]
    for number, (start, end) in enumerate(zip(starts, [*starts[1:], len(lines)], strict=True), 1):
        block = lines[start:end]
        yield _question(lambda block=block, number=number: _logiqa_row(block, number))


def _logiqa_row(block: list[str], number: int) -> _Question:
    if len(block) != 7:
        raise _Unusable(f"{len(block)} lines")
    letter, passage, text, *lettered = block
    options = tuple(_without_letter(option, letter, ".") for option, letter in zip(lettered, "ABCD", strict=True))
    return _Question(f"logiqa/{number}", f"{passage}\n{text}", options, _index(letter, "ABCD"), about=passage)


def _without_letter(option: str, letter: str, mark: str) -> str:
    if not option.startswith(letter + mark):
        raise _Unusable("an option without its letter")
    return option.removeprefix(letter + mark).strip()


_READERS: dict[str, _Reader] = {
    "aqua": _aqua,
    "arc-challenge": _labelled("arc-challenge", "arc", "ARC-Challenge-Dev.jsonl"),
    "arc-easy": _labelled("arc-easy", "arc", "ARC-Easy-Dev.jsonl"),
    "logiqa": _logiqa,
    "mmlu": _mmlu,
    "openbookqa": _labelled("openbookqa", "openbookqa", "test.jsonl"),
    "truthfulqa": _truthfulqa,
}
