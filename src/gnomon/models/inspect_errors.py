"""What an Inspect provider's exceptions mean for whoever might call again."""

from typing import Any

from inspect_ai.model import ModelAPI
from inspect_ai.model._model import RetryDecision  # not exported, but part of `should_retry`'s contract
from tenacity import RetryError

from gnomon.errors import DeterministicFailure, GnomonError, ProviderError, RateLimited, TransientFailure

PASSING = (408, 409, 425, 500, 502, 503, 504, 529)
"""HTTP statuses that may pass. A 500 that comes again every time costs no more than the capped number of attempts."""

TIMEOUTS = ("AttemptTimeoutError", "StreamIdleTimeoutError", "NoStreamDataError", "APITimeoutError", "APIConnectionError")
"""Exceptions of Inspect and of the provider clients, by name: their packages need not be installed."""


GARBLED = ("JSONDecodeError", "APIResponseValidationError")
"""What the provider clients raise where an answer is no JSON, or no answer of the provider's form."""


def garbled(error: BaseException) -> bool:
    """Whether the provider answered with something that cannot be read; its client does not call again of itself."""
    return bool({kind.__name__ for kind in type(_cause(error)).__mro__}.intersection(GARBLED))


def classify(error: Exception, api: ModelAPI) -> Exception:
    """The gnomon error that stands for an exception out of `inspect_ai.model.Model.generate`.

    Args:
        error: The exception, wrapped in tenacity's or Inspect's own or not.
        api: The provider, whose own classification counts first.
    """
    cause = _cause(error)
    if isinstance(cause, GnomonError):
        return cause
    found = _kind(cause, api)
    text = (str(cause).strip() or type(cause).__name__).splitlines()[0]
    sentence = f"{api.model_name}: {type(cause).__name__}: {text}"
    if found is RateLimited:
        return RateLimited(sentence, retry_after=_retry_after(cause, api))
    return found(sentence)


def _cause(error: BaseException) -> BaseException:
    """What lies beneath the wrapping of retries and of Inspect's error with the request's text."""
    if isinstance(error, RetryError):
        inner = error.last_attempt.exception()
        return _cause(inner) if inner is not None else error
    if type(error).__name__ == "ModelGenerateError" and error.__cause__ is not None:
        return _cause(error.__cause__)
    return error


def _kind(cause: BaseException, api: ModelAPI) -> type[ProviderError]:
    status = _status(cause)
    if status == 429:
        return RateLimited
    decision = _decision(cause, api)
    if isinstance(decision, RetryDecision) and decision.retry:
        return RateLimited if decision.kind == "rate_limit" else TransientFailure
    if decision or status in PASSING or garbled(cause) or isinstance(cause, (TimeoutError, ConnectionError)):
        return TransientFailure
    named = {kind.__name__ for kind in type(cause).__mro__}
    return TransientFailure if named.intersection((*TIMEOUTS, "TransportError")) else DeterministicFailure


def _decision(cause: BaseException, api: ModelAPI) -> bool | RetryDecision:
    return api.should_retry(cause) if isinstance(cause, Exception) else False


def _status(cause: BaseException) -> int | None:
    response: Any = getattr(cause, "response", None)
    for candidate in (getattr(cause, "status_code", None), getattr(response, "status_code", None), getattr(cause, "code", None)):
        if isinstance(candidate, int):
            return candidate
    return None


def _retry_after(cause: BaseException, api: ModelAPI) -> float | None:
    decision = _decision(cause, api)
    if isinstance(decision, RetryDecision) and decision.retry_after is not None:
        return decision.retry_after
    headers: Any = getattr(getattr(cause, "response", None), "headers", None) or {}
    try:
        return float(headers.get("retry-after"))
    except (TypeError, ValueError, AttributeError):
        return None
