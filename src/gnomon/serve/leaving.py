"""Clients that leave, and a server that does: whatever was being done is given up."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gnomon.errors import TransientFailure
from gnomon.serve.failures import failure

Result = TypeVar("Result")

LAST_WORD = 0.5
"""Seconds that a client gets to hear that the server stops."""


class ClientLeft(Exception):
    """The client closed the connection; nobody waits for an answer."""


async def unless_left(receive: Receive, work: Coroutine[Any, Any, Result]) -> Result:
    """Does the work, or cancels it when the client leaves.

    Args:
        receive: The request's, its body read.
        work: What is done for the client.

    Raises:
        ClientLeft: It left first.
        TransientFailure: The model was closed meanwhile.
    """
    task, leaving = asyncio.create_task(work), asyncio.create_task(_left(receive))
    try:
        await asyncio.wait({task, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise ClientLeft
        if task.cancelled():
            raise TransientFailure("The model was closed while this request waited; the server is stopping.")
        return task.result()
    finally:
        task.cancel()
        leaving.cancel()
        await asyncio.gather(task, leaving, return_exceptions=True)


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


@dataclass(frozen=True)
class CutOff:
    """ASGI middleware that tells clients whose request is cancelled, as only the end of the server does, that it is."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on."""
        begun: Headers | None = None

        async def noting(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = Headers(raw=message["headers"])
            await send(message)

        try:
            await self.app(scope, receive, noting)
        except asyncio.CancelledError:
            message = "The server is stopping, and this request took longer than the time of grace; try again later."
            stopping = failure(503, message, headers={"Connection": "close"})
            with suppress(TimeoutError):
                async with asyncio.timeout(LAST_WORD):
                    if begun is None:
                        await stopping(scope, receive, send)
                    elif begun.get("content-type", "").startswith("text/event-stream"):
                        event = b"data: %b\n\n" % stopping.body
                        await send({"type": "http.response.body", "body": event, "more_body": False})
