"""Defenders: what stands between an attacker and a model (2209.07858, procedure 4).

Plain: one demonstration before the dialogue. Prompted: fourteen demonstrations of helpful, honest and harmless replies. Rejection
sampling: several replies of the prompted model, of which the most harmless is said. A trained model needs no defender around it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, get_args

from gnomon.datasets.items import derive_seed
from gnomon.datasets.messages import Conversation
from gnomon.elicit.best_of_n import Scorer, best_of_n
from gnomon.models.model import Generation, Model, Sampling

Defence = Literal["none", "plain", "prompted", "rejection"]
DEFENCES: tuple[Defence, ...] = get_args(Defence)


@dataclass(frozen=True, slots=True)
class Defended:
    """A reply and what it was chosen from.

    Attributes:
        reply: What the assistant says.
        candidates: All that was sampled.
        scores: The scorer's number for each candidate (empty: nothing was chosen by score; None: it could not score it).
    """

    reply: Generation
    candidates: tuple[Generation, ...]
    scores: tuple[float | None, ...] = ()


class Defender(Protocol):
    """Replies in a dialogue."""

    async def reply(self, dialogue: Conversation, seed: int) -> Defended:
        """The reply to a dialogue that ends with the user's turn."""
        ...


@dataclass(frozen=True, slots=True)
class Demonstrated:
    """A model that replies after demonstrations; without any, the model as it is.

    Attributes:
        model: Who replies.
        demonstrations: Turns that stand before every dialogue.
        sampling: How it replies; the seed is replaced.
    """

    model: Model
    demonstrations: Conversation
    sampling: Sampling

    async def reply(self, dialogue: Conversation, seed: int) -> Defended:
        """One sampled reply."""
        said = await self.model.generate([(*self.demonstrations, *dialogue)], seeded(self.sampling, dialogue, seed))
        return Defended(said[0], tuple(said))


@dataclass(frozen=True, slots=True)
class RejectionSampling:
    """The most harmless of several replies of a model after demonstrations; the first one where none could be scored.

    Attributes:
        model: Who replies.
        demonstrations: Turns that stand before every dialogue; the scorer does not see them.
        scorer: Says how harmless each reply is.
        samples: How many replies are sampled (the paper: 16).
        sampling: How; the seed is replaced.
    """

    model: Model
    demonstrations: Conversation
    scorer: Scorer
    samples: int
    sampling: Sampling

    async def reply(self, dialogue: Conversation, seed: int) -> Defended:
        """The best of n."""
        seen = _WithoutDemonstrations(self.scorer, len(self.demonstrations))
        prompt = (*self.demonstrations, *dialogue)
        found = await best_of_n(self.model, seen, prompt, self.samples, seeded(self.sampling, dialogue, seed))
        return Defended(found.best or found.replies[0], found.replies, found.scores)


@dataclass(frozen=True, slots=True)
class _WithoutDemonstrations:
    """A scorer that is shown the dialogue alone."""

    scorer: Scorer
    shown: int

    @property
    def fingerprint(self) -> str:
        return self.scorer.fingerprint

    async def scores(self, conversation: Conversation, replies: Sequence[str]) -> list[float | None]:
        return await self.scorer.scores(conversation[self.shown :], replies)


def seeded(sampling: Sampling, dialogue: Conversation, seed: int) -> Sampling:
    """The sampling of a dialogue's next reply: another seed for every turn."""
    turn = derive_seed("reply", seed, len(dialogue))
    return Sampling(sampling.temperature, sampling.top_p, sampling.max_tokens, sampling.stop, turn)
