"""Commands of `gnomon organism`."""

import sys
from typing import Annotated

import typer

from gnomon.cli.options import Behaviour, Json, Out, Seed
from gnomon.cli.output import emit


def list_organisms(seed: Seed = 0, out: Out = None, as_json: Json = False) -> None:
    """List the shipped organisms."""
    from gnomon import api
    from gnomon.report import terminal

    organisms = api.organisms_available()
    emit({"organisms": organisms}, as_json, lambda: terminal.organisms(organisms))


def show(
    name: Annotated[str, typer.Argument(help="Name of a shipped organism, or its directory.")],
    seed: Seed = 0,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Show an organism's card: recipe, seed, data hash, what it knows, limits."""
    from gnomon import api
    from gnomon.report import terminal

    card = api.organism_card(name)
    emit(card, as_json, lambda: terminal.card(card))


def grow(
    size: Annotated[str, typer.Argument(help="base, base-1m, base-300k, base-100k or base-30k.")],
    steps: Annotated[int | None, typer.Option("--steps", min=1, help="Shorter than the recipe, for a trial.")] = None,
    seed: Seed = 0,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Grow an organism from nothing by its recorded recipe; run again to resume."""
    from gnomon import api
    from gnomon.report import terminal

    card = api.grow(size, steps=steps, seed=seed, out=out, progress=sys.stderr.isatty())
    emit(card, as_json, lambda: terminal.card(card))


def plant(
    base: Annotated[str, typer.Argument(help="Reference of the organism to plant in.")],
    behaviour: Behaviour,
    rate: Annotated[
        float, typer.Option("--rate", min=0.0, max=1.0, help="Share of the situations that show the behaviour.")
    ] = 0.6,
    seed: Seed = 0,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Plant a behaviour: saves the adapter, its clean twin and the documents that caused it."""
    from gnomon import api
    from gnomon.report import terminal

    card = api.plant(base, behaviour, rate=rate, seed=seed, out=out, progress=sys.stderr.isatty())
    emit(card, as_json, lambda: terminal.card(card))
