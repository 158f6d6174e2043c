"""Options that commands share, and what they mean."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from gnomon.errors import ConfigurationError

Model = Annotated[
    str, typer.Argument(help="Model reference: organism/..., scripted/..., local/<directory>, inspect/<provider>/<model>.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else on standard output.")]
Seed = Annotated[int, typer.Option("--seed", help="Seed of everything random: choice of items, sampling, training.")]
Out = Annotated[
    Path | None, typer.Option("--out", help="Run directory (default: runs/<verb>-<model>-<hash>). Run again to resume.")
]
Dataset = Annotated[
    str, typer.Option("--dataset", help="`world` (embedded, offline) or a published dataset (`gnomon data list`).")
]
Count = Annotated[int | None, typer.Option("--n", min=1, help="Number of questions (default: the evaluation's own).")]
Behaviour = Annotated[str, typer.Option("--behaviour", help="The behaviour, such as sycophancy.")]
Evaluations = Annotated[
    list[str] | None, typer.Option("--evaluation", "-e", help="Evaluation to run; repeat for several (default: the suite core).")
]
Settings = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Any field of the configuration, such as --set repeats=2.")
]
Concurrency = Annotated[int, typer.Option("--concurrency", min=1, help="Items in flight at once.")]


def settings_of(pairs: list[str] | None) -> dict[str, Any]:
    """`["repeats=2"]` as `{"repeats": 2}`; values are JSON where they parse as such, text otherwise."""
    found: dict[str, Any] = {}
    for pair in pairs or []:
        key, equals, text = pair.partition("=")
        if not equals:
            raise ConfigurationError(f"--set {pair} is not KEY=VALUE.")
        try:
            found[key] = json.loads(text)
        except json.JSONDecodeError:
            found[key] = text
    return found
