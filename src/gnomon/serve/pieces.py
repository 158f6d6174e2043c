"""Replies piece by piece: from the model where it streams, else each reply as one piece."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Protocol, runtime_checkable

from gnomon.datasets.messages import Prompt
from gnomon.models.model import Generation, Model, Piece, Sampling

WAITING = 64
"""Pieces that may wait for a client that reads slowly; then the model's streams wait too."""

Placed = tuple[int, Piece]
"""A piece and the position of the prompt that it replies to."""


@runtime_checkable
class Streams(Protocol):
    """A model that gives its replies as they come."""

    def stream(self, prompt: Prompt, sampling: Sampling, position: int = 0) -> AsyncGenerator[Piece]:
        """What `generate` gives for a prompt at this position, in pieces; closing the generator gives up the rest."""
        ...


async def pieces(model: Model, prompts: Sequence[Prompt], sampling: Sampling) -> AsyncGenerator[Placed]:
    """The replies that `model.generate(prompts, sampling)` gives, in pieces, those of different prompts mixed as they come.

    Closing it early gives up what is not yet sampled.
    """
    if not isinstance(model, Streams):
        for position, generation in enumerate(await model.generate(prompts, sampling)):
            yield position, as_piece(generation)
        return
    streams = [model.stream(prompt, sampling, position) for position, prompt in enumerate(prompts)]
    async with aclosing(_merged(streams)) as merged:
        async for placed in merged:
            yield placed


def as_piece(generation: Generation) -> Piece:
    """A whole reply as its only piece."""
    return Piece(
        text=generation.text,
        token_ids=generation.token_ids,
        tokens=generation.tokens,
        logprobs=generation.logprobs,
        top_logprobs=generation.top_logprobs,
        finish=generation.finish,
    )


async def _merged(streams: Sequence[AsyncGenerator[Piece]]) -> AsyncGenerator[Placed]:
    waiting: asyncio.Queue[Placed | Exception | None] = asyncio.Queue(WAITING)

    async def pump(position: int, stream: AsyncGenerator[Piece]) -> None:
        try:
            async with aclosing(stream):
                async for piece in stream:
                    await waiting.put((position, piece))
            await waiting.put(None)
        except Exception as error:
            await waiting.put(error)

    pumps = [asyncio.create_task(pump(position, stream)) for position, stream in enumerate(streams)]
    try:
        running = len(pumps)
        while running:
            found = await waiting.get()
            if isinstance(found, Exception):
                raise found
            if found is None:
                running -= 1
            else:
                yield found
    finally:
        for each in pumps:
            each.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)
