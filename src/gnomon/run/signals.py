"""Ctrl-C and SIGTERM as a request to stop in good order."""

import asyncio
import signal
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

Stop = Callable[[signal.Signals], None]

# Signals belong to the process, and so do these: who wants to be told, and the handlers from before.
_listeners: list[Stop] = []
_former: dict[signal.Signals, Any] = {}


@contextmanager
def on_stop_signal(stop: Stop) -> Generator[None]:
    """Calls `stop` on the first SIGINT or SIGTERM while the block runs; a second one ends the process the usual way.

    Needs a running event loop. Several blocks may be active at once: each is told. Outside the main thread, where signals
    cannot be had, it does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    if not _listeners:
        for which in (signal.SIGINT, signal.SIGTERM):
            _former[which] = signal.getsignal(which)
            loop.add_signal_handler(which, _tell, which)
    _listeners.append(stop)
    try:
        yield
    finally:
        _listeners.remove(stop)
        if not _listeners:
            _restore(loop)


def _tell(which: signal.Signals) -> None:
    _restore(asyncio.get_running_loop())
    for stop in tuple(_listeners):
        stop(which)


def _restore(loop: asyncio.AbstractEventLoop) -> None:
    while _former:
        which, handler = _former.popitem()
        loop.remove_signal_handler(which)
        if handler is not None:  # None: installed by something other than Python, and not ours to restore
            signal.signal(which, handler)
