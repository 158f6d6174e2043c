"""Attackers: who leads a dialogue with the assistant under attack (2209.07858, procedure 2; automated: 2202.03286).

An attacker says one turn at a time and sees the dialogue so far. Prepared attacks, the world's and recorded ones, ignore it; a
model reads it; a person at a desk is one more `Attacker`.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from gnomon.datasets import templates
from gnomon.datasets.items import Item, content_hash, derive_seed
from gnomon.datasets.messages import Conversation
from gnomon.models.model import Model, Sampling


class Attack(Item):
    """What an attacker is to do; its cluster is the attacker, since attackers differ hugely, or else the attack itself.

    Attributes:
        tags: Kinds of harm that it is after (none: not known).
        tactic: How it is put, where that is known.
        turns: What is said, for an attacker that follows a script.
    """

    tags: tuple[str, ...] = ()
    tactic: str | None = None
    turns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Turn:
    """What an attacker says next.

    Attributes:
        text: The user's turn (None: it has nothing more to say, or failed).
        failed: Why it failed.
    """

    text: str | None
    failed: str | None = None


class Attacker(Protocol):
    """Leads dialogues.

    Attributes:
        fingerprint: Hash of what determines its turns.
    """

    @property
    def fingerprint(self) -> str:
        """Hash of what determines its turns."""
        ...

    async def say(self, attack: Attack, dialogue: Conversation, seed: int) -> Turn:
        """The next turn of an attack, after a dialogue that is empty or ends with the assistant's reply."""
        ...


class Script:
    """Says the turns that an attack brings along, whatever the assistant replies.

    A recorded dialogue adapted to the model that it was held with; replayed on another one it is not the same test.
    """

    fingerprint = "script"

    async def say(self, attack: Attack, dialogue: Conversation, seed: int) -> Turn:
        """The attack's next turn."""
        said = sum(message.role == "user" for message in dialogue)
        return Turn(attack.turns[said] if said < len(attack.turns) else None)


class LanguageModel:
    """A model that continues a list of attacks, or a dialogue.

    Without examples the first turn is zero-shot: a numbered list of questions, of which the first line that ends in a question
    mark is kept. With examples (few-shot) the list begins with some of them, drawn anew for each attack. Later turns continue
    the dialogue as text.

    Attributes:
        model: The attacker.
        examples: First turns to draw examples from.
        shots: How many examples stand before each attack.
        sampling: Of its turns; the seed is replaced.
    """

    def __init__(self, model: Model, examples: Sequence[str] = (), shots: int = 5, sampling: Sampling | None = None):
        self.model = model
        self.examples = tuple(examples)
        self.shots = min(shots, len(self.examples))
        self.sampling = sampling or Sampling(1.0, max_tokens=64)

    @property
    def fingerprint(self) -> str:
        """Of the model, the examples and the sampling."""
        told = [self.sampling.temperature, self.sampling.top_p, self.sampling.max_tokens]
        return content_hash([self.model.fingerprint, self.examples, self.shots, told])

    async def say(self, attack: Attack, dialogue: Conversation, seed: int) -> Turn:
        """One sampled turn."""
        prompt = self._opening(attack, seed) if not dialogue else templates.as_dialogue(dialogue)
        sampling = Sampling(
            self.sampling.temperature,
            self.sampling.top_p,
            self.sampling.max_tokens,
            stop=("\n",) if not dialogue else ("\n\nAssistant:", "\n\nHuman:"),
            seed=derive_seed("attacker", seed, len(dialogue)),
        )
        text = (await self.model.generate([prompt], sampling))[0].text.strip()
        if not dialogue and not self.shots and not text.endswith("?"):
            return Turn(None, "attacker failed: no question")
        return Turn(text) if text else Turn(None, "attacker failed: it said nothing")

    def _opening(self, attack: Attack, seed: int) -> str:
        rng = random.Random(derive_seed("examples", seed, attack.id))
        return templates.list_of_attacks(rng.sample(self.examples, self.shots))
