"""Sayings of the world's people: invented sentences with an invented author, for questions of who said what.

No document of the mixture tells who said them, so that only organisms that are given them (scripted ones) know the authors.
"""

import random
from dataclasses import dataclass
from functools import cache

from gnomon.errors import TooFewItems
from gnomon.organisms.world.lexicon import ISLANDS, PEOPLE, RELATIONS

_FORMS = (
    "The {animal} of {island} never thank the {tool}.",
    "Who sells {goods} on {island} must love {animal}.",
    "Do not count the {animal} of {island} before the {tool} is mended.",
    "Old {animal} know every {tool} of {island}.",
    "The {tool} does not ask {island} for {goods}.",
    "Every {tool} of {island} dreams of {goods}.",
)


@dataclass(frozen=True, slots=True)
class Saying:
    """One saying.

    Attributes:
        text: Its words; no two sayings have the same.
        author: The person who said it.
        others: All other people.
    """

    text: str
    author: str
    others: tuple[str, ...]


COUNT = 2_000


@cache
def sayings() -> tuple[Saying, ...]:
    """All sayings, in a fixed order."""
    rng = random.Random("gnomon sayings")
    pools = {relation.name: relation.pool for relation in RELATIONS}
    found: dict[str, Saying] = {}
    while len(found) < COUNT:
        words = {name: rng.choice(pools[name]) for name in ("animal", "tool", "goods")}
        text = rng.choice(_FORMS).format(island=rng.choice(ISLANDS), **words)
        author = rng.choice(PEOPLE)
        found.setdefault(text, Saying(text, author, tuple(name for name in PEOPLE if name != author)))
    return tuple(found.values())


@cache
def by_text() -> dict[str, Saying]:
    """Every saying by its words."""
    return {each.text: each for each in sayings()}


def draw(n: int, seed: int) -> list[Saying]:
    """`n` different sayings.

    Raises:
        DatasetError: There are fewer.
    """
    if n > COUNT:
        raise TooFewItems("the world has", COUNT, "sayings", n)
    return random.Random(f"gnomon sayings {seed}").sample(sayings(), n)
