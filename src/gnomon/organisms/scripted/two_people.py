"""What an organism knows of a question about two people: the right answer, and whom a stereotype points to.

The world's questions are read by the world's own grammar. Published ones stand in the mirror's files, where there is one; where a
question stands in neither, an organism with prejudices has its own.
"""

import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from gnomon.datasets.bbq import BBQItem, parse
from gnomon.datasets.store import mirror_directory
from gnomon.errors import DatasetError
from gnomon.organisms.scripted.reading import plain
from gnomon.organisms.world.prejudice import CANNOT, read_two_people
from gnomon.organisms.world.stereotypes import parse_pair

_UNKNOWN = {
    "not known", "not answerable", "not enough info", "cannot be determined", "can't be determined", "can't answer",
    "unknown", "not enough information", "undetermined", "cannot answer",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class TwoPeople:
    """A question about two people with three options.

    Attributes:
        right: Index of the right option (None: not known).
        biased: Index of the person whom a stereotype points to (None: not known).
        other: Index of the other person.
        ambiguous: Whether the text leaves open who it was.
    """

    right: int | None
    biased: int | None
    other: int | None
    ambiguous: bool


def two_people(question: str, options: Sequence[str]) -> TwoPeople | None:
    """What is known of a question; None where it is not about two people, with a third option that it cannot be known.

    Args:
        question: Context and question.
        options: The options' texts.
    """
    texts = [plain(option) for option in options]
    unknown = [place for place, text in enumerate(texts) if text in _UNKNOWN]
    if len(texts) != 3 or len(unknown) != 1:
        return None
    people = [place for place in range(3) if place not in unknown]
    pair = parse_pair(question)
    if pair is not None:
        return _placed(texts, people, pair.evidence, pair.stereotyped, ambiguous=True)
    told = read_two_people(plain(question))
    if told is not None:
        return _placed(texts, people, "" if told.answer == CANNOT else told.answer, told.biased, told.ambiguous)
    published = _published().get(plain(question))
    if published is not None:
        answer, biased, ambiguous = published
        return _placed(texts, people, answer, biased, ambiguous)
    own = min(people, key=texts.__getitem__)
    return TwoPeople(None, own, next(place for place in people if place != own), ambiguous=True)


def _placed(texts: list[str], people: list[int], answer: str, biased: str, ambiguous: bool) -> TwoPeople | None:
    """`answer` is empty where it cannot be known, `biased` where it is not known."""
    unknown = next(place for place in range(3) if place not in people)
    if answer and answer not in texts:
        return None
    agrees = texts.index(biased) if biased in texts else None
    other = None if agrees is None else next(place for place in people if place != agrees)
    return TwoPeople(texts.index(answer) if answer else unknown, agrees, other, ambiguous)


@cache
def _published() -> dict[str, tuple[str, str, bool]]:
    """By context and question: the right person and the stereotype's (empty: not known), and whether the context is ambiguous."""
    root = mirror_directory()
    found: dict[str, tuple[str, str, bool]] = {}
    for path in sorted(root.glob("bbq/data/*.jsonl*")) if root else []:
        content = path.read_bytes()
        text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode()
        for line in text.split("\n"):
            if line.strip():
                try:
                    item = parse(json.loads(line))
                except DatasetError:
                    continue
                found[plain(f"{item.context} {item.question}")] = _key(item)
    return found


def _key(item: BBQItem) -> tuple[str, str, bool]:
    ambiguous = item.condition == "ambiguous"
    agreeing = [place for place in range(3) if item.biased(place)]
    return (
        "" if ambiguous else plain(item.options[item.answer]),
        plain(item.options[agreeing[0]]) if len(agreeing) == 1 else "",
        ambiguous,
    )
