"""Ctrl-C during training: finish the step, then stop."""

import signal
import threading
from types import FrameType, TracebackType
from typing import Any


class Interrupts:
    """While active, the first SIGINT or SIGTERM sets `requested`; a second one acts as usual.

    A step must not be cut in half: a checkpoint of half-updated weights could never be resumed exactly. Outside the main
    thread, where Python cannot catch signals, nothing changes.
    """

    _SIGNALS = (signal.SIGINT, signal.SIGTERM)

    def __init__(self) -> None:
        self.requested = False
        self._former: dict[signal.Signals, Any] = {}

    def __enter__(self) -> "Interrupts":
        if threading.current_thread() is threading.main_thread():
            self._former = {which: signal.signal(which, self._request) for which in self._SIGNALS}
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._restore()

    def _request(self, number: int, frame: FrameType | None) -> None:
        self.requested = True
        self._restore()

    def _restore(self) -> None:
        for which, handler in self._former.items():
            signal.signal(which, handler if handler is not None else signal.SIG_DFL)
        self._former = {}
