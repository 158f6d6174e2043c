"""How likely a model finds the tokens of a prompt, and which token it finds likeliest in their places.

Evaluation harnesses ask this of a completions server (`echo` with `logprobs`): the sum over a continuation's tokens is its
score, and whether each was the likeliest says whether it is what the model would say. Prompts go to the model's own queue of
scoring, so that those that wait together share their prefixes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from gnomon.models.tokenisation import TokenisedText, Tokeniser
from gnomon.serve.failures import Refused

if TYPE_CHECKING:
    from gnomon.models.predictions import Predicted


@dataclass(frozen=True, slots=True)
class Likely:
    """A token where it stands.

    Attributes:
        id: The token.
        text: Its text.
        logprob: In nats, given the tokens before.
        rank: 1 for the likeliest.
    """

    id: int
    text: str
    logprob: float
    rank: int


@runtime_checkable
class Predicts(Protocol):
    """A model that says of each token of a sequence how likely it is."""

    tokeniser: Tokeniser

    async def predict(self, ids: Sequence[int], top: int) -> "list[Predicted]":
        """Of each token after the first, with so many of the likeliest in its place."""
        ...


@dataclass(frozen=True, slots=True)
class Echo:
    """A prompt's tokens.

    Attributes:
        first: The text of the first token, which nothing stands before; None without any token.
        tokens: The tokens behind it.
        tops: Beside each of those, the likeliest tokens in its place.
        hidden: How many of all tokens the tokenizer put before the text.
    """

    first: str | None
    tokens: tuple[Likely, ...]
    tops: tuple[tuple[Likely, ...], ...]
    hidden: int


async def echo_of(model: object, prompt: str, top: int) -> Echo:
    """A prompt's tokens as the model gets them, those included that the tokenizer puts before a text.

    Args:
        model: Any model.
        prompt: A text, or a `TokenisedText`.
        top: How many of the likeliest tokens are wanted.

    Raises:
        Refused: The model's weights are not here.
        DeterministicFailure: Its numbers are not finite.
    """
    if not isinstance(model, Predicts):
        raise Refused("A prompt's log-probabilities need a model whose weights are here; leave out logprobs.", param="echo")
    tokeniser = model.tokeniser
    ids = tokeniser.encode(prompt)
    hidden = 0 if isinstance(prompt, TokenisedText) else len(tokeniser.bos)
    first = tokeniser.tokens(ids[:1])[0] if ids else None
    found = await model.predict(ids, top) if len(ids) > 1 else []
    texts = tokeniser.tokens(ids[1:])
    tokens = tuple(Likely(each.token, text, each.logprob, each.rank) for each, text in zip(found, texts, strict=True))
    return Echo(first, tokens, tuple(_ranked(tokeniser, each.likeliest) for each in found), hidden)


def _ranked(tokeniser: Tokeniser, likeliest: Sequence[tuple[int, float]]) -> tuple[Likely, ...]:
    texts = tokeniser.tokens([token for token, _ in likeliest])
    return tuple(
        Likely(token, text, value, rank)
        for rank, (text, (token, value)) in enumerate(zip(texts, likeliest, strict=True), start=1)
    )
