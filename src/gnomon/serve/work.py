"""From a request to its answer: what the model is asked, and its replies as choices."""

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from gnomon.datasets.messages import Prompt
from gnomon.models.model import Generation, Model, Piece, Sampling
from gnomon.serve import answers
from gnomon.serve.answers import Head, Json, Spelled
from gnomon.serve.echo import Echo, echo_of
from gnomon.serve.metrics import Metrics
from gnomon.serve.pieces import Placed, pieces
from gnomon.serve.reading import prompt_tokens, reply_tokens, with_ids
from gnomon.serve.requests import ChatRequest, CompletionRequest


class Served:
    """A model and what the server keeps beside it.

    Attributes:
        model: What answers.
        name: What clients call it.
        metrics: What is counted.
        seeds: Where seeds of requests without one come from.
        since: When it was opened, in seconds of Unix time.
    """

    def __init__(self, model: Model, seed: int = 0, name: str | None = None):
        self.model = model
        self.name = name or model.reference
        self.metrics = Metrics(model)
        self.seeds = random.Random(seed)
        self.since = int(time.time())

    def seed(self) -> int:
        """For a request without one: repeats of one prompt must differ, and do not share one seed derived from its text."""
        return self.seeds.getrandbits(63)


@dataclass(frozen=True, slots=True)
class Given:
    """What is given back of a prompt.

    Attributes:
        text: It, if wanted.
        spelled: Its log-probabilities, if they are wanted before those of the reply.
        listed: The same, if they are wanted in a list of their own.
    """

    text: str = ""
    spelled: Echo | None = None
    listed: Echo | None = None


@dataclass(frozen=True)
class Work:
    """A request as the model gets it.

    Attributes:
        served: The model.
        head: What the answer begins with.
        prompts: One per choice; its position there is its position in `Model.generate`.
        sampling: How.
        prompt_tokens: Of all prompts, each counted once.
        counted: Whether a streamed answer ends with the count of tokens.
        given: What of each choice's prompt is given back.
    """

    served: Served
    head: Head
    prompts: Sequence[Prompt]
    sampling: Sampling
    prompt_tokens: int
    counted: bool
    given: Sequence[Given]

    async def answer(self) -> Json:
        """All of it at once."""
        replies = await self._replies()
        spent = sum(map(reply_tokens, replies))
        self.served.metrics.count_tokens(self.prompt_tokens, spent)
        choices = [self._choice(index, reply) for index, reply in enumerate(replies)]
        return self.head.answer(choices, answers.usage(self.prompt_tokens, spent))

    async def chunks(self) -> AsyncGenerator[Json]:
        """The same piece by piece."""
        begun, spent = time.perf_counter(), 0
        spelled = [Spelled() for _ in self.prompts]
        opened: set[int] = set()
        try:
            async with aclosing(self._pieces()) as replies:
                async for index, piece in replies:
                    if not spent and not opened:
                        self.served.metrics.first_piece.observe(time.perf_counter() - begun)
                    spent += reply_tokens(piece)
                    for choice in self._pieces_of_choice(index, piece, spelled[index], first=index not in opened):
                        yield self.head.answer([choice], None, chunk=True)
                    opened.add(index)
        finally:
            self.served.metrics.count_tokens(self.prompt_tokens, spent)
        if self.counted:
            yield self.head.answer([], answers.usage(self.prompt_tokens, spent), chunk=True)

    async def _replies(self) -> list[Generation]:
        if self.sampling.max_tokens == 0:
            return [Generation("", "length", logprobs=() if self.sampling.logprobs else None) for _ in self.prompts]
        return await self.served.model.generate(self.prompts, self.sampling)

    async def _pieces(self) -> AsyncGenerator[Placed]:
        if self.sampling.max_tokens == 0:
            for index in range(len(self.prompts)):
                yield index, Piece("", logprobs=() if self.sampling.logprobs else None, finish="length")
            return
        async with aclosing(pieces(self.served.model, self.prompts, self.sampling)) as replies:
            async for placed in replies:
                yield placed

    def _choice(self, index: int, reply: Generation) -> Json:
        if self.head.kind == "chat.completion":
            return answers.chat_choice(index, reply)
        given, spelled = self.given[index], Spelled()
        told = [spelled.echo(given.text, given.spelled)] if given.spelled else []
        logprobs = answers.joined([*told, spelled.reply(reply)])
        choice = answers.completion_choice(index, given.text + reply.text, reply.finish, logprobs)
        return choice | ({"prompt_logprobs": answers.prompt_logprobs(given.listed)} if given.listed else {})

    def _pieces_of_choice(self, index: int, piece: Piece, spelled: Spelled, *, first: bool) -> list[Json]:
        if self.head.kind == "chat.completion":
            delta: Json = {"role": "assistant", "content": piece.text} if first else {"content": piece.text}
            return [answers.chat_delta(index, delta, finish=piece.finish, logprobs=answers.chat_logprobs(piece))]
        before: list[Json] = []
        given = self.given[index]
        if first and given.text:
            told = spelled.echo(given.text, given.spelled) if given.spelled else None
            before = [answers.completion_choice(index, given.text, None, told)]
        return [*before, answers.completion_choice(index, piece.text, piece.finish, spelled.reply(piece))]


async def of_completion(served: Served, request: CompletionRequest) -> Work:
    """What a completion request asks of the model.

    Raises:
        Refused: It cannot.
    """
    model, count = served.model, request.n
    prompts = [with_ids(model, prompt) for prompt in request.prompts]
    tokens = await prompt_tokens(model, prompts, reply=request.max_tokens > 0)
    top = request.alternatives
    echoes: list[Echo | None] = [None] * len(prompts)
    if top is not None:
        echoes = list(await asyncio.gather(*(echo_of(model, prompt, top) for prompt in prompts)))
    given = [
        Given(
            str(prompt) if request.echo else "",
            echo if request.echo and request.logprobs is not None else None,
            echo if request.prompt_logprobs is not None else None,
        )
        for prompt, echo in zip(prompts, echoes, strict=True)
    ]
    return Work(
        served,
        Head("text_completion", served.name, model.fingerprint),
        [prompt for prompt in prompts for _ in range(count)],
        request.sampling(served.seed()),
        tokens,
        bool(request.stream_options and request.stream_options.include_usage),
        [each for each in given for _ in range(count)],
    )


async def of_chat(served: Served, request: ChatRequest) -> Work:
    """What a chat request asks of the model.

    Raises:
        Refused: It cannot.
    """
    model, prompt = served.model, request.conversation
    return Work(
        served,
        Head("chat.completion", served.name, model.fingerprint),
        [prompt] * request.n,
        request.sampling(served.seed()),
        await prompt_tokens(model, [prompt], reply=True),
        bool(request.stream_options and request.stream_options.include_usage),
        [Given()] * request.n,
    )
