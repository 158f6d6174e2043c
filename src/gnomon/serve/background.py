"""A server beside the program that uses it: for notebooks, tests, and tools that only know OpenAI's interface."""

import asyncio
import threading
from collections.abc import Generator
from concurrent.futures import Future
from contextlib import contextmanager

from gnomon.models.model import Model
from gnomon.serve.config import ServeConfig
from gnomon.serve.server import Address, serve


@contextmanager
def serving(model: str | Model, config: ServeConfig | None = None) -> Generator[Address]:
    """Serves from a thread while the block runs, then finishes what runs.

    Args:
        model: A reference, or an open model.
        config: Address, protection and limits (None: a free port of 127.0.0.1).

    Yields:
        Where it answers.

    Raises:
        UserError: The model cannot be opened, or the address cannot be had.
    """
    started: Future[tuple[Address, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def run() -> None:
        loop, until = asyncio.get_running_loop(), asyncio.Event()
        await serve(model, config or ServeConfig(port=0), lambda address: started.set_result((address, loop, until)), until)

    def work() -> None:
        try:
            asyncio.run(run())
        except BaseException as error:
            if started.done():
                raise
            started.set_exception(error)

    thread = threading.Thread(target=work, name="gnomon-serve", daemon=True)
    thread.start()
    address, loop, until = started.result()
    try:
        yield address
    finally:
        loop.call_soon_threadsafe(until.set)
        thread.join()
