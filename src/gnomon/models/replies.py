"""A reply in the making: what was asked, what is there so far, when it ends, and what is told of it on the way."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor

from gnomon.errors import DeterministicFailure
from gnomon.models.forward import as_list
from gnomon.models.model import Finish, Generation, Piece, Sampling
from gnomon.models.picking import likeliest, log_probabilities, pick
from gnomon.models.prefix_cache import Names, cached, names
from gnomon.models.tokenisation import Tokeniser

LETTER_TOKENS = 4
"""Most tokens that one letter of a stop text can take: the bytes of a character."""
EXPECTED = 256
"""Tokens of a reply that few exceed."""

Top = tuple[tuple[str, float], ...]


@dataclass(eq=False)
class Caller:
    """Who asked for a row.

    Attributes:
        tell: Gets the reply piece by piece (None: nobody wants it so).
        gone: Set when nobody waits any more; the row then ends.
        told: Letters told so far: a row that has to be sampled again is not told again.
        told_tokens: Tokens told so far.
    """

    tell: Callable[[Piece], None] | None = None
    gone: bool = False
    told: int = 0
    told_tokens: int = 0


@dataclass(frozen=True)
class GenerationRow:
    """One request.

    Attributes:
        prompt: Token ids, at least one.
        sampling: Its settings.
        seed: Of its generator.
        stop: All texts that end the reply.
        limit: Most new tokens: the settings' limit and the room left in the model's context.
        caller: Who asked for it.
    """

    prompt: tuple[int, ...]
    sampling: Sampling
    seed: int
    stop: tuple[str, ...]
    limit: int
    caller: Caller = field(default_factory=Caller)

    @property
    def size(self) -> int:
        """Tokens that it is expected to take: its prompt, and its reply up to a length that few reach."""
        return len(self.prompt) + min(self.limit, EXPECTED)

    @property
    def own(self) -> int:
        """Those of them that lie in no block that other rows could share."""
        return self.size - cached(len(self.prompt))

    @cached_property
    def blocks(self) -> Names:
        """What other rows could share."""
        return names(self.prompt)


@dataclass(frozen=True)
class Words:
    """What turns a model's tokens into text.

    Attributes:
        tokeniser: Of the model.
        ends: Tokens that end a reply.
    """

    tokeniser: Tokeniser
    ends: frozenset[int]


@dataclass
class Reply:
    """What a row has so far."""

    row: GenerationRow
    random: random.Random
    ids: list[int] = field(default_factory=list[int])
    logprobs: list[float] = field(default_factory=list[float])
    top: list[Top] = field(default_factory=list[Top])
    text: str | None = None
    finish: Finish | None = None
    failure: DeterministicFailure | None = None

    @classmethod
    def to(cls, row: GenerationRow) -> "Reply":
        """An empty reply; one that may have no token is at its end."""
        return cls(row, random.Random(row.seed), finish="length" if row.limit <= 0 else None)

    @property
    def done(self) -> bool:
        """Whether no further token is wanted."""
        return self.finish is not None or self.failure is not None or self.row.caller.gone

    def result(self, words: Words) -> Generation | Exception:
        """The finished reply, or why there is none."""
        if self.failure is not None:
            return self.failure
        return Generation(
            text=self._text(words),
            finish=self.finish or "length",
            token_ids=tuple(self.ids),
            tokens=words.tokeniser.tokens(self.ids),
            logprobs=tuple(self.logprobs) if self.row.sampling.logprobs else None,
            top_logprobs=tuple(self.top) if self.row.sampling.top_logprobs else None,
        )

    def advance(self, words: Words) -> None:
        """Ends the reply if its last token ended it, and tells the caller what is new."""
        if not self.done:
            self._end(words)
        if self.row.caller.tell is not None and self.failure is None and not self.row.caller.gone:
            self._tell(self.row.caller.tell, words)

    def _end(self, words: Words) -> None:
        if self.ids[-1] in words.ends:
            self.finish = "stop"
            return
        if self.row.stop and self._may_stop(words.tokeniser):
            text = words.tokeniser.decode_after(self.row.prompt, self.ids)
            found = [position for stop in self.row.stop if (position := text.find(stop)) >= 0]
            if found:
                self.text, self.finish = text[: min(found)], "stop"
                return
        if len(self.ids) >= self.row.limit:
            self.finish = "length"

    def _may_stop(self, tokeniser: Tokeniser) -> bool:
        """Whether a stop text stands among the last tokens; the whole text is read only then."""
        last = LETTER_TOKENS * (max(map(len, self.row.stop)) + 1)
        before = (*self.row.prompt[-LETTER_TOKENS:], *self.ids[:-last])
        text = tokeniser.decode_after(before, self.ids[-last:])
        return any(stop in text for stop in self.row.stop)

    def _tell(self, tell: Callable[[Piece], None], words: Words) -> None:
        """Keeps back letters that may yet become a stop text or are half a character."""
        caller, sampling, text = self.row.caller, self.row.sampling, self._text(words)
        if self.finish is None:
            held = max((n for stop in self.row.stop for n in range(1, len(stop)) if text.endswith(stop[:n])), default=0)
            text = text[: len(text) - held].rstrip("\ufffd")
            if len(text) <= caller.told:
                return
        fresh = slice(caller.told_tokens, None)
        piece = Piece(
            text=text[caller.told :],
            token_ids=tuple(self.ids[fresh]),
            tokens=words.tokeniser.tokens(self.ids[fresh]),
            logprobs=tuple(self.logprobs[fresh]) if sampling.logprobs else None,
            top_logprobs=tuple(self.top[fresh]) if sampling.top_logprobs else None,
            finish=self.finish,
        )
        caller.told, caller.told_tokens = max(caller.told, len(text)), len(self.ids)
        tell(piece)

    def _text(self, words: Words) -> str:
        """The reply so far, without end token and stop text."""
        if self.text is not None:
            return self.text
        said = self.ids[:-1] if self.ids and self.ids[-1] in words.ends else self.ids
        return words.tokeniser.decode_after(self.row.prompt, said)


def extend(replies: Sequence[Reply], logits: Tensor, words: Words) -> list[int]:
    """Adds a token to every reply that is not done; tells callers; gives the tokens, those of done replies among them.

    Args:
        replies: At least one.
        logits: `[at least len(replies), vocabulary]`, float32; further rows are padding.
        words: Of the model.
    """
    settings = [reply.row.sampling for reply in replies]
    logits = logits[: len(replies)]
    picked = pick(
        logits,
        temperature=torch.tensor([each.temperature for each in settings]),
        top_p=torch.tensor([each.top_p for each in settings], dtype=torch.float64),
        draws=torch.tensor([reply.random.random() for reply in replies], dtype=torch.float64),
    )
    tokens, finite = as_list(picked.tokens), as_list(picked.finite)
    most = max(each.top_logprobs for each in settings)
    logprobs = log_probabilities(logits, picked.tokens) if most or any(each.logprobs for each in settings) else []
    top = list(zip(*likeliest(logits, most), strict=True)) if most else []
    for index, (reply, token) in enumerate(zip(replies, tokens, strict=True)):
        if not reply.done:
            if not finite[index]:
                reply.failure = DeterministicFailure("The model's logits are not finite numbers; its weights are broken.")
            else:
                reply.ids.append(token)
                reply.logprobs += logprobs[index : index + 1]
                if top and (few := reply.row.sampling.top_logprobs):
                    ids, values = top[index]
                    reply.top.append(tuple(zip(words.tokeniser.tokens(ids[:few]), values[:few], strict=True)))
        reply.advance(words)
    return tokens
