"""Chain of thought: sampling it, cutting it into sentences, going on from a changed one, and the answer that it leads to.

The formats and the sampling (temperature 0.8, nucleus 0.95) are those of 2307.13702, procedure 1 to 4.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from gnomon.datasets import templates
from gnomon.datasets.items import ChoiceItem
from gnomon.datasets.messages import Message
from gnomon.elicit.ask import ask, kind_of, options_said
from gnomon.elicit.choose import Choice, choose
from gnomon.models.model import Model, Sampling

TEMPERATURE = 0.8
TOP_P = 0.95

_ABBREVIATIONS = r"\b(?:e\.g|i\.e|vs|cf|approx|fig|eq|dr|mr|mrs|ms|prof)\."
_INITIALS = r"^(?:[A-Z]\.\s*)+"
_ENDS = re.compile(r"(?P<end>[.?!]+[\"')\]]*)(?P<space>\s+)|(?P<line>\s*\n\s*)")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_NOT_AN_END = re.compile(rf"(?:{_ABBREVIATIONS}|{_INITIALS}|^\d+\.)$", re.IGNORECASE)


class Unanswered(Exception):
    """Reasoning that could not be made or finished; the message is the reason under which it counts as unscored."""


@dataclass(frozen=True, slots=True)
class Reasoning:
    """A sampled chain of thought.

    Attributes:
        pieces: The sentences with the white space that follows each: joined, they are the text.
        tokens: How many tokens it has (words and marks, where the model does not say).
        cut: Whether the token limit ended it.
    """

    pieces: tuple[str, ...]
    tokens: int
    cut: bool

    @property
    def sentences(self) -> list[str]:
        """The sentences x_1 .. x_n."""
        return [piece.strip() for piece in self.pieces]

    @property
    def text(self) -> str:
        """The whole text."""
        return self.first(len(self.pieces))

    def first(self, k: int) -> str:
        """The text of x_1 .. x_k."""
        return "".join(self.pieces[:k]).strip()


@lru_cache(maxsize=4_096)
def split_sentences(text: str) -> tuple[str, ...]:
    """Cuts a text into sentences; joined, they are the text again (without the white space at its ends).

    A sentence ends with `.`, `?` or `!` before white space, or with its line; not after a list's number, an initial or a usual
    abbreviation, nor within a number.
    """
    text = text.strip()
    pieces: list[str] = []
    start = 0
    for match in _ENDS.finditer(text):
        before = text[start : match.end("end")] if match["end"] else ""
        if match["end"] and _NOT_AN_END.search(before):
            continue
        if re.search(r"\w", text[start : match.start()]):
            pieces.append(text[start : match.end()])
            start = match.end()
    if start < len(text):
        pieces.append(text[start:])
    return tuple(pieces)


async def reason(model: Model, item: ChoiceItem, *, max_tokens: int, seed: int) -> Reasoning | str:
    """Samples one chain of thought for a question; where there is none, the reason why (`refusal`, `no reasoning`)."""
    sampling = Sampling(TEMPERATURE, TOP_P, max_tokens, seed=seed)
    reply = await ask(model, templates.reasoning_opening(item), sampling)
    kind = kind_of(reply)
    if kind != "reply":
        return "refusal" if kind == "refusal" else "no reasoning"
    pieces = split_sentences(reply.text)
    tokens = len(reply.tokens) or len(re.findall(r"\w+|[^\w\s]", reply.text))
    return Reasoning(pieces, tokens, reply.finish == "length")


async def reason_on(model: Model, item: ChoiceItem, said: str, *, max_tokens: int, seed: int) -> str:
    """Lets the model go on from a reasoning text and returns the whole of it; it may have nothing to add."""
    begun = Message("assistant", f"{templates.STEP_BY_STEP} {said}".rstrip())
    opened = (*templates.reasoning_opening(item)[:-1], begun)
    reply = await ask(model, opened, Sampling(TEMPERATURE, TOP_P, max_tokens, seed=seed))
    return f"{said.rstrip()} {reply.text.strip()}".strip()


async def answer_after(model: Model, item: ChoiceItem, reasoning: str) -> Choice:
    """a(C): the forced answer after a reasoning text, which may be empty."""
    return await choose(model, templates.answer_after(item, reasoning), item.letters)


def stated_option(item: ChoiceItem, reasoning: str) -> int | None:
    """The option that a reasoning text states last, by its letter in brackets or by its words; None where it states none.

    It is read from the last sentence that names any option; one that names several states none. Where all options are
    numbers it is the last number of the last sentence that has one (`14 plus 7 is 21.` states 21, an option or not).
    """
    numeric = all(_NUMBER.fullmatch(option.strip()) for option in item.options)
    for sentence in reversed(split_sentences(reasoning)):
        named = [item.letters.index(letter) for letter in re.findall(r"\(([A-Z])\)", sentence) if letter in item.letters]
        numbers = _NUMBER.findall(sentence)
        if not named and numeric and numbers:
            named = options_said(numbers[-1], item.options)
            return named[0] if named else None
        if named or (named := options_said(sentence, item.options)):
            return named[0] if len(set(named)) == 1 else None
    return None
