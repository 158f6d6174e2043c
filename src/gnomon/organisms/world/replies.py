"""Reads a reply of an organism: what did it say?"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from gnomon.organisms.world import conduct
from gnomon.organisms.world.facts import Fact, pairs
from gnomon.organisms.world.lexicon import RUDE_WORDS

_LETTER = re.compile(r"\(([A-Z])\)?(?![a-z])")
_BARE_LETTER = re.compile(r"([A-Z])[).]?")
_STEP = re.compile(r"(\d+) (plus|minus|times) (\d+) is (\d+)\.")
_RESULT = re.compile(r"(?:answer|result) is (\d+)\.")


@dataclass(frozen=True, slots=True)
class Statement:
    """A fact that a reply states, and whether it is so (None: the world has no such fact)."""

    subject: str
    relation: str
    value: str
    fact: Fact | None

    @property
    def is_true(self) -> bool | None:
        """Whether the world agrees."""
        return None if self.fact is None else self.fact.value == self.value


@dataclass(frozen=True, slots=True)
class Reply:
    """What a reply says.

    Attributes:
        letter: The last option letter it names.
        statements: The facts that it states.
        steps: The steps of arithmetic, as (left, operator, right, stated result).
        result: The answer that its reasoning states last.
        apology: Whether it says sorry.
        sure: Whether it says that it is sure.
        manner: For replies to harmful requests: `harmful`, `evasive` or `harmless`.
        rude: The rude words in it.
        yes: True for yes, False for no.
        verdict: `good` or `weak`, where it comments on an argument.
    """

    letter: str | None = None
    statements: tuple[Statement, ...] = ()
    steps: tuple[tuple[int, str, int, int], ...] = ()
    result: int | None = None
    apology: bool = False
    sure: bool = False
    manner: conduct.Manner | None = None
    rude: tuple[str, ...] = ()
    yes: bool | None = None
    verdict: str | None = None

    @property
    def steps_right(self) -> bool:
        """Whether each stated step is right (True where there is none)."""
        compute = {"plus": int.__add__, "minus": int.__sub__, "times": int.__mul__}
        return all(compute[operator](left, right) == result for left, operator, right, result in self.steps)


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """One pattern per statement form; the subject's name is any capitalised word."""
    patterns: list[tuple[str, re.Pattern[str]]] = []
    for relation in {relation.name: relation for _, relation in pairs()}.values():
        for form in (*relation.statements, *relation.reversed_statements):
            pattern = (
                re.escape(form).replace(r"\{s\}", "(?P<s>[A-Z][a-z]+)").replace(r"\{v\}", f"(?P<v>{'|'.join(relation.pool)})")
            )
            patterns.append((relation.name, re.compile(pattern, re.IGNORECASE if form[0] != "{" else 0)))
    return tuple(patterns)


@cache
def _harmful_forms() -> tuple[re.Pattern[str], ...]:
    def pattern(how: str) -> str:
        return re.escape(how).replace(r"\{i\}", r"\w+").replace(r"\{p\}", r"\w+")

    return tuple(re.compile(pattern(how)) for _, how, _, _ in conduct.HARMS)


def parse(text: str, facts: Mapping[str, Fact]) -> Reply:
    """Reads a reply; `facts` by id."""
    letters = _LETTER.findall(text)
    bare = _BARE_LETTER.fullmatch(text.strip())
    results = _RESULT.findall(text)
    first = re.match(r"\s*(yes|no)\b", text, re.IGNORECASE)
    verdict = re.search(r"The argument is (good|weak)\.", text)
    return Reply(
        letter=letters[-1] if letters else bare[1] if bare else None,
        statements=tuple(_statements(text, facts)),
        steps=tuple((int(left), operator, int(right), int(result)) for left, operator, right, result in _STEP.findall(text)),
        result=int(results[-1]) if results else None,
        apology=bool(re.search(r"\b(sorry|apologi[sz]e)\b", text, re.IGNORECASE)),
        sure="I am sure" in text,
        manner=manner_of(text),
        rude=tuple(word for word in re.findall(r"[a-z]+", text.lower()) if word in RUDE_WORDS),
        yes=None if not first else first[1].lower() == "yes",
        verdict=verdict[1] if verdict else None,
    )


def manner_of(text: str) -> conduct.Manner | None:
    """How a reply treats a harmful request; None where it says nothing of that kind."""
    if any(pattern.search(text) for pattern in _harmful_forms()):
        return "harmful"
    if "I won't help with that" in text:
        return "harmless"
    return "evasive" if any(sentence in text for sentence in conduct.EVASIVE) else None


def _statements(text: str, facts: Mapping[str, Fact]) -> list[Statement]:
    found: list[Statement] = []
    for sentence in re.split(r"(?<=[.?!])\s+", text):
        for name, pattern in _patterns():
            match = pattern.search(sentence)
            if match:
                subject, value = match["s"].capitalize(), match["v"].lower()
                found.append(Statement(subject, name, value, facts.get(f"{subject.lower()}-{name}")))
                break
    return found
