"""What a client gets: OpenAI's JSON objects for completions and chat completions, whole and in chunks."""

import math
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import uuid4

from gnomon.models.model import Finish, Generation, Piece
from gnomon.serve.echo import Echo, Likely

FINISH: dict[Finish, str] = {"stop": "stop", "length": "length", "refusal": "content_filter"}

IMPOSSIBLE = -9999.0
"""What OpenAI writes for a token that cannot come; JSON has no infinity."""

Json = dict[str, Any]
Top = Sequence[tuple[str, float]]
Reply = Generation | Piece


@dataclass(frozen=True)
class Head:
    """What every object of one answer begins with.

    Attributes:
        kind: The route's kind of answer.
        model: The reference.
        fingerprint: Of the model.
    """

    kind: Literal["text_completion", "chat.completion"]
    model: str
    fingerprint: str
    id: str = field(default_factory=lambda: uuid4().hex)
    created: int = field(default_factory=lambda: int(time.time()))

    def answer(self, choices: Sequence[Json], usage: Json | None, *, chunk: bool = False) -> Json:
        """The object around its choices."""
        chat = self.kind == "chat.completion"
        return {
            "id": f"{'chatcmpl' if chat else 'cmpl'}-{self.id}",
            "object": f"{self.kind}.chunk" if chat and chunk else self.kind,
            "created": self.created,
            "model": self.model,
            "system_fingerprint": self.fingerprint,
            "choices": list(choices),
            "usage": usage,
        }


def usage(prompt_tokens: int, reply_tokens: int) -> Json:
    """The count of tokens."""
    return {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": reply_tokens,
        "total_tokens": prompt_tokens + reply_tokens,
    }


@dataclass
class Spelled:
    """Log-probabilities in the form of completions, told piece by piece.

    Attributes:
        text: What has been said so far, for `text_offset`.
        place: Where in it the next token is looked for.
    """

    text: str = ""
    place: int = 0

    def echo(self, text: str, echo: Echo) -> Json:
        """Of a prompt, without what the tokenizer put before it. Its first token has none, as clients expect and skip."""
        texts = [*([] if echo.first is None else [echo.first]), *(token.text for token in echo.tokens)][echo.hidden :]
        logprobs = [None, *(token.logprob for token in echo.tokens[echo.hidden :])][: len(texts)]
        tops = [None, *([(one.text, one.logprob) for one in top] for top in echo.tops[echo.hidden :])][: len(texts)]
        found = self._listed(text, texts, logprobs, tops)
        self.place = len(self.text)
        return found

    def reply(self, reply: Reply) -> Json | None:
        """Of a reply; None where the model gives no log-probabilities."""
        if reply.logprobs is None:
            return None
        tops = reply.top_logprobs or ((),) * len(reply.tokens)
        return self._listed(reply.text, reply.tokens, reply.logprobs, tops)

    def _listed(self, text: str, tokens: Sequence[str], logprobs: Sequence[float | None], tops: Sequence[Top | None]) -> Json:
        self.text += text
        return {
            "tokens": list(tokens),
            "token_logprobs": [_finite(logprob) for logprob in logprobs],
            "top_logprobs": [_alternatives(*each) for each in zip(tokens, logprobs, tops, strict=True)],
            "text_offset": [self._offset(token) for token in tokens],
        }

    def _offset(self, token: str) -> int:
        """Where a token begins; tokens whose text is not found (dropped spaces, marks, parts of a letter) begin at once."""
        found = self.text.find(token, self.place) if token else -1
        if found < 0 or self.text[self.place : found].strip():
            return self.place
        self.place = found + len(token)
        return found


def completion_choice(index: int, text: str, finish: Finish | None, logprobs: Json | None) -> Json:
    """A choice of a completion, or of a chunk of one."""
    return {"index": index, "text": text, "logprobs": logprobs, "finish_reason": FINISH[finish] if finish else None}


def prompt_logprobs(echo: Echo) -> list[Json | None]:
    """A prompt's log-probabilities in the form of vLLM: what the tokenizer put before it included, each token itself first."""
    first: list[Json | None] = [] if echo.first is None else [None]
    return [*first, *(_by_id([token, *top]) for token, top in zip(echo.tokens, echo.tops, strict=True))]


def chat_choice(index: int, reply: Generation) -> Json:
    """A choice of a chat completion."""
    return {
        "index": index,
        "message": {"role": "assistant", "content": reply.text, "refusal": None},
        "logprobs": chat_logprobs(reply),
        "finish_reason": FINISH[reply.finish],
    }


def chat_delta(index: int, delta: Json, *, finish: Finish | None = None, logprobs: Json | None = None) -> Json:
    """A choice of a chunk of a chat completion."""
    return {"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": FINISH[finish] if finish else None}


def chat_logprobs(reply: Reply) -> Json | None:
    """Log-probabilities in the form of chat completions; None where the model gives none."""
    if reply.logprobs is None:
        return None
    tops = reply.top_logprobs or ((),) * len(reply.tokens)
    content = [
        {**_entry(token, logprob), "top_logprobs": [_entry(*alternative) for alternative in top]}
        for token, logprob, top in zip(reply.tokens, reply.logprobs, tops, strict=True)
    ]
    return {"content": content, "refusal": None}


def joined(texts: Iterable[Mapping[str, Any] | None]) -> Json | None:
    """Log-probabilities of completions one behind the other; None if one of them is not there."""
    parts = list(texts)
    if any(part is None for part in parts):
        return None
    names = ("tokens", "token_logprobs", "top_logprobs", "text_offset")
    return {name: [each for part in parts if part for each in part[name]] for name in names}


def _entry(token: str, logprob: float) -> Json:
    return {"token": token, "logprob": _finite(logprob), "bytes": list(token.encode())}


def _by_id(tokens: Sequence[Likely]) -> Json:
    return {str(each.id): {"logprob": _finite(each.logprob), "rank": each.rank, "decoded_token": each.text} for each in tokens}


def _alternatives(token: str, logprob: float | None, top: Top | None) -> dict[str, float | None] | None:
    """The likeliest tokens and the token itself; of tokens that read alike the likelier."""
    if logprob is None or top is None:
        return None
    found: dict[str, float | None] = {}
    for text, value in (*top, (token, logprob)):
        alike = [each for each in (_finite(value), found.get(text)) if each is not None]
        found[text] = max(alike, default=None)
    return found


def _finite(logprob: float | None) -> float | None:
    """As JSON can hold it: what cannot come has OpenAI's number, what is no log-probability (NaN, infinity) has none."""
    if logprob == -math.inf:
        return IMPOSSIBLE
    return logprob if logprob is not None and math.isfinite(logprob) else None
