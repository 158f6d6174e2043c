"""A model as a judge: it picks one of several options, which may be labels (`yes`, `no`) or whole replies to compare.

The options are shown in the given order and in the reverse, and the two readings are averaged: what a judge prefers only because
it stands first cancels out (position bias; 2310.13548, procedure 2, compares in both orders). Both readings are kept, so that the
bias itself can be reported. A judge that fails leaves a record unscored; it never becomes a verdict.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_uppercase

from gnomon.datasets import templates
from gnomon.datasets.messages import Conversation, conversation
from gnomon.elicit.choose import Choice, choose
from gnomon.models.model import Model


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a judge said.

    Attributes:
        option: Index of the option that it prefers (None: unscored).
        probabilities: One per option, averaged over the two orders (empty: unscored).
        first_shown: Mean probability of whichever option was shown first; `1 / options` for a judge without position bias.
        consistent: Whether both orders led to the same option.
        verdicts: The option preferred in the given order, and the one in the reverse order (empty: unscored).
        mass: Mean probability of all letters together: how far the judge was willing to answer with a letter.
        unscored: Why there is no judgement.
    """

    option: int | None
    probabilities: tuple[float, ...] = ()
    first_shown: float | None = None
    consistent: bool | None = None
    verdicts: tuple[int, ...] = ()
    mass: float | None = None
    unscored: str | None = None


async def judge(model: Model, question: str, options: Sequence[str], before: Conversation = ()) -> Judgement:
    """Asks a judge which option fits best, in both orders.

    Args:
        model: The judge.
        question: What is to be judged, with everything that it needs to see but the options.
        options: 2 to 26 labels or replies.
        before: What was said to the judge before it is asked, such as a request for truthful answers.
    """
    letters = ascii_uppercase[: len(options)]
    forth, back = await asyncio.gather(
        choose(model, (*before, *_asked(question, options)), letters),
        choose(model, (*before, *_asked(question, options[::-1])), letters),
    )
    failed = _failure(forth) or _failure(back)
    if failed:
        return Judgement(None, unscored=failed)
    turned = back.probabilities[::-1]
    mean = tuple((first + second) / 2 for first, second in zip(forth.probabilities, turned, strict=True))
    verdicts = (_best(forth.probabilities), _best(turned))
    return Judgement(
        option=_best(mean),
        probabilities=mean,
        first_shown=(forth.probabilities[0] + back.probabilities[0]) / 2,
        consistent=verdicts[0] == verdicts[1],
        verdicts=verdicts,
        mass=None if forth.mass is None or back.mass is None else (forth.mass + back.mass) / 2,
    )


def _asked(question: str, options: Sequence[str]) -> Conversation:
    text = f"{question}\n{templates.CHOICES}\n{templates.choices(tuple(options))}"
    return conversation(("user", text), ("assistant", templates.ANSWER_OPENING))


def _failure(choice: Choice) -> str | None:
    return None if choice.letter else f"judge failed: {choice.unscored}"


def _best(probabilities: Sequence[float]) -> int:
    return max(range(len(probabilities)), key=probabilities.__getitem__)
