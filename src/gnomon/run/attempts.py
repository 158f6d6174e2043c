"""One item through the protocol: attempts, back-off, the wall-clock guard, and the record of what became of it."""

import asyncio
import random
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from gnomon.datasets.items import Item, derive_seed
from gnomon.errors import GnomonError, RateLimited, TransientFailure
from gnomon.run.limits import Limits
from gnomon.run.record import Outcome, Record, Status
from gnomon.run.values import checked

BoundProtocol = Callable[[Any, int], Awaitable[Outcome]]
"""`async (item, seed) -> Outcome`, the model already bound to it."""


@dataclass(frozen=True, slots=True)
class Work:
    """One call of the protocol that a run owes.

    Attributes:
        evaluation: The evaluation's name.
        item: What to work on.
        repeat: 0 .. repeats - 1.
        seed: From the run's seed, the item's content and the repeat: independent of order and of what else runs.
        key: Hash of evaluation, item content, configuration, model fingerprint, run seed and repeat: the record's identity.
    """

    evaluation: str
    item: Item
    repeat: int
    seed: int
    key: str


async def attempt(protocol: BoundProtocol, work: Work, limits: Limits) -> Record:
    """Calls the protocol until it returns, until it fails for good, or until a limit is reached.

    Rate limits and transient failures are tried again, at most `limits.max_attempts` times in all; every other exception
    is taken to be deterministic and becomes an error record at once.
    """
    attempts = 0
    guard = asyncio.timeout(limits.item_seconds)
    try:
        async with guard:
            while True:
                attempts += 1
                try:
                    outcome = await protocol(work.item, work.seed)
                    break
                except (RateLimited, TransientFailure) as failure:
                    if attempts >= limits.max_attempts:
                        return _failed(work, f"{failure} (given up after {attempts} attempts)", attempts)
                    await asyncio.sleep(_wait(failure, work.key, attempts, limits))
    except TimeoutError as error:
        if guard.expired():
            return _failed(work, f"not finished within the limit of {limits.item_seconds:g} s per item", attempts)
        return _failed(work, _sentence(error), attempts)
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        return _failed(work, _sentence(error), attempts)  # something inside was cancelled, not this run
    except Exception as error:
        return _failed(work, _sentence(error), attempts)
    return _finished(work, outcome, attempts)


def _wait(failure: RateLimited | TransientFailure, key: str, attempts: int, limits: Limits) -> float:
    if isinstance(failure, RateLimited) and failure.retry_after is not None:
        return max(0.0, failure.retry_after)
    longest = min(limits.backoff_seconds * 2.0 ** min(attempts - 1, 60), limits.backoff_limit_seconds)
    return longest * random.Random(derive_seed(key, attempts)).uniform(0.5, 1.0)


def _finished(work: Work, outcome: Outcome, attempts: int) -> Record:
    try:
        values = checked(outcome.values)
        if outcome.unscored is not None:
            return _record(work, "unscored", outcome.unscored, values, outcome.transcript, attempts)
        if values:
            return _record(work, "value", None, values, outcome.transcript, attempts)
        return _failed(work, "the protocol returned neither a value nor a reason why not", attempts, outcome.transcript)
    except (ValueError, AttributeError) as error:  # a value that cannot be kept, or no Outcome at all
        return _failed(work, f"the protocol returned what cannot be recorded: {' '.join(str(error).split())}", attempts)


def _failed(work: Work, sentence: str, attempts: int, transcript: list[dict[str, str]] | None = None) -> Record:
    return _record(work, "error", sentence, {}, transcript or [], attempts)


def _record(
    work: Work, status: Status, reason: str | None, values: dict[str, Any], transcript: list[dict[str, str]], attempts: int
) -> Record:
    return Record(
        key=work.key,
        evaluation=work.evaluation,
        item=work.item.id,
        cluster=work.item.cluster,
        repeat=work.repeat,
        status=status,
        reason=reason,
        values=values,
        transcript=transcript,
        attempts=attempts,
    )


def _sentence(error: BaseException) -> str:
    """The error in one line; for one that nobody raised on purpose, with its place in the code."""
    text = " ".join(str(error).split())
    if isinstance(error, GnomonError) and text:
        return text
    name = f"{type(error).__name__}: {text}" if text else type(error).__name__
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return name
    return f"{name} ({frames[-1].filename.rpartition('/')[2]}, line {frames[-1].lineno})"
