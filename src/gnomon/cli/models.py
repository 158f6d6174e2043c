"""Commands about a model itself: what a reference opens, and its scores of given texts."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from gnomon.cli.options import Json, Model, Out, Seed
from gnomon.cli.output import emit


def show(model: Model, seed: Seed = 0, out: Out = None, as_json: Json = False) -> None:
    """Show what a model reference opens: kind, parameters, content fingerprint."""
    from gnomon import api
    from gnomon.report import terminal

    card = api.model_card(model)
    emit(card, as_json, lambda: terminal.card(card))


def score(
    model: Model,
    path: Annotated[Path, typer.Argument(help='JSONL file; a line is {"prefix": ..., "continuations": [...]}.')],
    out: Annotated[Path | None, typer.Option("--out", help="Where the scores go (default: beside the file).")] = None,
    as_json: Json = False,
) -> None:
    """Log-probabilities of given continuations, for files of any size; run again to resume."""
    from gnomon import api
    from gnomon.report import terminal

    result = api.score_file(model, path, out=out, progress=sys.stderr.isatty())
    emit(result, as_json, lambda: terminal.scored(result))
