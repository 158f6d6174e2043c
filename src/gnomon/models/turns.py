"""Whose turn it is to compute on the processor: one thread's at a time, in the order of asking.

Each thread that computes with torch gets helpers of its own from the OpenMP runtime. Where there are more of them than
processors, the runtime lets all of them sleep at every barrier, and small models take twice as long. So the helpers of a thread
are sent away when another one wants to compute, and when there is nothing left to do.
"""

import ctypes
import threading
from collections import deque
from collections.abc import Callable
from functools import cache
from types import TracebackType
from typing import cast

HARD = 2
"""OpenMP's `omp_pause_hard`."""
PROMISED = -1
"""The owner of a lock that somebody has been woken to take."""


class Turns:
    """A lock that goes to whoever has waited longest; a thread that has it may take it again."""

    def __init__(self) -> None:
        self._state = threading.Lock()
        self._waiting: deque[threading.Event] = deque()
        self._owner: int | None = None
        self._depth = 0

    def __enter__(self) -> None:
        me = threading.get_ident()
        with self._state:
            if self._owner in (None, me):
                self._owner, self._depth = me, self._depth + 1
                return
            mine = threading.Event()
            self._waiting.append(mine)
        try:
            mine.wait()
        except BaseException:
            self._leave(mine)
            raise
        self._owner, self._depth = me, 1

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._waiting and self._depth == 1:
            send_helpers_away()
        with self._state:
            self._depth -= 1
            if not self._depth:
                self._pass_on()

    def _pass_on(self) -> None:
        self._owner = PROMISED if self._waiting else None
        if self._waiting:
            self._waiting.popleft().set()

    def _leave(self, mine: threading.Event) -> None:
        """An interrupted thread waits no more; what it has been promised meanwhile goes to the next."""
        with self._state:
            if mine.is_set():
                self._pass_on()
            else:
                self._waiting.remove(mine)


PROCESSOR = Turns()
"""Of all models whose weights are in the processor's memory."""


def send_helpers_away() -> None:
    """Ends this thread's helpers, if it has any; its next computation gets new ones, within a tenth of a millisecond."""
    _pause()(HARD)


@cache
def _pause() -> Callable[[int], object]:
    """OpenMP 5's `omp_pause_resource_all` of the runtime that is loaded; nothing where there is none."""
    try:
        found = ctypes.CDLL(None).omp_pause_resource_all
    except (AttributeError, OSError, TypeError):
        return lambda _: None
    return cast("Callable[[int], object]", found)
