"""The running server: its socket, its readiness and its end."""

import asyncio
import copy
import socket
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn
from uvicorn.config import LOGGING_CONFIG

from gnomon.errors import ConfigurationError
from gnomon.models.model import Model
from gnomon.models.references import open_model
from gnomon.serve.app import build
from gnomon.serve.config import ServeConfig
from gnomon.serve.work import Served

KEEP_ALIVE = 75
"""Seconds that an idle connection stays open. Clients keep theirs for about 5, uvicorn's default: whoever asks in the moment in
which the server closes the connection loses the request."""


@dataclass(frozen=True)
class Address:
    """Where a server answers.

    Attributes:
        url: What clients take as their base URL.
        model: The name that they give.
        fingerprint: Of the model.
    """

    url: str
    model: str
    fingerprint: str


@dataclass(frozen=True)
class Stopped:
    """How a server ended.

    Attributes:
        requests: How many it got.
        cut_off: Requests that had not ended when the time of grace was over.
    """

    requests: int
    cut_off: int


async def serve(
    model: str | Model, config: ServeConfig, ready: Callable[[Address], None], until: asyncio.Event | None = None
) -> Stopped:
    """Answers until SIGINT or SIGTERM, then finishes what runs.

    Args:
        model: A reference, opened and closed here, or an open model.
        config: Address, protection and limits.
        ready: Told the address once requests are accepted.
        until: Ends the server too when it is set.

    Raises:
        ConfigurationError: The address cannot be had.
        UserError: The model cannot be opened.
    """
    with closing(listening(config)) as listener:
        opened = open_model(model)
        served = Served(opened, config.seed, config.name)
        address = Address(_url(config.host, listener), served.name, opened.fingerprint)
        server = Server(_uvicorn_config(served, config), lambda: ready(address))
        stopping = asyncio.create_task(_stop_when(until, server)) if until else None
        await server.serve([listener])
        if stopping:
            stopping.cancel()
    if isinstance(model, str):
        await opened.aclose()
    return Stopped(server.server_state.total_requests, server.cut_off)


class Server(uvicorn.Server):
    """uvicorn's, which says when it is ready, and for which a signal is a proper end.

    Attributes:
        cut_off: Requests that were cancelled at the end.
    """

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]):
        super().__init__(config)
        self.cut_off = 0
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Starts, and says so."""
        await super().startup(sockets)
        self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stops accepting, waits for what runs and cancels what takes too long, or is left when Ctrl-C is pressed again."""
        await super().shutdown(sockets)
        cancelled = set(self.server_state.tasks)
        self.cut_off = len(cancelled)
        for task in cancelled:
            task.cancel()
        if cancelled:
            await asyncio.wait(cancelled, timeout=1.0)

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """As uvicorn, which then raises the signals again: a process would end by the signal instead of with exit code 0."""
        with super().capture_signals():
            yield
            self._captured_signals.clear()


async def _stop_when(until: asyncio.Event, server: Server) -> None:
    await until.wait()
    server.should_exit = True


def listening(config: ServeConfig) -> socket.socket:
    """A socket bound to the configured address; it begins to listen when the server starts.

    Raises:
        ConfigurationError: The address is not this machine's, or the port is taken.
    """
    listener: socket.socket | None = None
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(config.host, config.port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(where)
    except OSError as error:
        if listener:
            listener.close()
        reason = error.strerror or str(error)
        raise ConfigurationError(
            f"{config.host} port {config.port} cannot be listened on ({reason.lower()}): give another --host or --port"
        ) from None
    return listener


def _url(host: str, listener: socket.socket) -> str:
    port = listener.getsockname()[1]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/v1"


def _uvicorn_config(served: Served, config: ServeConfig) -> uvicorn.Config:
    logs: dict[str, Any] = copy.deepcopy(LOGGING_CONFIG)
    logs["handlers"]["access"]["stream"] = "ext://sys.stderr"  # standard output holds the address only
    return uvicorn.Config(
        build(served, config),
        http="h11",
        ws="none",
        lifespan="off",
        log_level=config.log_level,
        log_config=logs,
        access_log=config.log_level in ("info", "debug"),
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=config.grace,
        timeout_keep_alive=KEEP_ALIVE,
    )
