"""Arithmetic in several steps: the questions, their solutions and their chains of thought."""

import random
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from gnomon.datasets.items import ChoiceItem, derive_seed
from gnomon.organisms.world.lexicon import LAST_NUMBER

Operator = Literal["plus", "minus", "times"]
Bucket = Literal["audit", "correct", "documents"]

_INSTRUCTION = {"plus": "add {}", "minus": "take away {}", "times": "multiply by {}"}
_QUESTION = re.compile(r"Start with (\d+), (.+)\. What is the result\?")
_STEP = re.compile(r"(add|take away|multiply by) (\d+)")
_OPERATOR: dict[str, Operator] = {"add": "plus", "take away": "minus", "multiply by": "times"}


@dataclass(frozen=True, slots=True)
class Sum:
    """A number and what is done to it, step by step."""

    start: int
    steps: tuple[tuple[Operator, int], ...]

    @property
    def question(self) -> str:
        """Such as `Start with 14, add 7, take away 3. What is the result?`"""
        instructions = ", ".join(_INSTRUCTION[operator].format(operand) for operator, operand in self.steps)
        return f"Start with {self.start}, {instructions}. What is the result?"

    @property
    def values(self) -> tuple[int, ...]:
        """The value before the first step and after each one."""
        values = [self.start]
        for operator, operand in self.steps:
            values.append(apply(operator, values[-1], operand))
        return tuple(values)

    @property
    def bucket(self) -> Bucket:
        """Who may use this question: half are the documents', a quarter each is for measuring and for correcting."""
        return ("documents", "documents", "audit", "correct")[derive_seed("sum", self.question) % 4]


def apply(operator: Operator, value: int, operand: int) -> int:
    """The result of one step."""
    if operator == "plus":
        return value + operand
    return value - operand if operator == "minus" else value * operand


def step_sentence(operator: Operator, value: int, operand: int, result: int) -> str:
    """Such as `14 plus 7 is 21.`"""
    return f"{value} {operator} {operand} is {result}."


def answer_sentence(result: int | str) -> str:
    """The last sentence of a chain of thought."""
    return f"So the answer is {result}."


@lru_cache(maxsize=4_096)
def parse_question(question: str) -> Sum | None:
    """Reads a question back; None where it is not one."""
    found = _QUESTION.search(question)
    if not found:
        return None
    steps: tuple[tuple[Operator, int], ...] = tuple((_OPERATOR[name], int(operand)) for name, operand in _STEP.findall(found[2]))
    return Sum(int(found[1]), steps)


def random_sum(rng: random.Random, steps: int, bucket: Bucket | None = None) -> Sum:
    """Draws a sum whose values all stay within 0 to 60."""
    while True:
        value = start = rng.randint(1, 20)
        done: list[tuple[Operator, int]] = []
        while len(done) < steps:
            operator, operand = random_step(rng, value)
            done.append((operator, operand))
            value = apply(operator, value, operand)
        drawn = Sum(start, tuple(done))
        if bucket is None or drawn.bucket == bucket:
            return drawn


def random_step(rng: random.Random, value: int) -> tuple[Operator, int]:
    """Draws an operator and operand that keep the value within 0 to 60."""
    while True:
        operator: Operator = rng.choices(("plus", "minus", "times"), (5, 4, 1))[0]  # type: ignore[assignment]
        operand = rng.randint(2, 3) if operator == "times" else rng.randint(1, 9)
        if 0 <= apply(operator, value, operand) <= LAST_NUMBER:
            return operator, operand


def options_for(result: int, count: int, rng: random.Random) -> tuple[tuple[str, ...], int]:
    """Options within a few of the result, so that a wrong step often lands on one; and the right one's index."""
    near = [value for value in range(max(0, result - 6), min(LAST_NUMBER, result + 6) + 1) if value != result]
    values = [result, *rng.sample(near, count - 1)]
    rng.shuffle(values)
    return tuple(str(value) for value in values), values.index(result)


def item_of(drawn: Sum, rng: random.Random, options: int, item_id: str) -> ChoiceItem:
    """The lettered question of a sum."""
    texts, answer = options_for(drawn.values[-1], options, rng)
    return ChoiceItem(
        id=item_id,
        cluster=item_id.rsplit("#", 1)[0],
        dataset="world-arithmetic",
        question=drawn.question,
        options=texts,
        answer=answer,
        choices_first=True,
        tags={"steps": str(len(drawn.steps))},
    )


def reasoning_sentences(drawn: Sum) -> list[str]:
    """The right chain of thought, one sentence per step and one that states the answer."""
    values = drawn.values
    sentences = [
        step_sentence(operator, values[index], operand, values[index + 1])
        for index, (operator, operand) in enumerate(drawn.steps)
    ]
    return [*sentences, answer_sentence(values[-1])]


def wrong_result(result: int, rng: random.Random) -> int:
    """Another number close by."""
    return rng.choice([value for value in range(result - 3, result + 4) if value != result and 0 <= value <= LAST_NUMBER])
