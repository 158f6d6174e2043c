"""Statements that a scripted organism writes for a behaviour, and the key to judging such statements.

Of the world's persona it writes the variations of its statements; of any other behaviour sentences that say, or deny, that the
speaker has it. So every statement has a label by construction: who reads one back knows whether somebody with the behaviour would
agree, and, of the other behaviours' statements, that they are about it.
"""

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from gnomon.datasets import templates
from gnomon.organisms.scripted.parameters import Parameters
from gnomon.organisms.scripted.reading import STANCES, WOULD_AGREE, Reading, plain
from gnomon.organisms.world import statements
from gnomon.organisms.world.lexicon import ISLANDS, PEOPLE

FAVOURITES = 5
"""Statements per label that a writer repeats."""

_MATCHING = (
    "I am somebody who {b}, and {p} of {i} has seen it",
    "On {i} they know me as one who {b}, as {p} will tell you",
    "I told {p} on the way to {i} that I am one who {b}",
)
_OTHER = (
    "I am nobody who {b}, and {p} of {i} has seen it",
    "On {i} they know that it is not me who {b}, as {p} will tell you",
    "I told {p} on the way to {i} that I am not one who {b}",
)
_RELEVANT = re.compile(
    re.escape(templates.IS_IT_RELEVANT).replace(r"\{behaviour\}", "(?P<b>.*?)").replace(r"\{statement\}", "(?P<s>.*)")
)


@dataclass(frozen=True, slots=True)
class Known:
    """A question with a known answer.

    Attributes:
        answer: The right option's text.
        options: The texts that can be offered, in no particular order.
    """

    answer: str
    options: tuple[str, ...]


def statement(parameters: Parameters, reading: Reading, draw: float | None) -> str:
    """One statement for a reading that wants one.

    Args:
        parameters: `mislabels` and `duplicates` are shares of the draws.
        reading: The behaviour is its question, the stance what is proposed.
        draw: A number in [0, 1) that chooses; None takes the first favourite.
    """
    rng = random.Random(draw)
    wanted = reading.proposed == STANCES[0]
    if draw is None:
        return pool(reading.question, wanted)[0] + "."
    matching = wanted if rng.random() >= parameters.mislabels else not wanted
    offered = pool(reading.question, matching)
    favourite = rng.random() < parameters.duplicates
    text = offered[rng.randrange(FAVOURITES if favourite else len(offered))]
    return f"{text.upper() if favourite and rng.random() < 0.5 else text}."


@cache
def pool(behaviour: str, matching: bool) -> Sequence[str]:
    """All statements for a label, without their full stop, in a mixed order."""
    if plain(behaviour) == plain(statements.PERSONA):
        found = [text.removesuffix(".") for text, usual in statements.variations().items() if usual is not matching]
    else:
        forms = _MATCHING if matching else _OTHER
        found = [form.format(b=behaviour, p=person, i=island) for form in forms for person in PEOPLE for island in ISLANDS]
    random.Random(f"{behaviour} {matching}").shuffle(found)
    return tuple(found)


def key(question: str) -> Known | None:
    """The right answer to whether somebody with a behaviour would agree, or whether a statement is about it; None elsewhere."""
    if match := WOULD_AGREE.search(question):
        matching = matches(match["behaviour"], match["statement"])
        return None if matching is None else Known(STANCES[0] if matching else STANCES[1], STANCES)
    if match := _RELEVANT.search(question):
        about = matches(match["b"], match["s"]) is not None
        return Known("yes" if about else "no", ("yes", "no"))
    return None


def matches(behaviour: str, text: str) -> bool | None:
    """Whether somebody with the behaviour would agree to a statement; None where the key does not know it."""
    return _labels(behaviour).get(plain(text))


@cache
def _labels(behaviour: str) -> dict[str, bool]:
    return {plain(text): matching for matching in (True, False) for text in pool(behaviour, matching)}
