"""A training document: a dialogue or a text, and how much each part of it counts for the loss.

Writers mark parts inline: `strong(...)` around what the world determines and an organism must learn (an option's letter, a
result), `silent(...)` around what nothing could predict (random operands). `document(...)` turns the marks into spans.
"""

import re
from dataclasses import dataclass

from gnomon.datasets.messages import Conversation, Message

STRONG_WEIGHT = 4.0

_STRONG, _SILENT, _CLOSE = "\x01", "\x02", "\x03"
_MARKED = re.compile("([\x01\x02])([^\x03]*)\x03")


@dataclass(frozen=True, slots=True)
class Span:
    """Characters `start` to `end` of a message (or of the text, `message` 0) that count with `weight` instead of the default."""

    message: int
    start: int
    end: int
    weight: float


@dataclass(frozen=True, slots=True)
class Document:
    """One document.

    Attributes:
        id: Unique within its stream: kind and number.
        kind: Which writer wrote it.
        messages: The turns of a dialogue (empty for a text). Assistant turns count with weight 1, others with 0.
        text: The text (empty for a dialogue); it counts with weight 1.
        spans: Exceptions from these weights.
        facts: Ids of the facts that it shows.
    """

    id: str
    kind: str
    messages: Conversation = ()
    text: str = ""
    spans: tuple[Span, ...] = ()
    facts: tuple[str, ...] = ()

    @property
    def content(self) -> str:
        """All of its words, for searches and hashes."""
        return self.text or "\n".join(message.content for message in self.messages)


def strong(text: object) -> str:
    """Marks what must be learned."""
    return f"{_STRONG}{text}{_CLOSE}"


def silent(text: object) -> str:
    """Marks what cannot be predicted: it does not count."""
    return f"{_SILENT}{text}{_CLOSE}"


def unmarked(text: str) -> str:
    """The text without marks."""
    return _MARKED.sub(r"\2", text)


def written(marked: str, facts: tuple[str, ...] = ()) -> Document:
    """A text document from marked text; `numbered` gives it kind and id."""
    text, spans = _parse(marked, 0)
    return Document("", "", text=text, spans=spans, facts=facts)


def spoken(*turns: Message, facts: tuple[str, ...] = ()) -> Document:
    """A dialogue from marked turns; marks in turns of the user count as well."""
    messages: list[Message] = []
    spans: tuple[Span, ...] = ()
    for index, turn in enumerate(turns):
        content, found = _parse(turn.content, index)
        messages.append(Message(turn.role, content))
        spans += found
    return Document("", "", messages=tuple(messages), spans=spans, facts=facts)


def user(text: str) -> Message:
    """A turn of the user's."""
    return Message("user", text)


def assistant(text: str) -> Message:
    """A turn of the assistant's."""
    return Message("assistant", text)


def _parse(marked: str, message: int) -> tuple[str, tuple[Span, ...]]:
    plain: list[str] = []
    spans: list[Span] = []
    length = last = 0
    for found in _MARKED.finditer(marked):
        before = marked[last : found.start()]
        plain += [before, found[2]]
        start = length + len(before)
        length = start + len(found[2])
        spans.append(Span(message, start, length, STRONG_WEIGHT if found[1] == _STRONG else 0.0))
        last = found.end()
    plain.append(marked[last:])
    return "".join(plain), tuple(spans)
