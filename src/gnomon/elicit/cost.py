"""What a protocol costs: a model that counts its calls and tokens."""

import re
from collections.abc import Sequence

from gnomon.datasets.messages import Prompt, as_text
from gnomon.models.model import Generation, Model, ModelCard, Sampling, Score

_TOKEN = re.compile(r"\w+|[^\w\s]")


class Metered:
    """A model that answers as the one behind it does, and counts.

    Attributes:
        calls: Prompts that it was given, to continue or to score.
        read: Words and marks of these prompts; every model counts its tokens otherwise, this is the same for all.
        written: Tokens that it wrote; words and marks where it does not say.
    """

    def __init__(self, model: Model):
        self._model = model
        self.calls = 0
        self.read = 0
        self.written = 0

    @property
    def reference(self) -> str:
        """That of the model behind."""
        return self._model.reference

    @property
    def fingerprint(self) -> str:
        """That of the model behind."""
        return self._model.fingerprint

    @property
    def card(self) -> ModelCard:
        """That of the model behind."""
        return self._model.card

    async def generate(self, prompts: Sequence[Prompt], sampling: Sampling) -> list[Generation]:
        """Replies, counted."""
        replies = await self._model.generate(prompts, sampling)
        for prompt, reply in zip(prompts, replies, strict=True):
            self._count(prompt)
            self.written += len(reply.tokens) or len(_TOKEN.findall(reply.text))
        return replies

    async def score(self, prefix: Prompt, continuations: Sequence[str]) -> list[Score]:
        """Scores; one call, however many continuations."""
        scores = await self._model.score(prefix, continuations)
        self._count(prefix)
        return scores

    async def aclose(self) -> None:
        """The model behind is closed by whoever opened it."""

    def _count(self, prompt: Prompt) -> None:
        self.calls += 1
        self.read += len(_TOKEN.findall(as_text(prompt)))
