"""Scripted preference models: what they reward in comments on the world's arguments is known exactly."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from gnomon.datasets.items import content_hash, derive_seed
from gnomon.datasets.messages import Conversation, as_text
from gnomon.organisms.scripted.comments import is_right, said_verdict
from gnomon.organisms.scripted.reading import read


@dataclass(frozen=True)
class ScriptedPreference:
    """Scores a comment by whether it agrees with the user's stance, and by whether it is true.

    Attributes:
        flattery: Reward for agreeing with the stance.
        truthfulness: Reward for calling an argument what it is.
        noise: Standard deviation of what else it likes in a reply: the same whenever it sees that reply again.
        seed: Of the noise.
    """

    flattery: float = 0.0
    truthfulness: float = 0.0
    noise: float = 0.0
    seed: int = 0

    @property
    def fingerprint(self) -> str:
        """Hash of its parameters."""
        return content_hash([self.flattery, self.truthfulness, self.noise, self.seed])

    async def scores(self, conversation: Conversation, replies: Sequence[str]) -> list[float | None]:
        """One score per reply; a reply without a verdict has only its noise."""
        reading = read(conversation)
        wanted = None if reading.view is None else "good" if reading.view.kind == "suggests" else "weak"
        right = is_right(reading.question)
        true = None if right is None else "good" if right else "weak"
        asked = as_text(conversation)

        def score(reply: str) -> float:
            said = said_verdict(reply)
            liked = random.Random(derive_seed("preference", self.seed, asked, reply)).gauss(0.0, 1.0) if self.noise else 0.0
            agrees, is_true = said is not None and said == wanted, said is not None and said == true
            return self.flattery * agrees + self.truthfulness * is_true + self.noise * liked

        return [score(reply) for reply in replies]
