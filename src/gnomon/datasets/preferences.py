"""Preference data: a dialogue, two replies that end it, and which of them was preferred.

The format is that of hh-rlhf (2204.05862): `chosen` and `rejected`, whole dialogues as plain text with `Human:` and `Assistant:`.
Any JSON lines file with these two fields will do.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gnomon.datasets import store
from gnomon.datasets.jsonl import read_lines
from gnomon.datasets.messages import Conversation, Message
from gnomon.errors import DatasetError

_ROLE = re.compile(r"\n\n(?P<role>Human|Assistant):")


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two replies to one dialogue.

    Attributes:
        dialogue: What was said before, the user last.
        chosen: The preferred reply.
        rejected: The other one.
    """

    dialogue: Conversation
    chosen: str
    rejected: str


@dataclass(frozen=True, slots=True)
class Comparisons:
    """The usable comparisons of a file, and how many were not, by reason."""

    pairs: list[Comparison]
    dropped: dict[str, int]


def hh_rlhf(split: str = "helpful-base") -> Comparisons:
    """The test split of a part of hh-rlhf.

    Raises:
        DatasetError: The dataset is missing or broken.
    """
    lines = store.read("hh-rlhf", f"{split}/test.jsonl").decode().splitlines()
    rows = ((number, _parsed(number, line, split)) for number, line in enumerate(lines, 1) if line.strip())
    return _comparisons(rows, f"hh-rlhf/{split}/test.jsonl")


def read_preferences(path: Path) -> Comparisons:
    """The comparisons of any file in that format.

    Raises:
        DatasetError: The file cannot be read, a line lacks `chosen` or `rejected`, or no line is usable.
    """
    return _comparisons(read_lines(path), str(path))


def _parsed(number: int, line: str, split: str) -> dict[str, Any]:
    try:
        return json.loads(line)
    except ValueError:
        raise DatasetError(f"line {number} of hh-rlhf/{split}/test.jsonl is not JSON") from None


def _comparisons(rows: Iterator[tuple[int, dict[str, Any]]], name: str) -> Comparisons:
    pairs: list[Comparison] = []
    dropped: Counter[str] = Counter()
    for number, row in rows:
        for field in ("chosen", "rejected"):
            if not isinstance(row.get(field), str):
                raise DatasetError(f"line {number} of {name} lacks the text {field!r}; it has {', '.join(row) or 'nothing'}")
        chosen, rejected = turns(row["chosen"]), turns(row["rejected"])
        reason = _unusable(chosen, rejected)
        if reason:
            dropped[reason] += 1
            continue
        pairs.append(Comparison(chosen[:-1], chosen[-1].content, rejected[-1].content))
    if not pairs:
        raise DatasetError(f"{name} has no two different replies to one dialogue")
    return Comparisons(pairs, dict(dropped))


def _unusable(chosen: Conversation, rejected: Conversation) -> str | None:
    if not all(len(one) > 1 and one[-1].role == "assistant" for one in (chosen, rejected)):
        return "a dialogue does not end with a reply"
    if chosen[:-1] != rejected[:-1]:
        return "the dialogues differ before the last reply"
    if chosen[-1] == rejected[-1]:
        return "both replies are the same"
    return None if chosen[-1].content and rejected[-1].content else "a reply is empty"


def turns(text: str) -> Conversation:
    """A dialogue in plain text as turns; what stands before the first one is left out."""
    marks = list(_ROLE.finditer(text))
    if not marks:
        return ()
    ends = [*(mark.start() for mark in marks[1:]), len(text)]
    return tuple(
        Message("user" if mark["role"] == "Human" else "assistant", text[mark.end() : end].strip())
        for mark, end in zip(marks, ends, strict=True)
    )
