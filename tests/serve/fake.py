"""Models whose pace and failures a test decides."""

import asyncio
from collections.abc import AsyncGenerator, Sequence

from gnomon.datasets.messages import Prompt, as_text
from gnomon.models.model import Generation, ModelCard, Piece, Sampling, Score


class Echoing:
    """Replies with the prompt, word by word; waits for `go` first, and notes what was given up.

    Attributes:
        go: Replies wait until it is set.
        asked: Prompts whose reply was begun.
        finished: Prompts whose reply was given.
        given_up: Prompts whose reply was cancelled.
        failure: Raised instead of a reply.
    """

    reference = "fake/echoing"
    fingerprint = "fake"
    card = ModelCard("fake/echoing", "fake", "scripted")

    def __init__(self, *, waits: bool = False, failure: Exception | None = None):
        self.waits = waits
        self.go: asyncio.Event | None = None
        self.failure = failure
        self.asked: list[str] = []
        self.finished: list[str] = []
        self.given_up: list[str] = []

    async def generate(self, prompts: Sequence[Prompt], sampling: Sampling) -> list[Generation]:
        return [await self._reply(as_text(prompt), sampling) for prompt in prompts]

    async def _reply(self, text: str, sampling: Sampling) -> Generation:
        self.asked.append(text)
        try:
            await self._wait()
        except asyncio.CancelledError:
            self.given_up.append(text)
            raise
        if self.failure:
            raise self.failure
        self.finished.append(text)
        return Generation(text, tokens=tuple(text.split()), logprobs=(-1.0,) * len(text.split()) if sampling.logprobs else None)

    async def _wait(self) -> None:
        if self.waits:
            self.go = self.go or asyncio.Event()
            await self.go.wait()

    async def score(self, prefix: Prompt, continuations: Sequence[str]) -> list[Score]:
        return [Score(None, reason="fake") for _ in continuations]

    async def aclose(self) -> None:
        pass


class Streaming(Echoing):
    """Streams its words; with `waits` it stops before the second one. A `failure` comes after the first."""

    async def stream(self, prompt: Prompt, sampling: Sampling, position: int = 0) -> AsyncGenerator[Piece]:
        text = as_text(prompt)
        self.asked.append(text)
        words = text.split(" ")
        try:
            for index, word in enumerate(words):
                if index == 1:
                    await self._wait()
                    if self.failure:
                        raise self.failure
                await asyncio.sleep(0)
                last = index == len(words) - 1
                yield Piece(
                    f"{' ' if index else ''}{word}",
                    (index,),
                    (word,),
                    (-0.5,) if sampling.logprobs else None,
                    (((word, -0.5), (f"not {word}", -1.5)),) if sampling.top_logprobs else None,
                    "stop" if last else None,
                )
        except (asyncio.CancelledError, GeneratorExit):
            self.given_up.append(text)
            raise
        self.finished.append(text)
