"""What a training run says on standard error."""

import io

from rich.console import Console

from gnomon.train.bars import TrainingBar
from gnomon.train.loop import StepReport


def report(step: int, loss: float = 0.5) -> StepReport:
    return StepReport(step=step, total=3, loss=loss, lr=0.1, tokens=10 * step)


def test_without_a_terminal_one_line_at_the_end() -> None:
    said = io.StringIO()
    bar = TrainingBar("correct", Console(file=said, width=80))
    bar(report(1))
    bar(report(2))
    assert said.getvalue() == ""
    bar(report(3, loss=0.25))
    assert said.getvalue() == "correct: 3 steps, loss 0.250\n"


def test_each_stage_has_a_line_of_its_own() -> None:
    said = io.StringIO()
    bar = TrainingBar(console=Console(file=said, width=80))
    for stage in ("drills", "school"):
        for step in (1, 2, 3):
            bar.of_stage(stage, report(step))
    assert [line.split(":")[0] for line in said.getvalue().splitlines()] == ["drills", "school"]


def test_a_terminal_shows_a_bar_that_reaches_its_end() -> None:
    said = io.StringIO()
    bar = TrainingBar("train", Console(file=said, width=100, force_terminal=True))
    for step in (1, 2, 3):
        bar(report(step))
    assert "3/3" in said.getvalue()
    assert "loss 0.500" in said.getvalue()
