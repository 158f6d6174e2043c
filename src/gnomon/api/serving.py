"""A model served to other programs."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from gnomon.api.given import configured
from gnomon.models.sync import run

if TYPE_CHECKING:
    from gnomon.models.model import Model
    from gnomon.serve.server import Address, Stopped


def serve(
    model: "str | Model",
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    name: str | None = None,
    token: str | None = None,
    rate: float | None = None,
    in_flight: int = 1024,
    max_body: int = 10_000_000,
    grace: int = 30,
    seed: int = 0,
    faults: float = 0.0,
    log_level: str = "warning",
    ready: Callable[["Address"], None] = print,
) -> "Stopped":
    """Answers OpenAI's completions and chat completions with a model until SIGINT or SIGTERM (`gnomon[serve]`).

    Args:
        model: A reference, or an open model.
        host: What to listen on; anything but a loopback address needs a token.
        port: TCP port; 0 takes a free one.
        name: What clients call the model (None: its reference).
        token: What clients send as their API key.
        rate: Requests per second and client (None: unlimited).
        in_flight: Most requests at work or waiting.
        max_body: Most bytes of a request's body.
        grace: Seconds that running requests get at the end.
        seed: Of the seeds that requests without one get.
        faults: Share of the calls that fail on purpose, to try a client.
        log_level: Of the log on standard error.
        ready: Told the address once requests are accepted.
    """
    from gnomon.models.extras import needing_extras

    with needing_extras():
        from gnomon.serve.config import ServeConfig
        from gnomon.serve.server import serve as run_server
    options = {
        "host": host,
        "port": port,
        "name": name,
        "token": token,
        "rate": rate,
        "in_flight": in_flight,
        "max_body": max_body,
    }
    config = configured(ServeConfig, {**options, "grace": grace, "seed": seed, "faults": faults, "log_level": log_level})
    return run(run_server(model, config, ready))
