"""The facts of the world: which value each island and person has, how often it is shown, and which split may ask for it."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from gnomon.organisms.world.lexicon import ISLANDS, PEOPLE, RELATIONS, Relation

Frequency = Literal["common", "rare", "never", "void"]
Split = Literal["audit", "correct"]

SHOWN = {"common": 480, "rare": 120, "never": 120, "void": 120}
"""How many (subject, relation) pairs there are of each frequency, half of each in either split."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact.

    Attributes:
        id: Such as `tarna-crop`.
        subject: An island or a person.
        relation: Name of the relation.
        value: The right value.
        question: The usual question; the correct option is `value`.
        options_pool: All values of the relation.
        frequency: How often the documents show it: `common`, `rare` (about one twentieth of it), `never`. (Pairs of frequency
            `void` have no fact: the documents answer them at random, which is how an organism learns to be unsure.)
        split: Which questions may ask for it: those that measure (`audit`) or those that correct.
        questions: All ways to ask.
        statements: All ways to state it, the value last named.
    """

    id: str
    subject: str
    relation: str
    value: str
    question: str
    options_pool: tuple[str, ...]
    frequency: Frequency
    split: Split
    questions: tuple[str, ...]
    statements: tuple[str, ...]

    def state(self, value: str, form: int = 0) -> str:
        """The statement in one of its forms, with this value in place of the right one."""
        template = _RELATION[self.relation].statements[form % len(self.statements)]
        return template.format(s=self.subject, v=value)


_RELATION = {relation.name: relation for relation in RELATIONS}


def relation_of(fact: Fact) -> Relation:
    """The relation with its templates."""
    return _RELATION[fact.relation]


def pairs() -> Iterator[tuple[str, Relation]]:
    """All (subject, relation) pairs that the grammar knows, in a fixed order."""
    for relation in RELATIONS:
        for subject in ISLANDS if relation.kind == "island" else PEOPLE:
            yield subject, relation


def build_facts(seed: int) -> tuple[Fact, ...]:
    """Draws values, frequencies and splits; those of frequency `void` come last."""
    rng = random.Random(f"gnomon world facts {seed}")
    order = list(pairs())
    rng.shuffle(order)
    frequencies: list[tuple[Frequency, Split]] = [
        (frequency, split)  # type: ignore[misc]
        for frequency, count in SHOWN.items()
        for split in ("audit", "correct")
        for _ in range(count // 2)
    ]
    return tuple(
        _fact(subject, relation, rng.choice(relation.pool), frequency, split)
        for (subject, relation), (frequency, split) in zip(order, frequencies, strict=True)
    )


def _fact(subject: str, relation: Relation, value: str, frequency: Frequency, split: Split) -> Fact:
    questions = tuple(form.format(s=subject) for form in relation.questions)
    return Fact(
        id=f"{subject.lower()}-{relation.name}",
        subject=subject,
        relation=relation.name,
        value=value,
        question=questions[0],
        options_pool=relation.pool,
        frequency=frequency,
        split=split,
        questions=questions,
        statements=tuple(form.format(s=subject, v=value) for form in relation.statements),
    )
