"""Commands of `gnomon data`."""

from pathlib import Path
from typing import Annotated

import typer

from gnomon.cli.options import Json, Out, Seed
from gnomon.cli.output import emit


def list_datasets(seed: Seed = 0, out: Out = None, as_json: Json = False) -> None:
    """List the published datasets and where each would be read from."""
    from gnomon import api
    from gnomon.report import terminal

    datasets = api.datasets_available()
    emit({"datasets": datasets}, as_json, lambda: terminal.datasets(datasets))


def fetch(
    name: Annotated[str, typer.Argument(help="Dataset name.")],
    seed: Seed = 0,
    out: Annotated[Path | None, typer.Option("--out", help="Cache directory.")] = None,
    as_json: Json = False,
) -> None:
    """Download a dataset from its upstream, verify its hashes and cache it."""
    from gnomon import api

    folder = api.fetch(name, out=out)
    emit({"dataset": name, "directory": str(folder)}, as_json, lambda: f"{name}: {folder}")


def verify(
    name: Annotated[str | None, typer.Argument(help="Dataset name (default: all that are present).")] = None,
    seed: Seed = 0,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Check the hashes of datasets that are present."""
    from gnomon import api
    from gnomon.report import terminal

    checks = api.verify(name)
    emit({"files": checks}, as_json, lambda: terminal.checks(checks))
    if not all(check["ok"] for check in checks):
        raise typer.Exit(1)
