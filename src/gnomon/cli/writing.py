"""Commands that make an evaluation, and show what is in one."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from gnomon.cli.options import Concurrency, Json, Seed, Settings, settings_of
from gnomon.cli.output import emit


def write(
    behaviour: Annotated[str, typer.Argument(help="What goes behind `a person who`, such as `is interested in music`.")],
    generator: Annotated[str, typer.Option("--with", help="Model reference of the generator.")],
    discriminator: Annotated[
        str | None, typer.Option("--discriminator", help="Model that says which label is likely (default: the generator).")
    ] = None,
    judge: Annotated[
        list[str] | None,
        typer.Option("--judge", help="Model that judges relevance and labels; repeat for several (default: the discriminator)."),
    ] = None,
    n: Annotated[int, typer.Option("--n", min=2, help="Items wanted, half of either label.")] = 200,
    settings: Settings = None,
    concurrency: Concurrency = 256,
    seed: Seed = 0,
    out: Annotated[
        Path | None, typer.Option("--out", help="Directory of the dataset (default: runs/write-...). Run again to resume.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write a new evaluation of a behaviour: generate, filter, balance, validate, publish with a card."""
    from gnomon import api
    from gnomon.report import terminal

    result = api.write(
        behaviour,
        generator,
        discriminator=discriminator,
        judges=judge or (),
        n=n,
        seed=seed,
        out=out,
        settings=settings_of(settings),
        concurrency=concurrency,
        progress=sys.stderr.isatty(),
    )
    emit(result, as_json, lambda: terminal.written(result))


def map_examples(
    path: Annotated[Path, typer.Argument(help="A model-written evaluation (JSONL), or the directory of one.")],
    model: Annotated[
        str | None, typer.Option("--model", help="Local model whose hidden states place the examples (default: their words).")
    ] = None,
    projection: Annotated[str, typer.Option("--projection", help="tsne or pca.")] = "tsne",
    seed: Seed = 0,
    out: Annotated[Path | None, typer.Option("--out", help="The page (default: map.html beside the file).")] = None,
    as_json: Json = False,
) -> None:
    """Draw a map of an evaluation's examples: one page, near what says the like."""
    from gnomon import api

    page = api.map_examples(path, model=model, projection=projection, seed=seed, out=out)
    emit({"map": str(page)}, as_json, lambda: f"Map: {page}")
