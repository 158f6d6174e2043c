"""Progress of a run: who is told what, and the bar on the terminal."""

import sys
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

from gnomon.run.record import Record


class Progress(Protocol):
    """Told how a run proceeds, always from the event loop's thread."""

    def start(self, evaluation: str, total: int, kept: Sequence[Record]) -> None:
        """A run of `total` records begins; `kept` are those that the journal already had."""
        ...

    def advance(self, records: Sequence[Record]) -> None:
        """These records are done and on disk."""
        ...

    def finish(self) -> None:
        """The run ended, complete or not."""
        ...


class RichProgress:
    """A bar on standard error with unscored records and errors counted beside it.

    Where standard error is no terminal it prints one line per evaluation, at the end.
    """

    def __init__(self, console: Console | None = None):
        self._console = console or Console(file=sys.stderr)
        self._counts: Counter[str] = Counter()
        self._name = ""
        self._total = 0
        self._bars: Bars | None = None

    def start(self, evaluation: str, total: int, kept: Sequence[Record]) -> None:
        """Shows the bar."""
        self._name, self._total = evaluation, total
        self._counts = Counter(record.status for record in kept)
        if self._console.is_terminal:
            self._bars = Bars(
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[rate]}"),
                TimeElapsedColumn(),
                TimeRemainingColumn(),
                TextColumn("{task.fields[troubles]}"),
                console=self._console,
                transient=False,
            )
            self._bars.add_task(evaluation, total=total, completed=len(kept), rate="", troubles=self._troubles())
            self._bars.start()

    def advance(self, records: Sequence[Record]) -> None:
        """Moves the bar."""
        self._counts.update(record.status for record in records)
        if self._bars:
            task = self._bars.tasks[0]
            rate = f"{task.speed:,.1f}/s" if task.speed else ""
            self._bars.update(task.id, completed=self._counts.total(), rate=rate, troubles=self._troubles())

    def finish(self) -> None:
        """Leaves the last state standing."""
        if self._bars:
            self._bars.stop()
            self._bars = None
        elif not self._console.is_terminal:
            troubles = self._troubles()
            self._console.print(
                f"{self._name}: {self._counts.total()} of {self._total} records" + (f", {troubles}" if troubles else ""),
                markup=False,
                highlight=False,
                soft_wrap=True,
            )

    def _troubles(self) -> str:
        unscored, errors = self._counts["unscored"], self._counts["error"]
        parts = [f"{unscored} unscored"] if unscored else []
        parts += [f"{errors} error" + "s" * (errors > 1)] if errors else []
        return ", ".join(parts)


@contextmanager
def counting(what: str, shown: bool) -> Generator[Callable[[int], None] | None]:
    """A count on standard error of work whose end is not known; None where it is not to be shown."""
    if not shown:
        yield None
        return
    columns = (TextColumn("{task.description}", markup=False), TextColumn("{task.completed:,}"), TimeElapsedColumn())
    with Bars(*columns, console=Console(file=sys.stderr)) as bars:
        task = bars.add_task(what, total=None)
        yield lambda done: bars.update(task, completed=done)
