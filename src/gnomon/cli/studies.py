"""Commands of `gnomon study`."""

import sys
from typing import Annotated

import typer

from gnomon.cli.options import Count, Json, Out, Seed, Settings, settings_of
from gnomon.cli.output import emit


def list_studies(seed: Seed = 0, out: Out = None, as_json: Json = False) -> None:
    """List the papers whose experiments can be run."""
    from gnomon import api
    from gnomon.report import terminal

    studies = api.studies_available()
    emit({"studies": studies}, as_json, lambda: terminal.studies(studies))


def run_study(
    paper: Annotated[str, typer.Argument(help="arXiv id (`gnomon study list`).")],
    models: Annotated[
        list[str] | None, typer.Argument(help="Model references, smallest first (default: the study's own organisms).")
    ] = None,
    n: Count = None,
    settings: Settings = None,
    seed: Seed = 0,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Run one paper's experiment and say, claim by claim, whether it holds."""
    from gnomon import api
    from gnomon.report import terminal

    result = api.run_study(paper, models, n=n, seed=seed, out=out, settings=settings_of(settings), progress=sys.stderr.isatty())
    emit(result, as_json, lambda: terminal.study(result))
