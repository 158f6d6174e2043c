"""The runner: one protocol over many items, bounded, journalled, resumable.

A protocol is a coroutine from one item and its seed to an `Outcome`; the model is already bound to it, so that this layer never
sees one. Each outcome becomes a three-valued record in the run directory's journal; run the same again and only what is missing
is done.

    from functools import partial

    configuration = {"evaluation": "sycophancy", **config.model_dump(mode="json"), "model": model.fingerprint}
    with RunDirectory.create_or_resume(default_path("audit", model.reference, configuration), configuration, verb="audit") as run:
        records = await execute(
            partial(evaluation.protocol, model),        # async (item, seed) -> Outcome
            evaluation.items,
            evaluation=evaluation.name,
            config_hash=content_hash(config.model_dump(mode="json")),
            fingerprint=model.fingerprint,
            run=run,                                    # None: in memory only
            limits=Limits(concurrency=256),
            repeats=config.repeats,
            seed=config.seed,
            progress=RichProgress(),                    # or None
        )
        table = run.write_table(evaluation.name, records)   # polars, in the order of items and repeats
        estimates = evaluation.analyse(table)
        run.write_estimates(estimates)
"""

import asyncio
import signal
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress

from gnomon.datasets.items import Item, content_hash, derive_seed
from gnomon.errors import ConfigurationError, DatasetError, GnomonError, RunDirectoryError, RunInterrupted
from gnomon.run.attempts import BoundProtocol, Work, attempt
from gnomon.run.directory import RunDirectory
from gnomon.run.journal import Journal
from gnomon.run.limits import Limits
from gnomon.run.progress import Progress
from gnomon.run.record import Record
from gnomon.run.signals import on_stop_signal

UNCOMMITTED_LIMIT = 4096
"""Records that may wait for the disk before the workers do."""


def plan(
    items: Sequence[Item], *, evaluation: str, config_hash: str, fingerprint: str, repeats: int = 1, seed: int = 0
) -> list[Work]:
    """All work of an evaluation, in the order of items and, within each, of repeats.

    Raises:
        DatasetError: No items, or two of one id.
        ConfigurationError: No repeats.
    """
    if not items:
        raise DatasetError(f"the evaluation {evaluation!r} has no items to run on; choose another dataset or a larger n")
    if repeats < 1:
        raise ConfigurationError(f"repeats is {repeats}; at least 1 is needed")
    works: list[Work] = []
    seen: set[str] = set()
    for item in items:
        if item.id in seen:
            raise DatasetError(f"the evaluation {evaluation!r} has two items with the id {item.id!r}; give each its own")
        seen.add(item.id)
        digest = item.digest()
        for repeat in range(repeats):
            key = content_hash([evaluation, digest, config_hash, fingerprint, seed, repeat])
            works.append(Work(evaluation, item, repeat, derive_seed(seed, digest, repeat), key))
    return works


async def execute(
    protocol: BoundProtocol,
    items: Sequence[Item],
    *,
    evaluation: str,
    config_hash: str,
    fingerprint: str,
    run: RunDirectory | None = None,
    limits: Limits | None = None,
    repeats: int = 1,
    seed: int = 0,
    retry_errors: bool = True,
    progress: Progress | None = None,
) -> list[Record]:
    """Runs the protocol on every item, `repeats` times, and returns a record for each.

    Args:
        protocol: `async (item, seed) -> Outcome`, the model already bound to it.
        items: What to run on; ids are unique.
        evaluation: Name of the evaluation.
        config_hash: Hash of the protocol's configuration.
        fingerprint: The model's fingerprint (never its name).
        run: Where the journal is; None keeps records in memory only, and nothing can be resumed.
        limits: Concurrency, attempts and time (None: the defaults).
        repeats: Calls per item; each is work of its own.
        seed: The run's seed.
        retry_errors: Whether errors that the journal holds from a former run are tried again.
        progress: Told of every record once it is on disk.

    Returns:
        Records in the order of items and repeats, each on disk (where there is a run directory). An item that failed has
        an error record: look at the statuses before believing any number.

    Raises:
        DatasetError: No items, or ids that are not unique.
        RunInterrupted: SIGINT, SIGTERM or the time limit; the journal holds what was done.
        RunDirectoryError: The journal cannot be written.
    """
    limits = limits or Limits()
    works = plan(items, evaluation=evaluation, config_hash=config_hash, fingerprint=fingerprint, repeats=repeats, seed=seed)
    journal = run.journal if run else None
    records = _settled(works, journal, retry_errors)
    owed = [work for work in works if work.key not in records]
    if progress:
        progress.start(evaluation, len(works), list(records.values()))
    commits = _Commits(journal, progress)
    pending = iter(owed)

    async def worker() -> None:
        for work in pending:
            record = await attempt(protocol, work, limits)
            records[work.key] = record
            commits.add(record)
            await commits.room()

    def interrupted(why: str, exit_code: int) -> RunInterrupted:
        done = f"{why} after {len(records)} of {len(works)} records of {evaluation}"
        kept = f"they are kept in {run.path}: the same command resumes there" if run else "without a run directory, none is kept"
        return RunInterrupted(f"{done}; {kept}", exit_code)

    def on_signal(which: signal.Signals) -> None:
        commits.stop(interrupted("interrupted" if which == signal.SIGINT else "terminated", 128 + which))

    def on_time_limit() -> None:
        commits.stop(interrupted(f"stopped at the limit of {limits.run_seconds:g} s", 124))

    try:
        with on_stop_signal(on_signal):
            timer = asyncio.get_running_loop().call_later(limits.run_seconds, on_time_limit) if limits.run_seconds else None
            crew = asyncio.create_task(_together(worker, min(limits.concurrency, len(owed))))
            try:
                await commits.stopped_or(crew)
            finally:
                if timer:
                    timer.cancel()
                crew.cancel()
                await asyncio.wait([crew])
                await commits.drained()
            if not crew.cancelled():
                crew.result()
        commits.check(complete=len(records) == len(works))
    finally:
        if progress:
            with suppress(OSError):
                progress.finish()
    return [records[work.key] for work in works]


async def _together(worker: Callable[[], Coroutine[None, None, None]], number: int) -> None:
    async with asyncio.TaskGroup() as group:
        for _ in range(number):
            group.create_task(worker())


def _settled(works: Sequence[Work], journal: Journal | None, retry_errors: bool) -> dict[str, Record]:
    """What the journal already has of this work. Other records in it belong to other configurations and are passed over."""
    if journal is None:
        return {}
    found = ((work.key, journal.records.get(work.key)) for work in works)
    return {key: record for key, record in found if record and not (retry_errors and record.status == "error")}


class _Commits:
    """Between the workers and the journal's writer thread: how many records wait for the disk, and whether to stop."""

    def __init__(self, journal: Journal | None, progress: Progress | None):
        self._loop = asyncio.get_running_loop()
        self._journal = journal
        self._progress = progress
        self._waiting = 0
        self._passed = 0
        self._room = asyncio.Event()
        self._room.set()
        self._drained = asyncio.Event()
        self._drained.set()
        self._stop: asyncio.Future[None] = self._loop.create_future()
        self._reason: GnomonError | None = None

    def add(self, record: Record) -> None:
        """Hands a finished record on."""
        if self._journal is None:
            self._tell([record])
            return
        self._journal.append(record, self._committed)
        self._waiting += 1
        self._drained.clear()
        if self._waiting >= UNCOMMITTED_LIMIT:
            self._room.clear()

    async def room(self) -> None:
        """Waits while too many records are not on disk yet; now and then lets others run, for a protocol may never wait."""
        self._passed += 1
        if not self._room.is_set():
            await self._room.wait()
        elif self._passed % 64 == 0:
            await asyncio.sleep(0)

    async def drained(self) -> None:
        """Waits until every record is on disk, or is known not to get there."""
        await self._drained.wait()

    def stop(self, reason: GnomonError) -> None:
        """Asks the run to end; the first reason counts, but a failing disk before all."""
        if self._reason is None or isinstance(reason, RunDirectoryError):
            self._reason = reason
        if not self._stop.done():
            self._stop.set_result(None)

    async def stopped_or(self, crew: asyncio.Task[None]) -> None:
        """Waits until the crew is done or a stop is asked for."""
        await asyncio.wait([crew, self._stop], return_when=asyncio.FIRST_COMPLETED)

    def check(self, *, complete: bool) -> None:
        """Raises the reason for which the run was stopped; a request that came when all was done is no reason any more."""
        if self._reason and not (complete and isinstance(self._reason, RunInterrupted)):
            raise self._reason

    def _committed(self, records: Sequence[Record], failure: RunDirectoryError | None) -> None:
        """Called by the writer thread; the loop may have been closed by a second Ctrl-C."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._on_committed, records, failure)

    def _on_committed(self, records: Sequence[Record], failure: RunDirectoryError | None) -> None:
        self._waiting -= len(records)
        if self._waiting < UNCOMMITTED_LIMIT:
            self._room.set()
        if self._waiting == 0:
            self._drained.set()
        if failure:
            self.stop(failure)
        else:
            self._tell(records)

    def _tell(self, records: Sequence[Record]) -> None:
        if self._progress:
            try:
                self._progress.advance(records)
            except OSError:  # whoever watched is gone (a closed pipe or terminal); the work goes on
                self._progress = None
