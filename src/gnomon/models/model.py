"""The one interface to every model: sampling text and scoring given continuations."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

from gnomon.datasets.messages import Prompt
from gnomon.errors import ConfigurationError

Finish = Literal["stop", "length", "refusal"]

ScoreMethod = Literal["exact", "prompt_logprobs", "top_logprobs", "sampling"]
"""How a continuation's log-probability was had; every record that rests on scores says which."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How to sample a reply.

    Attributes:
        temperature: 0 takes the most likely token.
        top_p: Nucleus: the smallest set of tokens with at least this probability.
        max_tokens: Upper limit of new tokens.
        stop: Texts that end the reply; the stop text is not part of it.
        seed: The same seed gives the same text, whatever is sampled beside it. None: derived from the prompt.
        logprobs: Whether the log-probabilities of the sampled tokens are wanted.
        top_logprobs: How many of the likeliest tokens are wanted beside each sampled one.

    Raises:
        ConfigurationError: A setting that means nothing.
    """

    temperature: float = 1.0
    top_p: float = 1.0
    max_tokens: int = 256
    stop: tuple[str, ...] = ()
    seed: int | None = None
    logprobs: bool = False
    top_logprobs: int = 0

    def __post_init__(self) -> None:
        said: Any = self.stop
        if not isinstance(said, tuple) or not all(isinstance(text, str) and text for text in said):
            raise ConfigurationError(f"stop must be a tuple of texts that are not empty, such as ('\\n',), not {said!r}")
        if not (self.temperature >= 0 and self.temperature < float("inf")):
            raise ConfigurationError(f"temperature must be 0 or a positive number, not {self.temperature}")
        if not 0 <= self.top_p <= 1:
            raise ConfigurationError(f"top_p must lie between 0 and 1, not at {self.top_p}")
        if self.max_tokens < 0 or self.top_logprobs < 0:
            raise ConfigurationError("max_tokens and top_logprobs must not be negative")


GREEDY = Sampling(temperature=0.0)


@dataclass(frozen=True, slots=True)
class Generation:
    """One sampled reply.

    Attributes:
        text: The reply without special tokens and stop text.
        finish: Why it ended.
        token_ids: The sampled tokens, the end token included (empty where the provider does not say).
        tokens: Their texts.
        logprobs: Log-probability in nats of each *sampled* token under temperature 1 (None: not asked for or not to be had).
        top_logprobs: For each token the likeliest ones there, text and log-probability (None: not asked for or not to be had).
    """

    text: str
    finish: Finish = "stop"
    token_ids: tuple[int, ...] = ()
    tokens: tuple[str, ...] = ()
    logprobs: tuple[float, ...] | None = None
    top_logprobs: tuple[tuple[tuple[str, float], ...], ...] | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """What a reply that is streamed goes on with.

    Attributes:
        text: The new text.
        token_ids: The new tokens.
        tokens: Their texts.
        logprobs: As in `Generation`.
        top_logprobs: As in `Generation`.
        finish: Why the reply ended, in its last piece.
    """

    text: str
    token_ids: tuple[int, ...] = ()
    tokens: tuple[str, ...] = ()
    logprobs: tuple[float, ...] | None = None
    top_logprobs: tuple[tuple[tuple[str, float], ...], ...] | None = None
    finish: Finish | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """The log-probability of one continuation after a prefix.

    Attributes:
        logprob: Sum over its tokens in nats; None where it could not be had, with `reason`.
        token_logprobs: Per token (one entry for methods that see no tokens).
        is_greedy: Whether each token is the most likely one (None: unknown).
        method: How it was had.
        reason: Why there is no `logprob`.
    """

    logprob: float | None
    token_logprobs: tuple[float, ...] = ()
    is_greedy: bool | None = None
    method: ScoreMethod = "exact"
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What is known of an opened model: `gnomon model show` prints it."""

    reference: str
    fingerprint: str
    kind: Literal["local", "organism", "scripted", "inspect"]
    parameters: int | None = None
    details: dict[str, Any] = field(default_factory=dict[str, Any])

    def as_jsonable(self) -> dict[str, Any]:
        """The card as a JSON-ready dictionary."""
        return asdict(self)


@runtime_checkable
class Model(Protocol):
    """Anything that continues text.

    Attributes:
        reference: The string that opens it again.
        fingerprint: Hash of the content that determines its answers (weights and tokenizer, or a policy's parameters); the
            key of every cache and journal.
    """

    @property
    def reference(self) -> str:
        """The string that opens this model again."""
        ...

    @property
    def fingerprint(self) -> str:
        """Hash of what determines its answers."""
        ...

    @property
    def card(self) -> ModelCard:
        """What is known of it."""
        ...

    async def generate(self, prompts: Sequence[Prompt], sampling: Sampling) -> list[Generation]:
        """Samples one reply to each prompt. Equal prompts in one call get different seeds: `derive_seed(seed, position)`.

        Raises:
            RateLimited, TransientFailure, DeterministicFailure: The call failed; the type says whether again can help.
        """
        ...

    async def score(self, prefix: Prompt, continuations: Sequence[str]) -> list[Score]:
        """Scores each continuation, as it stands, directly after the prefix.

        Raises:
            Unsupported: The model gives no log-probabilities at all and cannot sample them either.
        """
        ...

    async def aclose(self) -> None:
        """Releases what the model holds."""
        ...
