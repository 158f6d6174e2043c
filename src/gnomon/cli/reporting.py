"""The command that writes a run again, for readers and for other tools."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from gnomon.cli.options import Json, Seed
from gnomon.cli.output import emit


class ReportForm(StrEnum):
    """What `gnomon report` writes."""

    page = "page"
    inspect = "inspect"


def report(
    run: Annotated[Path, typer.Argument(help="A run directory.")],
    as_: Annotated[
        ReportForm, typer.Option("--as", help="`page`: report.html; `inspect`: one Inspect log per evaluation.")
    ] = ReportForm.page,
    seed: Seed = 0,
    out: Annotated[
        Path | None, typer.Option("--out", help="The page, or the directory of the logs (default: in the run).")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write the report of a run again, or its records as Inspect logs."""
    from gnomon import api
    from gnomon.report import terminal

    if as_ is ReportForm.inspect:
        logs, unfinished = [str(path) for path in api.export(run, out=out)], api.unfinished(run)
        emit({"logs": logs, "unfinished": unfinished}, as_json, lambda: terminal.logs(logs, unfinished))
        return
    page = api.report(run, out=out)
    emit({"report": str(page)}, as_json, lambda: f"Report: {page}")
