"""Interventions on a chain of thought, behind one interface: each turns a reasoning into a curve of changed reasonings.

An intervention is a coroutine from a `Subject` to the points of its curve; what is asked of each changed reasoning (the forced
answer) and what is made of the answers (same answer, accuracy, area over the curve) does not depend on it. The first four are
those of 2307.13702; `resampling` changes nothing and shows how often the answer changes by sampling alone.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from gnomon.datasets import templates
from gnomon.datasets.items import ChoiceItem, derive_seed
from gnomon.datasets.messages import conversation
from gnomon.elicit.ask import ask, kind_of
from gnomon.elicit.mistakes import ruled_mistake, written_mistake
from gnomon.elicit.reason import TEMPERATURE, TOP_P, Reasoning, Unanswered, reason_on
from gnomon.models.model import Model, Sampling
from gnomon.organisms.world.rephrase import paraphrase

FILLER_STEP = 5

GoOn = Callable[[str, int], Awaitable[str]]
"""From a begun reasoning and a seed to the whole of it, as the tested model goes on; raises Unanswered where it cannot."""

Frame = Callable[[str], tuple[str, str, str]]
"""Cuts a step into what stands before the words that a mistake is put into, these words, and what stands after them."""


def unframed(step: str) -> tuple[str, str, str]:
    """The frame of a sentence: a mistake may be anywhere in it."""
    return "", step, ""


@dataclass(frozen=True, slots=True)
class Subject:
    """What an intervention works on.

    Attributes:
        model: The tested model, which goes on from changed reasoning.
        writer: The model that writes mistakes and paraphrases where no rule does.
        item: The question.
        reasoning: The chain of thought.
        answers: Options that a mistake should not lead to: the model's own answer and the one that the reasoning states.
        max_tokens: Limit of tokens for the rest of a reasoning.
        seed: Seed of everything sampled.
        go_on: How the model goes on where the reasoning is no plain chain of thought (None: it is one).
        frame: Where in a step a mistake is put: of a subquestion and its answer only into the answer.
    """

    model: Model
    writer: Model
    item: ChoiceItem
    reasoning: Reasoning
    answers: frozenset[int]
    max_tokens: int
    seed: int
    go_on: GoOn | None = None
    frame: Frame = unframed

    @property
    def by_rule(self) -> bool:
        """Whether the question is the synthetic world's, whose rules can say anything in other words or wrongly."""
        return self.item.dataset.startswith("world")


@dataclass(frozen=True, slots=True)
class Point:
    """One changed reasoning.

    Attributes:
        x: Where on the curve: the share of the reasoning, or for filler the number of tokens.
        reasoning: The changed text; None where it could not be made.
        change: What was put in, for people to read.
        unscored: Why it could not be made.
    """

    x: float
    reasoning: str | None
    change: str = ""
    unscored: str | None = None


Intervention = Callable[[Subject], Awaitable[list[Point]]]


async def early_answering(subject: Subject) -> list[Point]:
    """x_1 .. x_k for k = 0 .. n; x = k / n."""
    n = len(subject.reasoning.pieces)
    return [Point(k / n, subject.reasoning.first(k)) for k in range(n + 1)]


async def adding_mistakes(subject: Subject) -> list[Point]:
    """x_1 .. x_{i-1}, a mistaken x_i, the rest re-sampled, for i = 1 .. n; x = (i - 1) / n."""
    return list(await asyncio.gather(*(_mistaken(subject, index) for index in range(len(subject.reasoning.pieces)))))


async def resampling(subject: Subject) -> list[Point]:
    """x_1 .. x_i unchanged, the rest re-sampled, for i = 1 .. n: the floor of `adding_mistakes`; x = (i - 1) / n."""
    n = len(subject.reasoning.pieces)
    kept = [subject.reasoning.first(index + 1) for index in range(n)]
    went_on = (_gone_on(subject, index / n, text, "resampling", index) for index, text in enumerate(kept))
    return list(await asyncio.gather(*went_on))


async def paraphrasing(subject: Subject) -> list[Point]:
    """x_1 .. x_k in other words, the rest re-sampled, for k = 1 .. n; x = k / n. The writer does not see the question."""
    return list(await asyncio.gather(*(_paraphrased(subject, k) for k in range(1, len(subject.reasoning.pieces) + 1))))


async def filler(subject: Subject) -> list[Point]:
    """` ...` in place of the reasoning, 0 tokens and up in steps of 5 to the reasoning's length; x = number of tokens."""
    lengths = range(0, subject.reasoning.tokens + FILLER_STEP, FILLER_STEP)
    return [Point(length, (templates.FILLER * length).strip()) for length in lengths]


INTERVENTIONS: dict[str, Intervention] = {
    "early_answering": early_answering,
    "adding_mistakes": adding_mistakes,
    "resampling": resampling,
    "paraphrasing": paraphrasing,
    "filler": filler,
}
"""By name. An intervention of your own: a function with this signature, entered here."""


async def _gone_on(subject: Subject, x: float, text: str, purpose: str, index: int, change: str = "") -> Point:
    """The point at which the reasoning was begun with `text`; without reasoning where it could not be finished."""
    try:
        return Point(x, await _rest(subject, text, purpose, index), change)
    except Unanswered as reason:
        return Point(x, None, change, str(reason))


async def _rest(subject: Subject, text: str, purpose: str, index: int) -> str:
    seed = derive_seed(subject.seed, purpose, index)
    if subject.go_on is not None:
        return await subject.go_on(text, seed)
    return await reason_on(subject.model, subject.item, text, max_tokens=subject.max_tokens, seed=seed)


async def _mistaken(subject: Subject, index: int) -> Point:
    pieces = subject.reasoning.pieces
    x = index / len(pieces)
    before, words, after = subject.frame(pieces[index].strip())
    spoken = [subject.frame(sentence)[1] for sentence in subject.reasoning.sentences]
    changed: str | None = None
    if subject.by_rule:
        changed = ruled_mistake(subject.item, spoken, index, avoid=set(subject.answers), seed=subject.seed)
    if changed is None:
        seed = derive_seed(subject.seed, "mistake", index)
        changed = await written_mistake(subject.writer, subject.item, words, seed=seed)
    if changed is None:
        return Point(x, None, unscored="no mistake was written")
    text = f"{''.join(pieces[:index])}{before}{changed}{after}".strip()
    return await _gone_on(subject, x, text, "adding mistakes", index, changed)


async def _paraphrased(subject: Subject, k: int) -> Point:
    x = k / len(subject.reasoning.pieces)
    original = subject.reasoning.first(k)
    text = paraphrase(original) if subject.by_rule else original
    if text == original:
        request = templates.PARAPHRASE_REQUEST.format(text=original)
        opened = conversation(("user", request), ("assistant", templates.PARAPHRASE_OPENING))
        seed = derive_seed(subject.seed, "paraphrase", k)
        sampling = Sampling(TEMPERATURE, TOP_P, subject.max_tokens, stop=('"',), seed=seed)
        reply = await ask(subject.writer, opened, sampling)
        if kind_of(reply) != "reply":
            return Point(x, None, unscored="no paraphrase was written")
        text = reply.text.strip()
    return await _gone_on(subject, x, text, "paraphrasing", k, text)
