"""Failures as OpenAI's clients expect them: a status, and `{"error": {"message", "type", "param", "code"}}`."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from gnomon.errors import GnomonError, RateLimited, TransientFailure, UserError

log = logging.getLogger("uvicorn.error")

SHAPES = {
    "prompt": "prompt must be a text, a list of texts, a list of token ids or a list of such lists, none of them empty lists",
    "stop": "stop must be a text or a list of at most 64 texts, each of 1 to 1000 characters",
    "messages": "messages must be a list of at least one message with a role (system, developer, user, assistant) and a text",
}
"""Said of fields whose single violations nobody could read."""


class Refused(UserError):
    """A request that cannot be answered, with its status and code."""

    def __init__(self, message: str, *, status: int = 400, param: str | None = None, code: str | None = None):
        super().__init__(message)
        self.status = status
        self.param = param
        self.code = code


def body_of(message: str, status: int, param: str | None = None, code: str | None = None) -> dict[str, Any]:
    """The JSON of a failure."""
    kinds = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
    kind = kinds.get(status, "invalid_request_error" if status < 500 else "server_error")
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def failure(
    status: int, message: str, param: str | None = None, code: str | None = None, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """The response of a failure."""
    return JSONResponse(body_of(message, status, param, code), status, dict(headers or {}))


def from_error(error: Exception) -> JSONResponse:
    """The response of what a model or a check raised: 4xx where the client can mend it, 429 and 503 where again may help."""
    match error:
        case Refused():
            return failure(error.status, str(error), error.param, error.code)
        case UserError():
            return failure(400, str(error))
        case RateLimited():
            return failure(429, str(error), headers={"Retry-After": str(round(error.retry_after or 1))})
        case TransientFailure():
            return failure(503, str(error), headers={"Retry-After": "1"})
        case GnomonError():
            return failure(500, str(error))
        case _:
            log.error("a request failed", exc_info=error)
            return failure(500, f"The server failed on this request with {type(error).__name__}; its log says more.")


def sentence(errors: Sequence[Mapping[str, Any]]) -> tuple[str, str | None]:
    """The first violation of a request as a sentence, and the field that it is about."""
    first = next((error for error in errors if error["type"] == "unsupported"), errors[0])
    if first["type"] == "json_invalid":
        why, where = first.get("ctx", {}).get("error", first["msg"]), first["loc"][-1]
        return f"The body is not JSON: {why}{f' at character {where}' if isinstance(where, int) else ''}.", None
    if first["type"] == "unsupported":
        return f"{first['msg']}.", first.get("ctx", {}).get("param")
    place = [str(step) for step in first["loc"] if step != "body"]
    if not place:
        return "The body must be a JSON object, sent as application/json.", None
    if first["type"] == "missing":
        return f"{'.'.join(place)} is missing.", place[0]
    if place[0] in SHAPES:
        return f"{SHAPES[place[0]]}.", place[0]
    name, said = ".".join(place), first["msg"]
    if said.startswith("Input should "):
        return f"{name} {said.removeprefix('Input ')}.", place[0]
    return f"{name}: {said[0].lower()}{said[1:]}.", place[0]


async def invalid(_: Request, error: Exception) -> JSONResponse:
    """FastAPI's handler of a body that does not fit the request's model."""
    message, param = sentence(error.errors()) if isinstance(error, RequestValidationError) else (str(error), None)
    return failure(400, message, param)


async def http_error(request: Request, error: Exception) -> JSONResponse:
    """FastAPI's handler of what its routing refuses."""
    if not isinstance(error, HTTPException):
        return from_error(error)
    said = {404: f"There is no {request.url.path} here.", 405: f"{request.url.path} does not take {request.method}."}
    return failure(error.status_code, said.get(error.status_code, f"{error.detail}."), headers=error.headers)
