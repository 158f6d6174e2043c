"""Server-sent events: an answer in chunks, closed by `[DONE]`."""

import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gnomon.serve.failures import from_error
from gnomon.serve.leaving import ClientLeft, unless_left

HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}


class EventStream(Response):
    """Sends chunks as they come, and closes their source when the client leaves.

    A failure after the first chunk is an event of its own, since the status is sent already.

    Args:
        first: The first chunk, awaited before, so that what fails at once has its proper status.
        rest: The chunks behind it.
        headers: More of them.
    """

    media_type = "text/event-stream"

    def __init__(self, first: Mapping[str, Any], rest: AsyncGenerator[Mapping[str, Any]], headers: Mapping[str, str]):
        super().__init__(headers={**HEADERS, **headers})
        del self.headers["content-length"]
        self._first = first
        self._rest = rest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends all of it, or what the client stays for."""
        async with aclosing(self._rest):
            try:
                await unless_left(receive, self._send(send))
            except ClientLeft:
                return

    async def _send(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        try:
            await send(_event(json.dumps(self._first, allow_nan=False)))
            async for chunk in self._rest:
                await send(_event(json.dumps(chunk, allow_nan=False)))
            await send(_event("[DONE]"))
        except Exception as error:
            await send(_event(bytes(from_error(error).body).decode()))
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def _event(data: str) -> dict[str, Any]:
    return {"type": "http.response.body", "body": f"data: {data}\n\n".encode(), "more_body": True}
