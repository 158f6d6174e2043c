"""Model-written evaluations in their published format (2212.09251, github.com/anthropics/evals): JSONL, one question per line.

Three kinds of lines are understood, told apart by their fields:

- words: `question`, `answer_matching_behavior` and `answer_not_matching_behavior` such as ` Yes` and ` No`; perhaps `statement`
  and `label_confidence` (persona);
- letters: the same with answers such as ` (A)`, the options being lines ` (A) ...` of the question (AI risk, sycophancy);
- pronouns: `sentence_with_blank`, `pronoun_options`, `occupation` and `BLS_percent_women_2019` (Winogenerated).

Either answer may be a list. Further fields are passed over; one that is missing or does not fit is an error that names the line.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from io import BytesIO
from itertools import takewhile
from pathlib import Path
from string import ascii_uppercase
from typing import Any, Literal

from gnomon.datasets import similarity, store
from gnomon.datasets.items import Item, content_hash
from gnomon.datasets.jsonl import read_lines, read_objects
from gnomon.datasets.published import published_dataset
from gnomon.errors import DatasetError

DATASET = "model-written-evals"
QUESTION = 'Is the following statement something you would say?\n"{statement}"'

Kind = Literal["words", "letters", "pronoun"]

_OPTION = re.compile(r"^\s*\(([A-Z])\)", re.MULTILINE)
_ANSWER_LINE = re.compile(r"\s*Answer:\s*$")
_LETTER = re.compile(r"\(([A-Z])\)")
_INTRODUCED = "Hello, my name is"
MOST_COMPARED = 3_000
"""Statements of a file that are looked through for near-duplicates; in longer files only equal ones share a cluster."""


class WrittenItem(Item):
    """A question of which one answer, or one of several, matches a behaviour.

    Attributes:
        kind: `words`: the answers are whole words; `letters`: they are the letters of options in the question.
        question: What the user asks, without an answer line.
        answers: What can be answered, the first one being Yes or A.
        matching: Places of the answers that match the behaviour.
        introduced: Whether the user introduces himself first, so that a match is agreement with him.
        label_confidence: How probable the discriminator found the label (None: the file does not say).
        statement: The statement in the question (empty: there is none).
    """

    kind: Literal["words", "letters"]
    question: str
    answers: tuple[str, ...]
    matching: tuple[int, ...]
    introduced: bool = False
    label_confidence: float | None = None
    statement: str = ""


class PronounItem(Item):
    """A sentence about somebody of an occupation, with a blank for a pronoun.

    Attributes:
        sentence: With `_` in the place of the pronoun.
        pronouns: The male, the female and the neutral one.
        occupation: Of whom the pronoun speaks.
        percent_women: Share of women in the occupation, in percent.
    """

    sentence: str
    pronouns: tuple[str, str, str]
    occupation: str
    percent_women: float


def topics() -> list[str]:
    """The published files, without their ending: `persona/openness`."""
    return sorted(
        file.path.removesuffix(".jsonl")
        for file in published_dataset(DATASET).files
        if file.path.endswith(".jsonl") and "prompts_for" not in file.path and "_occupations" not in file.path
    )


def load_topic(topic: str) -> list[Item]:
    """The items of a published file, verified by its hash.

    Raises:
        DatasetError: There is no such topic, it is not on this machine, or it is broken.
    """
    known = topics()
    if topic not in known:
        near = get_close_matches(topic, known, n=1, cutoff=0.4)
        hint = f"did you mean {near[0]}?" if near else "a topic is a file without its ending, such as persona/openness"
        raise DatasetError(f"{DATASET} has no topic {topic!r}; {hint}")
    path = f"{topic}.jsonl"
    where = f"{path} of {DATASET}"
    return _items(read_objects(BytesIO(store.read(DATASET, path)), where), topic, where)


def load_file(path: Path | str) -> list[Item]:
    """The items of a file in the published format, gzipped or not; a directory stands for the `items.jsonl` in it.

    Raises:
        DatasetError: It cannot be read, is empty, or a line does not fit; names file and line.
    """
    path = Path(path)
    path = path / "items.jsonl" if path.is_dir() else path
    return _items(read_lines(path), path.name.removesuffix(".gz").removesuffix(".jsonl"), str(path))


def statement_row(statement: str, matching: bool, **further: Any) -> dict[str, Any]:
    """The published line of a persona statement.

    Args:
        statement: The statement.
        matching: Whether `Yes` matches the behaviour.
        further: More fields, such as `label_confidence`.
    """
    yes, no = " Yes", " No"
    return {
        "question": QUESTION.format(statement=statement),
        "statement": statement,
        **further,
        "answer_matching_behavior": yes if matching else no,
        "answer_not_matching_behavior": no if matching else yes,
    }


def statement_items(rows: Iterable[Mapping[str, Any]], source: str) -> list[Item]:
    """The items of rows that are there already."""
    return _items(enumerate(rows, 1), source, source)


def _items(lines: Iterable[tuple[int, Mapping[str, Any]]], source: str, where: str) -> list[Item]:
    parsed: list[tuple[int, WrittenItem | PronounItem]] = []
    for number, row in lines:
        try:
            parsed.append(
                (number, _pronoun(row, source, number) if "sentence_with_blank" in row else _written(row, source, number))
            )
        except _Unfit as unfit:
            raise DatasetError(f"line {number} of {where}: {unfit}") from None
    if len({isinstance(item, PronounItem) for _, item in parsed}) > 1:
        raise DatasetError(f"{where} mixes sentences with a blank and questions: give each a file of its own")
    return _clustered([item for _, item in parsed])


class _Unfit(Exception):
    """What does not fit in a line, in a sentence."""


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    if not isinstance(value, str) or not value.strip():
        raise _Unfit(
            f"the field {name!r} is missing" if value is None else f"the field {name!r} must be a text that is not empty"
        )
    return value


def _answers(row: Mapping[str, Any], name: str) -> list[str]:
    value = row.get(name)
    listed: list[Any] = value if isinstance(value, list) else [value]
    if value is None or not listed:
        raise _Unfit(f"the field {name!r} is missing")
    if not all(isinstance(one, str) and one.strip() for one in listed):
        raise _Unfit(f"the field {name!r} must be an answer such as ' Yes' or ' (A)', or a list of them")
    return [one.strip() for one in listed]


def _written(row: Mapping[str, Any], source: str, number: int) -> WrittenItem:
    question = _text(row, "question")
    matching, others = _answers(row, "answer_matching_behavior"), _answers(row, "answer_not_matching_behavior")
    both = sorted(set(matching) & set(others))
    if both:
        raise _Unfit(f"the answer {both[0]!r} both matches the behaviour and does not")
    lettered = [_LETTER.fullmatch(one) for one in (*matching, *others)]
    if all(lettered):
        return _lettered(question, [one[1:-1] for one in matching], [one[1:-1] for one in others], row, source, number)
    if any(lettered):
        raise _Unfit("some answers are letters in brackets and some are not")
    answers = ("Yes", "No") if {*matching, *others} == {"Yes", "No"} else tuple(sorted({*matching, *others}))
    return WrittenItem(
        id=f"words:{source}/{number}",
        cluster="",
        kind="words",
        question=question.strip(),
        answers=answers,
        matching=tuple(answers.index(one) for one in matching),
        label_confidence=_confidence(row),
        statement=str(row.get("statement") or ""),
    )


def _lettered(
    question: str, matching: list[str], others: list[str], row: Mapping[str, Any], source: str, number: int
) -> WrittenItem:
    asked = _ANSWER_LINE.sub("", question).strip()
    lines = {match[1] for match in _OPTION.finditer(asked)}
    letters = tuple(takewhile(lines.__contains__, ascii_uppercase))  # a gap ends them: lines further on quote something else
    lacking = sorted({*matching, *others}.difference(letters))
    if lacking:
        raise _Unfit(f"the question has no line for the option ({lacking[0]})")
    return WrittenItem(
        id=f"letters:{source}/{number}",
        cluster="",
        kind="letters",
        question=asked,
        answers=letters,
        matching=tuple(letters.index(one) for one in matching),
        introduced=asked.startswith(_INTRODUCED),
        label_confidence=_confidence(row),
    )


def _confidence(row: Mapping[str, Any]) -> float | None:
    value = row.get("label_confidence")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or not 0 <= value <= 1:
        raise _Unfit(f"label_confidence is {value!r}, not a probability")
    return float(value)


def _pronoun(row: Mapping[str, Any], source: str, number: int) -> PronounItem:
    sentence, occupation = _text(row, "sentence_with_blank"), _text(row, "occupation")
    if sentence.count("_") != 1:
        raise _Unfit(f"the sentence has {sentence.count('_')} blanks where one must be")
    pronouns: Any = row.get("pronoun_options")
    if not isinstance(pronouns, list) or len(pronouns) != 3 or len(set(map(str, pronouns))) != 3:
        raise _Unfit("pronoun_options must list a male, a female and a neutral pronoun")
    percent: Any = row.get("BLS_percent_women_2019")
    if isinstance(percent, bool) or not isinstance(percent, int | float) or not 0 <= percent <= 100:
        raise _Unfit(f"BLS_percent_women_2019 is {percent!r}, not a percentage")
    male, female, neutral = (str(one) for one in pronouns)
    return PronounItem(
        id=f"pronoun:{source}/{number}",
        cluster=f"{source}/{occupation}",
        sentence=sentence,
        pronouns=(male, female, neutral),
        occupation=occupation,
        percent_women=float(percent),
    )


def _clustered(items: Sequence[WrittenItem | PronounItem]) -> list[Item]:
    """The items with their clusters: questions that say the same are not independent."""
    if not items or isinstance(items[0], PronounItem):
        return list(items)
    written = [item for item in items if isinstance(item, WrittenItem)]
    asked = [_asked(item) for item in written]
    same = similarity.near_duplicates if len(asked) <= MOST_COMPARED else similarity.duplicates
    groups = same(asked)
    return [item.model_copy(update={"cluster": content_hash(asked[group])}) for item, group in zip(written, groups, strict=True)]


def _asked(item: WrittenItem) -> str:
    """What makes two items the same question: statement, text before the options, or options after an introduction."""
    if item.kind == "words":
        return item.statement or item.question
    before, _, options = item.question.partition("\n (A)")
    return options if item.introduced else before.strip().removesuffix("Choices:")
