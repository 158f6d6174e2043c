"""Clients that leave: whatever was being done for them is given up."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.types import Receive

from gnomon.errors import TransientFailure

Result = TypeVar("Result")


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
