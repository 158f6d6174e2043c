"""What a finished run is written as again."""

from pathlib import Path

from gnomon.api.given import path_of
from gnomon.errors import ConfigurationError


def report(run: Path | str, *, out: Path | str | None = None) -> Path:
    """Writes the page of a finished run and returns its path.

    Args:
        run: A run directory of an audit, a loop or a validation.
        out: Where to write the page (None: `report.html` in the run).
    """
    from gnomon.pages import write_page

    return write_page(Path(run), path_of(out))


def export(run: Path | str, *, out: Path | str | None = None) -> list[Path]:
    """Writes a run's records as Inspect logs, one per evaluation, and returns their paths (`gnomon[inspect]`).

    What is not finished is exported too, as `cancelled`; `unfinished` names it.

    Args:
        run: A run directory of an audit.
        out: The directory of the logs (None: `inspect/` in the run).
    """
    from gnomon.models.inspect_logs import export_log
    from gnomon.run.directory import RunDirectory

    opened = RunDirectory.open(run)
    folder = path_of(out) or opened.path / "inspect"
    begun = {record.evaluation for record in opened.records()} if opened.description.verb == "audit" else set[str]()
    names = sorted(begun.union(opened.evaluations()))
    if not names:
        raise ConfigurationError(f"{run} holds no records of an audit: give the directory of one")
    return [export_log(opened, folder / f"{name}.eval", name) for name in names]


def unfinished(run: Path | str) -> list[str]:
    """The evaluations of a run that was stopped before it had estimates of them; the same command again finishes it.

    Args:
        run: A run directory.
    """
    from gnomon.run.directory import RunDirectory

    return RunDirectory.open(run).unfinished()
