"""Commands that train a behaviour out."""

import sys

from gnomon.cli.options import Behaviour, Count, Json, Model, Out, Seed, Settings, settings_of
from gnomon.cli.output import emit


def correct(
    model: Model,
    behaviour: Behaviour,
    settings: Settings = None,
    seed: Seed = 0,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Train a behaviour out by rejection sampling; saves a plain model directory."""
    from gnomon import api
    from gnomon.report import terminal

    result = api.correct(model, behaviour, seed=seed, out=out, settings=settings_of(settings), progress=sys.stderr.isatty())
    emit(result, as_json, lambda: terminal.correction(result))


def loop(
    model: Model,
    behaviour: Behaviour,
    n: Count = None,
    settings: Settings = None,
    seed: Seed = 0,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Audit, correct, audit again with the same instruments: was it fixed, and what did that cost?"""
    from gnomon import api
    from gnomon.report import terminal

    result = api.loop(model, behaviour, n=n, seed=seed, out=out, settings=settings_of(settings), progress=sys.stderr.isatty())
    emit(result, as_json, lambda: terminal.loop(result))
