"""What stands before the routes: who may ask, how often, how much at once and how large. ASGI middleware, outermost first."""

import asyncio
import hmac
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from fastapi.responses import JSONResponse
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gnomon.serve.failures import failure

OPEN = frozenset({"/health"})
"""Routes that need no token and count against no rate: a probe has none."""

BODY_SECONDS = 60.0
"""How long a client may take to send a body."""

MOST_CLIENTS = 10_000
"""Clients whose rates are remembered."""

ROUNDING = 1e-9
"""What a bucket may lack of a request: who waited exactly as long as told must not be refused for the last bit of a sum."""

Refuse = Callable[[Scope], JSONResponse | None]
"""Looks at a request before its body is read: a refusal, or None."""


@dataclass(frozen=True)
class Gate:
    """Refuses requests by their head."""

    app: ASGIApp
    refuse: Refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on, or answers it with the refusal."""
        refusal = self.refuse(scope) if scope["type"] == "http" else None
        await (refusal or self.app)(scope, receive, send)


def local_names_only(host: str) -> Refuse:
    """Refuses names that are not this machine's, which a web page can bind to 127.0.0.1 (DNS rebinding)."""
    names = {"localhost", "127.0.0.1", "::1", host}

    def refuse(scope: Scope) -> JSONResponse | None:
        said = Headers(scope=scope).get("host", "")
        if _host_name(said) in names:
            return None
        return failure(403, f"This server answers on this machine only, not as {said or 'a host without a name'}.")

    return refuse


def bearer(token: str) -> Refuse:
    """Refuses requests without the token."""
    expected = f"Bearer {token}".encode()

    def refuse(scope: Scope) -> JSONResponse | None:
        said = Headers(scope=scope).get("authorization", "").encode()
        if scope["path"] in OPEN or hmac.compare_digest(said, expected):
            return None
        message = "This server needs its token: send it as the API key (Authorization: Bearer ...)."
        return failure(401, message, code="invalid_api_key", headers={"WWW-Authenticate": "Bearer"})

    return refuse


@dataclass
class Rates:
    """A token bucket per client address, which holds one second's worth, at least one request.

    Attributes:
        rate: Requests per second.
        clock: Seconds that only grow.
    """

    rate: float
    clock: Callable[[], float] = time.monotonic
    _left: dict[str, tuple[float, float]] = field(default_factory=dict[str, tuple[float, float]])

    def __call__(self, scope: Scope) -> JSONResponse | None:
        """Refuses a client that asks too often."""
        if scope["path"] in OPEN:
            return None
        client, now, room = (scope.get("client") or ("",))[0], self.clock(), max(1.0, self.rate)
        left, since = self._left.get(client, (room, now))
        left = min(room, left + (now - since) * self.rate)
        passes = left >= 1 - ROUNDING
        self._left[client] = (left - 1 if passes else left, now)
        self._forget(now, room)
        if passes:
            return None
        wait = math.ceil((1 - left) / self.rate)
        message = f"This client asks more than {self.rate:g} times a second; wait {wait} s."
        return failure(429, message, code="rate_limit_exceeded", headers={"Retry-After": str(wait)})

    def _forget(self, now: float, room: float) -> None:
        """Drops the clients whose buckets are full again; if that is not enough, the oldest."""
        if len(self._left) <= MOST_CLIENTS:
            return
        self._left = {
            client: (left, since) for client, (left, since) in self._left.items() if left + (now - since) * self.rate < room
        }
        while len(self._left) > MOST_CLIENTS:
            del self._left[next(iter(self._left))]


@dataclass
class InFlight:
    """Lets so many requests with a body in at once.

    Attributes:
        app: What they are let into.
        most: How many.
        now: How many there are.
    """

    app: ASGIApp
    most: int
    now: int = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on, or says that the server is full."""
        if scope["type"] != "http" or scope["method"] != "POST":
            return await self.app(scope, receive, send)
        if self.now >= self.most:
            full = failure(503, f"{self.most} requests are in flight already; try again.", headers={"Retry-After": "1"})
            return await full(scope, receive, send)
        self.now += 1
        try:
            await self.app(scope, receive, send)
        finally:
            self.now -= 1


@dataclass(frozen=True)
class BodyLimit:
    """Reads the body before the routes see the request, and refuses one that is too large or too slow.

    Attributes:
        app: What gets the request.
        most: Bytes.
        seconds: For the whole body.
    """

    app: ASGIApp
    most: int
    seconds: float = BODY_SECONDS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on with its body, or refuses it; a client that leaves meanwhile gets nothing."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        said = Headers(scope=scope).get("content-length", "")
        if said.isdigit() and int(said) > self.most:
            return await self._too_large()(scope, receive, send)
        try:
            async with asyncio.timeout(self.seconds):
                body = await self._read(receive)
        except TimeoutError:
            slow = failure(408, f"The body did not arrive within {self.seconds:g} s.", headers={"Connection": "close"})
            return await slow(scope, receive, send)
        if body is None:
            return None
        if len(body) > self.most:
            return await self._too_large()(scope, receive, send)
        return await self.app(scope, _replayed(body, receive), send)

    async def _read(self, receive: Receive) -> bytes | None:
        """The body, or what came of it before it was too large; None if the client left."""
        chunks: list[bytes] = []
        size, more = 0, True
        while more and size <= self.most:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            chunks.append(message.get("body", b""))
            size, more = size + len(chunks[-1]), message.get("more_body", False)
        return b"".join(chunks)

    def _too_large(self) -> JSONResponse:
        message = f"The body has more than {self.most} bytes; send fewer or shorter prompts at once."
        return failure(413, message, headers={"Connection": "close"})


def _replayed(body: bytes, receive: Receive) -> Callable[[], Awaitable[Message]]:
    """A `receive` that gives the body first."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return waiting.pop() if waiting else await receive()

    return replay


def _host_name(header: str) -> str:
    """The name in a `Host` header, without its port."""
    try:
        return urlsplit(f"//{header}").hostname or ""
    except ValueError:
        return ""
