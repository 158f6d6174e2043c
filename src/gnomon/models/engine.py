"""Dynamic batching: one worker thread that runs whatever requests are waiting."""

import asyncio
import atexit
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import cache
from typing import Any, Generic, TypeVar
from weakref import WeakSet

from gnomon.errors import DeterministicFailure, GnomonError
from gnomon.models.turns import send_helpers_away

QUIET_SECONDS = 0.001
"""A batch is formed once no request has arrived for this long: a burst of coroutines gets in, nobody notices the wait."""

LONGEST_WAIT = 0.005
"""A batch waits no longer than this for others to come, however steadily they do."""

IDLE_SECONDS = 5.0
"""The thread ends when idle for this long; the next request starts it anew."""

Work = TypeVar("Work")
Result = TypeVar("Result")

More = Callable[[int], Sequence[Work]]
"""Takes waiting requests of at most this size in all into the batch that runs; they are numbered on from its last."""

Run = Callable[[Sequence[Work], More[Work]], Iterable[Sequence[tuple[int, Result | Exception]]]]
"""Computes a batch: gives, pass by pass, numbers of requests with their results or exceptions, in any order."""


class Answer(Future[Any]):
    """A future whose `cancel` says that nobody waits for it, also where it comes too late to take the request out.

    Args:
        left: Set whenever somebody stops waiting.
    """

    def __init__(self, left: threading.Event):
        super().__init__()
        self._left = left
        self.unwanted = False

    def cancel(self) -> bool:
        """Takes the request out if it is not running yet; gives whether it was."""
        self.unwanted = True
        self._left.set()
        return super().cancel()


@dataclass(eq=False)
class Request(Generic[Work]):
    """Something waiting to be run.

    Attributes:
        size: What it adds to a batch, in tokens.
        work: What the batch function gets.
        future: Its answer.
    """

    size: int
    work: Work
    future: Answer


class Batcher(Generic[Work, Result]):
    """Runs waiting requests in batches on one thread.

    Args:
        run: Computes a batch. May itself raise: then what it has not given yet is halved until the requests at fault are alone,
            and only they fail.
        batch_size: Most tokens in a batch; a single larger request still runs, alone.
        idle: Called when nothing waits any more.
    """

    def __init__(self, run: Run[Work, Result], batch_size: int, idle: Callable[[], None] | None = None):
        self._run = run
        self._batch_size = batch_size
        self._idle = idle
        self._waiting: deque[Request[Work]] = deque()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closing = False
        self._stopping = False
        self._running = 0
        self._left = threading.Event()
        _stopped_at_exit().add(self)

    @property
    def unanswered(self) -> int:
        """Requests that wait or run."""
        with self._changed:
            return self._running + sum(not request.future.cancelled() for request in self._waiting)

    def submit(self, size: int, work: Work) -> Future[Result]:
        """Queues a request; cancelling the future takes it out again, or ends its batch if nobody waits for the rest of that."""
        send_helpers_away()  # of a caller that computed before; it is the engine's turn
        request = Request(size, work, Answer(self._left))
        with self._changed:
            self._waiting.append(request)
            if self._thread is None:
                self._closing = False
                self._thread = threading.Thread(target=self._serve, name="gnomon-engine", daemon=True)
                self._thread.start()
            self._changed.notify()
        return request.future

    def close(self) -> None:
        """Finishes the running batch, cancels what waits and ends the thread."""
        with self._changed:
            thread, self._closing = self._thread, True
            self._changed.notify()
        if thread is not None:
            thread.join()

    def stop(self) -> None:
        """Ends the thread after the pass that it is in; what runs gets no result."""
        self._stopping = True
        self.close()

    def _serve(self) -> None:
        while batch := self._next_batch():
            self._run_batch(batch, self._take)
            self._running = 0
        if self._idle:
            self._idle()

    def _next_batch(self) -> list[Request[Work]]:
        with self._changed:
            while True:
                if not self._waiting and not self._closing:
                    self._changed.wait(IDLE_SECONDS)
                if self._closing or not self._waiting:
                    for request in self._waiting:
                        request.future.cancel()
                    self._waiting.clear()
                    self._thread = None
                    return []
                latest = time.monotonic() + LONGEST_WAIT
                while not self._closing and not self._full() and time.monotonic() < latest and self._changed.wait(QUIET_SECONDS):
                    pass
                batch = self._take(self._batch_size, at_least_one=True)
                if batch:
                    return batch

    def _full(self) -> bool:
        return sum(request.size for request in self._waiting) >= self._batch_size

    def _take(self, most: int, *, at_least_one: bool = False) -> list[Request[Work]]:
        """Takes waiting requests, oldest first, passing by those that do not fit."""
        batch: list[Request[Work]] = []
        with self._changed:
            left: deque[Request[Work]] = deque()
            for request in self._waiting:
                if request.size > most and (batch or not at_least_one):
                    left.append(request)
                elif request.future.set_running_or_notify_cancel():
                    batch.append(request)
                    most -= request.size
            self._waiting = left
            self._running += len(batch)
        return batch

    def _run_batch(self, batch: list[Request[Work]], take: Callable[[int], list[Request[Work]]]) -> None:
        missing, count = dict(enumerate(batch)), len(batch)  # who has a result is let go: others may join without end

        def more(most: int) -> list[Work]:
            nonlocal count
            taken = take(most)
            missing.update(enumerate(taken, count))
            count += len(taken)
            return [request.work for request in taken]

        try:
            for found in self._run([request.work for request in batch], more):
                for number, result in found:
                    _settle(missing.pop(number), result)
                with self._changed:
                    self._running -= len(found)
                if self._stopping or self._given_up(missing.values()):
                    return
            for request in missing.values():
                _settle(request, RuntimeError("the batch ended with no result for it"))
        except Exception as error:
            left = list(missing.values())
            if len(left) == 1:
                _settle(left[0], error)
            for half in (left[: len(left) // 2], left[len(left) // 2 :]) if len(left) > 1 else ():
                self._run_batch(half, lambda _: [])

    def _given_up(self, missing: Collection[Request[Work]]) -> bool:
        """Whether results are missing, but nobody waits for any of them."""
        if not self._left.is_set():
            return False
        self._left.clear()
        return bool(missing) and all(request.future.unwanted for request in missing)


class Coalescer:
    """Lets requests that are asked at once be laid out before the first of them is handed over.

    To lay out takes about as long as a batch waits for company: the first passes would hold a request or two, and what lays out
    the others would compete with them for the processors.

    Args:
        most: Tokens that are held back at the most.
    """

    def __init__(self, most: int):
        self._most = most
        self._held = 0
        self._lock = threading.Lock()

    async def hold(self, size: int) -> None:
        """Lets everything else that is ready on the event loop go first, unless enough is held back already."""
        with self._lock:
            if self._held + size > self._most:
                return
            self._held += size
        try:
            await asyncio.sleep(0)
        finally:
            with self._lock:
                self._held -= size


@cache
def _stopped_at_exit() -> "WeakSet[Batcher[Any, Any]]":
    """The batchers of the process. Python ends daemon threads in the midst of a computation, of which torch makes an abort."""
    batchers: WeakSet[Batcher[Any, Any]] = WeakSet()
    atexit.register(lambda: [batcher.stop() for batcher in list(batchers)])
    return batchers


def _settle(request: Request[Work], result: object) -> None:
    if isinstance(result, Exception):
        request.future.set_exception(_as_failure(result))
    else:
        request.future.set_result(result)


def _as_failure(error: Exception) -> Exception:
    if isinstance(error, GnomonError):
        return error
    failure = DeterministicFailure(f"The model failed on this request: {type(error).__name__}: {error}")
    failure.__cause__ = error
    return failure


def padded_length(length: int) -> int:
    """The length that a sequence is padded to, from its own length alone: steps of 16 tokens, an eighth or less beyond 128."""
    step = max(16, 1 << max(0, length.bit_length() - 4))
    return -(-length // step) * step
