"""Dynamic batching: one worker thread that runs whatever compatible requests are waiting.

Requests carry a `group`; only requests of one group share a batch. A group fixes every dimension of the tensors except the number
of rows (see `padded_length`), so that a row's numbers do not depend on what else is in the batch.
"""

import threading
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from gnomon.errors import DeterministicFailure, GnomonError

QUIET_SECONDS = 0.001
"""A batch is formed once no request has arrived for this long: a burst of coroutines gets in, nobody notices the wait."""

IDLE_SECONDS = 5.0
"""The thread ends when idle for this long; the next request starts it anew."""

Work = TypeVar("Work")
Result = TypeVar("Result")


@dataclass(eq=False)
class Request(Generic[Work]):
    """Something waiting to be run.

    Attributes:
        group: Requests of equal groups can share a batch.
        size: What it adds to a batch, in tokens, padding included.
        work: What the batch function gets.
    """

    group: Hashable
    size: int
    work: Work
    future: Future[Any] = field(default_factory=Future[Any])


class Batcher(Generic[Work, Result]):
    """Runs waiting requests in batches on one thread.

    Args:
        run: Computes a batch, one result or exception per request, in order. May itself raise: then the batch is halved until
            the requests at fault are alone, and only they fail.
        batch_size: Most tokens in a batch; a single larger request still runs, alone.
    """

    def __init__(self, run: Callable[[Sequence[Work]], Sequence[Result | Exception]], batch_size: int):
        self._run = run
        self._batch_size = batch_size
        self._waiting: deque[Request[Work]] = deque()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closing = False

    def submit(self, group: Hashable, size: int, work: Work) -> Future[Result]:
        """Queues a request; cancelling the future before it runs takes it out again."""
        request = Request(group, size, work)
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

    def _serve(self) -> None:
        while batch := self._next_batch():
            self._run_batch(batch)

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
                while not self._closing and self._changed.wait(QUIET_SECONDS) and not self._full():
                    pass
                batch = self._take()
                if batch:
                    return batch

    def _full(self) -> bool:
        return sum(request.size for request in self._waiting) >= self._batch_size

    def _take(self) -> list[Request[Work]]:
        """Takes the oldest request and, up to the batch size, the others of its group."""
        batch: list[Request[Work]] = []
        left: deque[Request[Work]] = deque()
        used = 0
        for request in self._waiting:
            fits = not batch or (request.group == batch[0].group and used + request.size <= self._batch_size)
            if not fits:
                left.append(request)
            elif request.future.set_running_or_notify_cancel():
                batch.append(request)
                used += request.size
        self._waiting = left
        return batch

    def _run_batch(self, batch: Sequence[Request[Work]]) -> None:
        try:
            results = self._run([request.work for request in batch])
        except Exception as error:
            if len(batch) > 1:
                middle = len(batch) // 2
                self._run_batch(batch[:middle])
                self._run_batch(batch[middle:])
            else:
                batch[0].future.set_exception(_as_failure(error))
            return
        for request, result in zip(batch, results, strict=True):
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
