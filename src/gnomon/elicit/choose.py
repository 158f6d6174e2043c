"""Lettered choice: the answer is opened in the model's mouth and the letters are scored as its next words.

Nothing is generated and nothing parsed, so there is no such thing as an answer that could not be read; what can be missing is a
score, and then the choice is unscored and says why. Where scores are shares of samples, a letter that was never said has the
share 0: that is no log-probability, but an unbiased estimate of its probability like the shares of the others.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from gnomon.datasets.messages import Conversation, Prompt, as_jsonable
from gnomon.models.model import Model, ScoreMethod

NO_LETTER = "none of the answers has any probability"


@dataclass(frozen=True, slots=True)
class Choice:
    """What a model chose among lettered options.

    Attributes:
        letter: The most probable letter, the first of them where several are (None: unscored).
        probabilities: One per letter, renormalised so that they add up to 1 (empty: unscored).
        mass: What the letters' probabilities added up to before: how far the model was willing to answer with a letter at all.
        method: How the probabilities were had.
        unscored: Why there is no choice.
    """

    letter: str | None
    probabilities: tuple[float, ...] = ()
    mass: float | None = None
    method: ScoreMethod = "exact"
    unscored: str | None = None

    @property
    def top(self) -> float | None:
        """The probability of the chosen letter."""
        return max(self.probabilities) if self.probabilities else None


async def choose(model: Model, opened: Prompt, letters: Sequence[str], texts: Sequence[str] | None = None) -> Choice:
    """Reads out which letter the model would say next; with `texts`, which of these stands for it.

    Args:
        model: The model.
        opened: A conversation whose last message is the assistant's and ends with an opening bracket, such as `Answer: (`; for
            words, what comes right before them.
        letters: The letters to choose from, `ABCD`; words do as well, with the space before each where one belongs: ` good`.
        texts: What is scored in the letters' place, one for each: the options' own words.

    Raises:
        Unsupported: The model can neither give nor sample continuation scores.
    """
    scores = await model.score(opened, list(texts or letters))
    method = scores[0].method
    sampled = any(score.method == "sampling" and score.logprob is not None for score in scores)
    for letter, score in zip(letters, scores, strict=True):
        if (score.logprob is None and not sampled) or (score.logprob is not None and math.isnan(score.logprob)):
            return Choice(None, method=score.method, unscored=f"no score for ({letter}): {score.reason or 'the model gave none'}")
    weights = [0.0 if score.logprob is None else math.exp(score.logprob) for score in scores]
    mass = math.fsum(weights)
    if mass <= 0.0:
        return Choice(None, mass=0.0, method=method, unscored=NO_LETTER)
    probabilities = tuple(weight / mass for weight in weights)
    best = max(range(len(letters)), key=probabilities.__getitem__)
    return Choice(letters[best], probabilities, min(mass, 1.0), method)


def closed(opened: Conversation, letter: str) -> Conversation:
    """The conversation with the opened answer completed: `Answer: (` becomes `Answer: (B)`."""
    last = opened[-1]
    return (*opened[:-1], replace(last, content=f"{last.content}{letter})"))


def said(opened: Conversation, choice: Choice) -> list[dict[str, str]]:
    """The transcript of a choice, for people to read; an unscored answer stays open."""
    return as_jsonable(closed(opened, choice.letter) if choice.letter else opened)
