import io

from rich.console import Console

from gnomon.run.progress import RichProgress
from gnomon.run.record import Record


def record(status: str) -> Record:
    fields = {"key": "k", "evaluation": "e", "item": "i", "cluster": "c", "repeat": 0, "status": status}
    return Record.model_validate(fields)


def shown(*, terminal: bool, records: list[Record], kept: list[Record], total: int) -> str:
    stream = io.StringIO()
    progress = RichProgress(Console(file=stream, force_terminal=terminal, width=140, _environ={"TERM": "xterm"}))
    progress.start("sycophancy [answer]", total, kept)
    progress.advance(records[:1])
    progress.advance(records[1:])
    progress.finish()
    return stream.getvalue()


def test_without_a_terminal_one_plain_line_stands_at_the_end():
    records = [record("value"), record("unscored"), record("unscored"), record("error")]
    text = shown(terminal=False, records=records, kept=[record("unscored")], total=7)
    assert text == "sycophancy [answer]: 5 of 7 records, 3 unscored, 1 error\n"
    assert shown(terminal=False, records=[record("value")], kept=[], total=1) == "sycophancy [answer]: 1 of 1 records\n"


def test_on_a_terminal_the_bar_counts_what_went_wrong():
    text = shown(terminal=True, records=[record("error"), record("unscored")], kept=[record("value")], total=3)
    assert "3/3" in text
    assert "1 unscored, 1 error" in text
    assert "sycophancy [answer]" in text
