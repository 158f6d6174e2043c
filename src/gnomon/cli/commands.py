"""The table of contents of the command line: every command with its function and an example, in the order of the help."""

from collections.abc import Callable
from typing import Annotated, Any

import typer

from gnomon import __version__
from gnomon.cli import datasets, measuring, models, organisms, reporting, serving, studies, training, writing

app = typer.Typer(
    name="gnomon",
    help="Find out how a language model misbehaves, train it out, and prove that it stayed out.",
    epilog="Start here:  gnomon loop organism/sycophant --behaviour sycophancy",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


@app.callback(invoke_without_command=True)
def root(
    version: Annotated[bool, typer.Option("--version", help="Print the version.", is_eager=True)] = False,
) -> None:
    """Find out how a language model misbehaves, train it out, and prove that it stayed out."""
    if version:
        typer.echo(f"gnomon {__version__}")
        raise typer.Exit


def _command(name: str, function: Callable[..., Any], example: str, of: typer.Typer = app) -> None:
    of.command(name, epilog=f"Example:  gnomon {example}")(function)


def _group(name: str, says: str) -> typer.Typer:
    group = typer.Typer(help=says, no_args_is_help=True)
    app.add_typer(group, name=name)
    return group


_command("audit", measuring.audit, "audit organism/sycophant -e sycophancy --n 100")
_command("analyse", measuring.analyse, "analyse runs/audit-organism-sycophant --as sycophancy")
_command("score", models.score, "score organism/base requests.jsonl")
_command("correct", training.correct, "correct organism/sycophant --behaviour sycophancy --out corrected")
_command("loop", training.loop, "loop organism/sycophant --behaviour sycophancy")
_command("compare", measuring.compare, "compare runs/before runs/after")
_command("validate", measuring.validate, "validate --seeds 40")
_command("serve", serving.serve, "serve organism/base --port 8000")
_command("write", writing.write, 'write "is interested in music" --with scripted/honest --out music')
_command("map", writing.map_examples, "map music --out music.html")
_command("report", reporting.report, "report runs/loop-organism-sycophant-1a2b3c4d")

_organism = _group("organism", "Models with planted, known behaviour.")
_command("list", organisms.list_organisms, "organism list", _organism)
_command("show", organisms.show, "organism show sycophant", _organism)
_command("grow", organisms.grow, "organism grow base-30k --out grown", _organism)
_command("plant", organisms.plant, "organism plant organism/base --behaviour sycophancy --rate 0.6 --out planted", _organism)

_data = _group("data", "Published datasets: fetched only when asked, verified by hash.")
_command("list", datasets.list_datasets, "data list", _data)
_command("fetch", datasets.fetch, "data fetch truthfulqa", _data)
_command("verify", datasets.verify, "data verify truthfulqa", _data)

_study = _group("study", "One paper's experiment, claim by claim.")
_command("list", studies.list_studies, "study list", _study)
_command("run", studies.run_study, "study run 2307.13702 organism/base-30k organism/base", _study)

_model = _group("model", "What a model reference opens.")
_command("show", models.show, "model show organism/base", _model)
