"""How likely a model finds the tokens of a prompt, and which token it finds likeliest in their places.

Evaluation harnesses ask this of a completions server (`echo` with `logprobs`): the sum over a continuation's tokens is its
score, and whether each was the likeliest says whether it is what the model would say. `Model.score` gives the first but of each
token not the second, so prompts pass the model's `forward` here, batched as the engine batches: grouped by padded length, in a
multiple of four rows.
"""

import asyncio
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from gnomon.errors import DeterministicFailure
from gnomon.models.engine import Batcher, More, padded_length
from gnomon.models.tokenisation import TokenisedText, Tokeniser
from gnomon.serve.failures import Refused

if TYPE_CHECKING:
    from torch import Tensor

MOST_LOGITS = 1 << 26
"""Most logits of one batch, a quarter of a gigabyte; a longer prompt still passes, alone."""


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
class HasWeights(Protocol):
    """A model whose logits can be had."""

    tokeniser: Tokeniser

    @property
    def context(self) -> int | None:
        """Most tokens of a sequence."""
        ...

    def forward(self, ids: "Tensor") -> "Tensor":
        """Logits `[rows, length, vocabulary]` of `[rows, length]` token ids."""
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


@dataclass(frozen=True, slots=True)
class _Row:
    ids: tuple[int, ...]
    top: int
    length: int


@dataclass(frozen=True, slots=True)
class _Found:
    logprobs: list[float]
    ranks: list[int]
    tops: list[list[tuple[int, float]]]


class Echoes:
    """Log-probabilities of prompts.

    Args:
        model: Any model; one without weights here is refused when it is asked.
    """

    def __init__(self, model: object):
        self._model = model
        self._batcher = Batcher(self._run, MOST_LOGITS)

    async def of(self, prompt: str, top: int) -> Echo:
        """A prompt's tokens as the model gets them, those included that the tokenizer puts before a text.

        Args:
            prompt: A text, or a `TokenisedText`.
            top: How many of the likeliest tokens are wanted.

        Raises:
            Refused: The model has no logits here.
        """
        model = self._with_weights()
        ids = tuple(model.tokeniser.encode(prompt))
        hidden = 0 if isinstance(prompt, TokenisedText) else len(model.tokeniser.bos)
        first = model.tokeniser.tokens(ids[:1])[0] if ids else None
        if len(ids) < 2:
            return Echo(first, (), (), hidden)
        row = _Row(ids, top, min(padded_length(len(ids)), model.context or sys.maxsize))
        size = row.length * len(model.tokeniser.tokenizer)
        found = await asyncio.wrap_future(self._batcher.submit(size, row))
        own = zip(ids[1:], model.tokeniser.tokens(ids[1:]), found.logprobs, found.ranks, strict=True)
        tops = tuple(_ranked(model.tokeniser, likeliest) for likeliest in found.tops)
        return Echo(first, tuple(Likely(*each) for each in own), tops, hidden)

    async def aclose(self) -> None:
        """Ends the thread."""
        await asyncio.to_thread(self._batcher.close)

    def _with_weights(self) -> HasWeights:
        if isinstance(self._model, HasWeights):
            return self._model
        raise Refused("A prompt's log-probabilities need a model whose weights are here; leave out logprobs.", param="echo")

    def _run(self, rows: Sequence[_Row], more: More[_Row]) -> Iterator[tuple[int, _Found]]:
        for length in sorted({row.length for row in rows}):
            numbers = [number for number, row in enumerate(rows) if row.length == length]
            yield from zip(numbers, self._found([rows[number] for number in numbers]), strict=True)

    def _found(self, rows: Sequence[_Row]) -> list[_Found]:
        import torch

        from gnomon.models.forward import padded_count

        ids = torch.zeros(padded_count(len(rows)), rows[0].length, dtype=torch.long)
        for index, row in enumerate(rows):  # padding on the right is out of sight of a causal model's earlier tokens
            ids[index, : len(row.ids)] = torch.tensor(row.ids)
        logits = self._with_weights().forward(ids)
        return [_found(logits[index, : len(row.ids) - 1].float().log_softmax(-1), row) for index, row in enumerate(rows)]


def _found(logprobs: "Tensor", row: _Row) -> _Found:
    """What a row's log-probabilities `[len(ids) - 1, vocabulary]` say of its tokens."""
    import torch

    own = logprobs.gather(-1, torch.tensor(row.ids[1:], device=logprobs.device)[:, None])[:, 0]
    if not bool(own.isfinite().all()):
        raise DeterministicFailure("The model's logits are not finite numbers; its weights are broken.")
    ranks = (logprobs > own[:, None]).sum(-1) + 1
    values, tokens = logprobs.topk(min(row.top, logprobs.shape[-1]), dim=-1)
    tops = [list(zip(ids, found, strict=True)) for ids, found in zip(tokens.tolist(), values.tolist(), strict=True)]
    return _Found(own.tolist(), ranks.tolist(), tops)


def _ranked(tokeniser: Tokeniser, likeliest: Sequence[tuple[int, float]]) -> tuple[Likely, ...]:
    texts = tokeniser.tokens([token for token, _ in likeliest])
    return tuple(
        Likely(token, text, value, rank)
        for rank, (text, (token, value)) in enumerate(zip(texts, likeliest, strict=True), start=1)
    )
