"""The routes of the server."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from gnomon.serve import failures, guard
from gnomon.serve.config import ServeConfig, is_loopback
from gnomon.serve.events import EventStream
from gnomon.serve.failures import Refused
from gnomon.serve.faults import Faulty
from gnomon.serve.leaving import ClientLeft, CutOff, unless_left
from gnomon.serve.metrics import Counted
from gnomon.serve.requests import Asked, ChatRequest, CompletionRequest
from gnomon.serve.work import Served, Work, of_chat, of_completion

CLIENT_LEFT = 499
"""Status of an answer that nobody waits for, in the metrics."""


def build(served: Served, config: ServeConfig) -> ASGIApp:
    """The guarded application."""
    app = FastAPI(title="gnomon", docs_url=None, redoc_url=None)  # FastAPI's pages load scripts from elsewhere
    app.state.served = served
    app.add_exception_handler(RequestValidationError, failures.invalid)
    app.add_exception_handler(HTTPException, failures.http_error)
    app.get("/health")(health)
    app.get("/metrics")(metrics)
    app.get("/v1/models")(models)
    app.get("/v1/models/{name:path}")(model)
    app.post("/v1/completions")(completions)
    app.post("/v1/chat/completions")(chat_completions)
    answering = Faulty(app, config.faults, seed=config.seed) if config.faults else app
    return _guarded(answering, served, config)


def _guarded(app: ASGIApp, served: Served, config: ServeConfig) -> ASGIApp:
    """Built from the innermost: who is refused early costs little."""
    guarded: ASGIApp = guard.InFlight(guard.BodyLimit(app, config.max_body), config.in_flight)
    if config.token is not None:
        guarded = guard.Gate(guarded, guard.bearer(config.token.get_secret_value()))
    if config.rate is not None:
        guarded = guard.Gate(guarded, guard.Rates(config.rate))
    if is_loopback(config.host):
        guarded = guard.Gate(guarded, guard.local_names_only(config.host))
    return Counted(CutOff(guarded), served.metrics)


def served_by(request: Request) -> Served:
    """What this application serves."""
    return request.app.state.served


Here = Annotated[Served, Depends(served_by)]


async def health(served: Here) -> dict[str, str]:
    """That the server answers, and with what."""
    return {"status": "ok", "model": served.name}


async def metrics(served: Here) -> Response:
    """Counters in Prometheus' text format."""
    return Response(served.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")


async def models(served: Here) -> dict[str, Any]:
    """The one model."""
    return {"object": "list", "data": [_described(served)]}


async def model(name: str, served: Here) -> Response:
    """The model by its name."""
    if name != served.name:
        return failures.from_error(_unknown(name, served))
    return JSONResponse(_described(served))


async def completions(asked: CompletionRequest, request: Request, served: Here) -> Response:
    """Continues texts."""
    return await _answered(asked, lambda: of_completion(served, asked), request, served)


async def chat_completions(asked: ChatRequest, request: Request, served: Here) -> Response:
    """Answers a conversation."""
    return await _answered(asked, lambda: of_chat(served, asked), request, served)


async def _answered(asked: Asked, read: Callable[[], Awaitable[Work]], request: Request, served: Served) -> Response:
    """The answer, or how it failed; what fails before the first chunk of a stream has its own status too."""

    async def answer() -> Response:
        if asked.model not in (None, served.name):
            raise _unknown(asked.model, served)
        work = await read()
        headers = {"X-Gnomon-Seed": str(work.sampling.seed)}
        if not asked.stream:
            return JSONResponse(await work.answer(), headers=headers)
        chunks = work.chunks()
        return EventStream(await anext(chunks), chunks, headers)

    try:
        return await unless_left(request.receive, answer())
    except ClientLeft:
        served.metrics.abandoned.inc()
        return Response(status_code=CLIENT_LEFT)
    except Exception as error:
        return failures.from_error(error)


def _described(served: Served) -> dict[str, Any]:
    card = served.model.card
    return {
        "id": served.name,
        "object": "model",
        "created": served.since,
        "owned_by": "gnomon",
        "fingerprint": served.model.fingerprint,
        "kind": card.kind,
        "parameters": card.parameters,
        "max_model_len": getattr(served.model, "context", None),
    }


def _unknown(name: str | None, served: Served) -> Refused:
    message = f"The model {name!r} is not here; this server has {served.name!r}."
    return Refused(message, status=404, param="model", code="model_not_found")
