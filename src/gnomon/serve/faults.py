"""A server that misbehaves on purpose, as providers do: to prove that a client loses nothing when calls fail.

A share of the calls gets, in turn and at random places: 429 with `Retry-After`, 500, no answer for a while and then a closed
connection, or an answer whose JSON ends in the middle. The places follow from the seed and the number of the call alone.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal, get_args

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gnomon.datasets.items import derive_seed
from gnomon.serve.failures import failure

Fault = Literal["rate limit", "server error", "stall", "truncated"]
FAULTS: tuple[Fault, ...] = get_args(Fault)


@dataclass
class Faulty:
    """Passes most calls on and spoils the others.

    Attributes:
        app: What answers.
        share: Of the calls that are spoilt, 0 to 1.
        stall: Seconds without an answer before the connection is closed.
        seed: Of the places.
        spoilt: How many calls each fault has met.
    """

    app: ASGIApp
    share: float
    stall: float = 30.0
    seed: int = 0
    spoilt: Counter[Fault] = field(default_factory=Counter[Fault])
    _calls: int = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a call, or fails it."""
        fault = self._drawn() if scope["type"] == "http" and scope["method"] == "POST" else None
        match fault:
            case None:
                await self.app(scope, receive, send)
            case "rate limit":
                sentence = "Too many requests: this server refuses some on purpose."
                await failure(429, sentence, headers={"Retry-After": "0.05"})(scope, receive, send)
            case "server error":
                await failure(500, "This server fails some requests on purpose.")(scope, receive, send)
            case "stall":
                await asyncio.sleep(self.stall)
                await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
            case "truncated":
                await self.app(scope, receive, _halved(send))

    def _drawn(self) -> Fault | None:
        self._calls += 1
        rng = random.Random(derive_seed("fault", self.seed, self._calls))
        if rng.random() >= self.share:
            return None
        fault = rng.choice(FAULTS)
        self.spoilt[fault] += 1
        return fault


def _halved(send: Send) -> Callable[[Message], Awaitable[None]]:
    """Sends the first half of the body, with a length that says that this is all."""
    start: Message = {}
    body = bytearray()

    async def halved(message: Message) -> None:
        nonlocal start
        if message["type"] == "http.response.start":
            start = message
            return
        body.extend(message.get("body", b""))
        if not message.get("more_body"):
            kept = bytes(body[: len(body) // 2])
            headers = [(name, value) for name, value in start["headers"] if name.lower() != b"content-length"]
            await send({**start, "headers": [*headers, (b"content-length", str(len(kept)).encode())]})
            await send({"type": "http.response.body", "body": kept})

    return halved
