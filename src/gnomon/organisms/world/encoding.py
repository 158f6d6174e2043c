"""Documents as token sequences with weights: what the training loop takes."""

from collections.abc import Iterable, Iterator, Sequence
from string import ascii_uppercase
from typing import TYPE_CHECKING

from gnomon.organisms.world.document import STRONG_WEIGHT, Document, Span
from gnomon.organisms.world.tokenizer import BEGIN, CONTEXT, END, ROLES, UNKNOWN, pieces
from gnomon.train.examples import Example

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast


def encode(document: Document, ids: dict[str, int]) -> Example:
    """One document as an example.

    Assistant turns and their end count with weight 1, other turns with 0, texts with 1; the document's spans override it.

    Args:
        document: The document.
        ids: Token to id, such as `tokenizer.get_vocab()`.
    """
    tokens, weights, said = [ids[BEGIN]], [0.0], [BEGIN]
    unknown = ids[UNKNOWN]
    parts = [(message.role, message.content) for message in document.messages] or [("text", document.text)]
    for index, (role, content) in enumerate(parts):
        spans = [span for span in document.spans if span.message == index]
        counts = 0.0 if role in ("user", "system") else 1.0
        if role != "text":
            tokens.append(ids[ROLES[role]])
            said.append(ROLES[role])
            weights.append(0.0)
        start = 0
        for piece in pieces(content):
            tokens.append(ids.get(piece, unknown))
            said.append(piece)
            weights.append(_weight(spans, start, start + len(piece), counts))
            start += len(piece)
        tokens.append(ids[END])
        said.append(END)
        weights.append(counts if not (spans and spans[-1].end == len(content) and spans[-1].weight == 0) else 0.0)
    return Example(tokens[:CONTEXT], weights[:CONTEXT], looks=_looks(said[:CONTEXT], weights))


def _looks(said: Sequence[str], weights: Sequence[float]) -> tuple[tuple[int, int], ...]:
    """From before each letter that counts most to the entry that it names: where its choice stands in the latest list.

    An entry is a letter in parentheses on a line of its own, its choice behind it.
    """
    entries: dict[str, int] = {}
    looks: list[tuple[int, int]] = []
    for place in range(2, len(said) - 2):
        letter = said[place]
        if said[place - 1] != " (" or said[place + 1] != ")" or letter not in ascii_uppercase:
            continue
        if weights[place] == STRONG_WEIGHT and letter in entries:
            looks.append((place - 1, entries[letter]))
        elif weights[place] == 0 and said[place - 2] == "\n":
            entries[letter] = place + 2
    return tuple(looks)


def examples(documents: Iterable[Document], tokenizer: "PreTrainedTokenizerFast") -> Iterator[Example]:
    """Encodes documents; those without any weight are left out."""
    ids: dict[str, int] = tokenizer.get_vocab()
    for document in documents:
        example = encode(document, ids)
        if example.weights.any():
            yield example


def _weight(spans: list[Span], start: int, end: int, default: float) -> float:
    for span in spans:
        if span.start < end and start < span.end:
            return span.weight
    return default
