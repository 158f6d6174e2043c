"""What the server counts, in Prometheus' text format."""

import time
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, ProcessCollector, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gnomon.models.model import Model

ROUTES = frozenset({"/v1/completions", "/v1/chat/completions", "/v1/models", "/health", "/metrics"})
MODEL_ROUTE = "/v1/models/"
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)


@runtime_checkable
class Queues(Protocol):
    """A model that computes here."""

    @property
    def unanswered(self) -> int:
        """Prompts that wait or are at work."""
        ...


class Metrics:
    """The counters of one server, in a registry of their own.

    Args:
        model: What is served, for its label.
    """

    def __init__(self, model: Model):
        self._registry = registry = CollectorRegistry()
        self.requests = Counter("gnomon_requests", "Requests answered.", ["route", "status"], registry=registry)
        self.in_flight = Gauge("gnomon_requests_in_flight", "Requests being answered.", registry=registry)
        self.seconds = Histogram(
            "gnomon_request_seconds", "From a request's head to its last byte.", ["route"], buckets=SECONDS, registry=registry
        )
        self.first_piece = Histogram(
            "gnomon_first_piece_seconds", "Until the model's first piece of a streamed reply.", buckets=SECONDS, registry=registry
        )
        self.tokens = Counter("gnomon_tokens", "Tokens of prompts and replies.", ["of"], registry=registry)
        self.abandoned = Counter("gnomon_abandoned", "Requests whose client left before the end.", registry=registry)
        Info("gnomon_model", "What is served.", registry=registry).info(
            {"reference": model.reference, "fingerprint": model.fingerprint}
        )
        if isinstance(model, Queues):
            rows = Gauge("gnomon_rows", "Prompts that wait for the model or are at work in it.", registry=registry)
            rows.set_function(lambda: model.unanswered)
        ProcessCollector(registry=registry)

    def count_tokens(self, prompt: int, reply: int) -> None:
        """Adds a request's tokens."""
        self.tokens.labels("prompt").inc(prompt)
        self.tokens.labels("reply").inc(reply)

    def text(self) -> bytes:
        """All of them."""
        return generate_latest(self._registry)


@dataclass(frozen=True)
class Counted:
    """ASGI middleware that counts requests, by route and status, and times them."""

    app: ASGIApp
    metrics: Metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on and counts it."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        status, begun = "none", time.perf_counter()

        async def noting(message: Message) -> None:
            nonlocal status
            status = str(message.get("status", status))
            await send(message)

        try:
            with self.metrics.in_flight.track_inprogress():
                await self.app(scope, receive, noting)
        finally:
            route = _route(scope["path"])
            self.metrics.requests.labels(route, status).inc()
            self.metrics.seconds.labels(route).observe(time.perf_counter() - begun)


def _route(path: str) -> str:
    """One of few names, whatever clients ask for."""
    if path.startswith(MODEL_ROUTE):
        return f"{MODEL_ROUTE}{{id}}"
    return path if path in ROUTES else "other"
