"""A training run's progress on the terminal."""

import sys

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from gnomon.train.loop import StepReport


class TrainingBar:
    """A bar on standard error per training run: steps, loss, time.

    Where standard error is no terminal it prints one line per run, at its end.
    """

    def __init__(self, name: str = "train", console: Console | None = None):
        self._name = name
        self._console = console or Console(file=sys.stderr)
        self._bars: Progress | None = None

    def __call__(self, report: StepReport) -> None:
        """Shows a step of the run that is going on."""
        self.of_stage(self._name, report)

    def of_stage(self, stage: str, report: StepReport) -> None:
        """Shows a step of a run that consists of several stages."""
        said = f"loss {report.loss:.3f}"
        if not self._console.is_terminal:
            if report.step == report.total:
                self._console.print(f"{stage}: {report.total} steps, {said}", markup=False, highlight=False, soft_wrap=True)
            return
        if self._bars is None:
            self._bars = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[loss]}"),
                TimeElapsedColumn(),
                TimeRemainingColumn(),
                console=self._console,
            )
            self._bars.add_task(stage, total=report.total, loss=said)
            self._bars.start()
        self._bars.update(self._bars.tasks[0].id, description=stage, completed=report.step, total=report.total, loss=said)
        if report.step == report.total:
            self._bars.stop()
            self._bars = None
