"""Every exception that gnomon raises on purpose, in one tree.

The command line prints the sentence of a `GnomonError` without a traceback and exits with its `exit_code`: 2 where the user
can mend it (`UserError`), 1 otherwise. Each message is one sentence that says what is wrong and what to do about it.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError


class GnomonError(Exception):
    """Base of all errors raised on purpose."""

    exit_code = 1


class UserError(GnomonError):
    """Something the user can mend: a wrong name, an unreadable file, an option that does not fit."""

    exit_code = 2


class UnknownModel(UserError):
    """A model reference that names nothing: unknown scheme, organism or directory."""


class UnsafeWeights(UserError):
    """Weights that cannot be loaded without running code: pickle files, or a model that wants remote code."""


class DatasetError(UserError):
    """A dataset that is missing, empty, broken or does not match its recorded hash."""


class TooFewItems(DatasetError):
    """More questions are wanted than there are.

    Attributes:
        there: How many there are.
    """

    def __init__(self, holder: str, there: int, what: str, n: int, advice: str = "") -> None:
        """Such as `TooFewItems("the world has", 800, "facts to ask", 1000)`; `advice` ends the sentence."""
        super().__init__(f"{holder} {there:,} {what}, and n is {n:,}: choose 1 to {there:,}{advice}")
        self.there = there


class ConfigurationError(UserError):
    """An option, a configuration file or a combination of them that makes no sense."""


class RunDirectoryError(UserError):
    """A run directory that cannot be written, or that holds another run."""


class RunInterrupted(GnomonError):
    """A run that stopped before its end (Ctrl-C, SIGTERM, its time limit); the same command resumes it, nothing is lost."""

    def __init__(self, message: str, exit_code: int = 130):
        super().__init__(message)
        self.exit_code = exit_code


class TrainingDiverged(UserError):
    """Training whose loss or gradient is no longer a finite number."""


class TooFewAccepted(UserError):
    """A correction whose rule or judge accepted too few of the model's own replies to learn from."""


class MissingExtra(UserError):
    """A feature whose optional dependency is not installed."""


class Unsupported(UserError):
    """A request that this model cannot serve, such as continuation scores from a provider without log-probabilities."""


class ProviderError(GnomonError):
    """A model call failed; the subclass says whether calling again can help."""


class RateLimited(ProviderError):
    """The provider asks for fewer requests: wait `retry_after` seconds (None: the runner's own back-off), then again."""

    def __init__(self, message: str, retry_after: float | None = None):
        super().__init__(message)
        self.retry_after = retry_after


class TransientFailure(ProviderError):
    """A failure that may pass: a timeout, a dropped connection, a 502."""


class DeterministicFailure(ProviderError):
    """A failure that will come again however often the same call is made; it is never retried."""


def complaint(error: "ValidationError", what: str = "field", known: Iterable[str] = ()) -> str:
    """The first thing that pydantic has to say, as part of a sentence: `depth.low: input should be a valid integer`.

    Args:
        error: What pydantic raised.
        what: What a field is to the user (`option`).
        known: The fields to choose from where one is not there.
    """
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    name = ".".join(str(step) for step in first["loc"])
    if first["type"] == "extra_forbidden":
        choice = ", ".join(known)
        return f"there is no {what} {name!r}" + (f"; choose from {choice}" if choice else "")
    message = first["msg"].removeprefix("Value error, ")
    message = message[:1].lower() + message[1:]
    return f"{name}: {message}" if name else message
