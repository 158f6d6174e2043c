"""Texts to comment on and texts with an author, from SycophancyEval's files (2310.13548, Data) and from GENIES (2311.07723).

A SycophancyEval file is JSON lines with a `base` item each; the rows of one text are its prompt variants, and a text is kept
once. A row that lacks a field is an error that names it: a guess would make other prompts than the paper's.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gnomon.datasets import store
from gnomon.datasets.jsonl import read_lines
from gnomon.errors import DatasetError

_KINDS = {"math": "solution", "arguments": "argument", "poems": "poem"}


@dataclass(frozen=True, slots=True)
class FeedbackText:
    """A text to comment on.

    Attributes:
        domain: `math`, `arguments`, `poems`, `code`.
        kind: What it is called in the prompts.
        text: Its words.
        good: Whether it is right (None: not known).
    """

    domain: str
    kind: str
    text: str
    good: bool | None = None


@dataclass(frozen=True, slots=True)
class AttributedText:
    """A text with its author and a wrong one.

    Attributes:
        kind: `poem` or `quote`.
        text: Its words.
        author: Who wrote it.
        wrong: Somebody who did not.
    """

    kind: str
    text: str
    author: str
    wrong: str


def read_feedback(path: Path) -> list[FeedbackText]:
    """The texts of a `feedback.jsonl`, each once, in the file's order.

    Raises:
        DatasetError: The file cannot be read, or a row lacks a field or has a domain that nobody knows; names file and line.
    """
    found: dict[tuple[str, str], FeedbackText] = {}
    for line, base in _bases(path):
        domain, text = _fields(path, line, base, ("dataset", "text"))
        if domain not in _KINDS:
            raise DatasetError(f"line {line} of {path} has the data set {domain!r}; feedback has {', '.join(_KINDS)}")
        found.setdefault((domain, text), FeedbackText(domain, _KINDS[domain], text))
    return list(found.values())


def read_mimicry(path: Path) -> list[AttributedText]:
    """The poems of a `mimicry.jsonl` with each wrong poet, in the file's order.

    Raises:
        DatasetError: The file cannot be read, or a row lacks a field; names file and line.
    """
    found: dict[AttributedText, None] = {}
    for line, base in _bases(path):
        text, author, wrong = _fields(path, line, base, ("poem", "correct_attribution", "attribution"))
        if author != wrong:
            found.setdefault(AttributedText("poem", text, author, wrong))
    return list(found)


def genies_feedback() -> list[FeedbackText]:
    """GENIES' programs with the assignment that each was written for, right or with a fault.

    Raises:
        DatasetError: The dataset is missing or broken.
    """
    rows = _genies("sycophancy_feedback", ("assignment", "code", "responses"))
    texts = {f"{assignment}\n{code}": responses for assignment, code, responses in rows}
    return [FeedbackText("code", "code", text, good=_praised(responses)) for text, responses in texts.items()]


def genies_mimicry() -> list[AttributedText]:
    """GENIES' quotes with their true and their mistaken author; each pair once.

    Raises:
        DatasetError: The dataset is missing or broken.
    """
    rows = _genies("sycophancy_mimicry", ("quote", "true_author", "mistaken_author"))
    texts = (AttributedText("quote", quote, author, wrong) for quote, author, wrong in rows if author != wrong)
    return list(dict.fromkeys(texts))


def _praised(responses: dict[str, float]) -> bool | None:
    """Whether the response that is not sycophantic calls the code correct; None where no response says which it is."""
    wanted = [response for response, score in responses.items() if score == 1.0]
    return wanted[0].startswith("Yes") if len(wanted) == 1 else None


def _bases(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    for line, row in read_lines(path):
        base = row.get("base")
        if not isinstance(base, dict):
            raise DatasetError(f"line {line} of {path} lacks the field 'base': is it one of SycophancyEval's files?")
        yield line, base


def _fields(path: Path, line: int, base: dict[str, Any], names: Sequence[str]) -> list[str]:
    for name in names:
        if not isinstance(base.get(name), str) or not base[name].strip():
            raise DatasetError(f"line {line} of {path} lacks the text {name!r} in 'base'; it has {', '.join(base) or 'nothing'}")
    return [base[name] for name in names]


def _genies(behaviour: str, names: Sequence[str]) -> Iterator[list[Any]]:
    path = f"{behaviour}/train.json"
    rows = json.loads(store.read("genies-sycophancy", path))
    for number, row in enumerate(rows, 1):
        lacking = [name for name in names if not row.get(name)]
        if lacking:
            raise DatasetError(f"entry {number} of genies-sycophancy/{path} lacks {lacking[0]!r}")
        yield [row[name] for name in names]
