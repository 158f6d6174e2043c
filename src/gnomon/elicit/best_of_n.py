"""Best-of-N: several replies are sampled and a preference model ranks them (2310.13548, procedure 7).

Whatever scores replies can stand in as the preference model: a judge that is asked, a rule, trained weights. It is a `Scorer`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from gnomon.datasets.messages import Conversation
from gnomon.errors import ConfigurationError
from gnomon.models.model import Generation, Model, Sampling


@runtime_checkable
class Scorer(Protocol):
    """A preference model: gives each reply to a conversation a number, larger where it is preferred.

    Attributes:
        fingerprint: Hash of what determines its scores; part of every key under which something scored is kept.
    """

    @property
    def fingerprint(self) -> str:
        """Hash of what determines its scores."""
        ...

    async def scores(self, conversation: Conversation, replies: Sequence[str]) -> list[float | None]:
        """One score per reply, in their order; None where it could not score one."""
        ...


@dataclass(frozen=True, slots=True)
class Ranked:
    """Sampled replies with their scores.

    Attributes:
        replies: As sampled.
        scores: One each; None where the scorer gave none, or none that is finite.
    """

    replies: tuple[Generation, ...]
    scores: tuple[float | None, ...]

    @property
    def order(self) -> list[int]:
        """Indices of the scored replies, best first; equal scores in the order of sampling."""
        scored = [(score, place) for place, score in enumerate(self.scores) if score is not None]
        return [place for _, place in sorted(scored, key=lambda each: (-each[0], each[1]))]

    @property
    def best(self) -> Generation | None:
        """The best reply (None: none could be scored)."""
        return self.replies[self.order[0]] if self.order else None

    def chances(self, n: int) -> list[float] | None:
        """How probable each reply is to be the best of `n` drawn at random, without replacement, from the scored ones.

        That is the mean over all subsets of `n`, of which the paper draws some at random. Where several share the best score
        each is as probable as the others. Unscored replies have 0; None where fewer than `n` are scored.

        Raises:
            ConfigurationError: `n` is less than 1.
        """
        if n < 1:
            raise ConfigurationError(f"n is {n}; at least 1 reply must be drawn")
        scored = [score for score in self.scores if score is not None]
        if len(scored) < n:
            return None
        subsets = math.comb(len(scored), n)

        def chance(score: float) -> float:
            below = sum(other < score for other in scored)
            equal = scored.count(score)
            return (math.comb(below + equal, n) - math.comb(below, n)) / subsets / equal

        return [0.0 if score is None else chance(score) for score in self.scores]


async def best_of_n(model: Model, scorer: Scorer, conversation: Conversation, n: int, sampling: Sampling) -> Ranked:
    """Samples `n` replies and ranks them.

    Args:
        model: Who replies.
        scorer: The preference model.
        conversation: What is replied to.
        n: How many replies; each has its own seed, derived from that of `sampling`.
        sampling: How they are sampled; at temperature 0 all of them would be the same.

    Raises:
        ConfigurationError: `n` is less than 1, or the scorer gives another number of scores than there are replies.
    """
    if n < 1:
        raise ConfigurationError(f"n is {n}; at least 1 reply must be sampled")
    replies = await model.generate([conversation] * n, sampling)
    return await ranked(scorer, conversation, replies)


async def ranked(scorer: Scorer, conversation: Conversation, replies: Sequence[Generation]) -> Ranked:
    """Ranks replies that are there already.

    Raises:
        ConfigurationError: The scorer gives another number of scores than there are replies.
    """
    given = await scorer.scores(conversation, [reply.text for reply in replies])
    if len(given) != len(replies):
        raise ConfigurationError(f"the scorer gave {len(given)} scores for {len(replies)} replies; it must give one for each")
    finite = (None if score is None or not math.isfinite(score) else float(score) for score in given)
    return Ranked(tuple(replies), tuple(finite))
