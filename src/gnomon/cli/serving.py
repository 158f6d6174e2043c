"""The command that serves a model to other programs."""

from dataclasses import asdict
from typing import Annotated

import typer

from gnomon.cli.options import Json, Model, Seed
from gnomon.cli.output import console, emit


def serve(
    model: Model,
    host: Annotated[str, typer.Option("--host", help="Address to listen on; all but loopback ones need a token.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", help="TCP port; 0 takes a free one.")] = 8000,
    name: Annotated[str | None, typer.Option("--name", help="What clients call the model (default: its reference).")] = None,
    token: Annotated[
        str | None, typer.Option("--token", envvar="GNOMON_SERVE_TOKEN", help="What clients must send as their API key.")
    ] = None,
    rate: Annotated[float | None, typer.Option("--rate", help="Requests per second and client (default: unlimited).")] = None,
    in_flight: Annotated[int, typer.Option("--in-flight", help="Requests at work or waiting at once.")] = 1024,
    max_body: Annotated[int, typer.Option("--max-body", help="Bytes of a request's body.")] = 10_000_000,
    grace: Annotated[int, typer.Option("--grace", help="Seconds that running requests get when the server is stopped.")] = 30,
    faults: Annotated[float, typer.Option("--faults", help="Share of the calls that fail on purpose, to try a client.")] = 0.0,
    log_level: Annotated[str, typer.Option("--log-level", help="Log on standard error; info: a line per request.")] = "warning",
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Serve a model to any client of OpenAI's completions and chat completions; stop with Ctrl-C."""
    from gnomon import api
    from gnomon.report import terminal

    stopped = api.serve(
        model,
        host=host,
        port=port,
        name=name,
        token=token,
        rate=rate,
        in_flight=in_flight,
        max_body=max_body,
        grace=grace,
        seed=seed,
        faults=faults,
        log_level=log_level,
        ready=lambda address: emit(asdict(address), as_json, lambda: terminal.address(address)),
    )
    console(stderr=True).print(terminal.stopped(stopped))
