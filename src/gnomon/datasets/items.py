"""Typed items: what one protocol call works on."""

import hashlib
import json
from string import ascii_uppercase
from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator


class Item(BaseModel):
    """Anything a protocol can be run on.

    Attributes:
        id: Unique within its evaluation.
        cluster: The unit of independence, such as the question that several items share. Intervals resample clusters.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    cluster: str

    def digest(self) -> str:
        """SHA-256 of the item's whole content, 16 hexadecimal digits."""
        return content_hash(self.model_dump(mode="json"))


class ChoiceItem(Item):
    """A multiple-choice question.

    Attributes:
        dataset: Where it comes from: `world`, `truthfulqa`, ...
        question: The question's text, without options.
        options: The options' texts, 2 to 26 of them.
        answer: Index of the correct option.
        choices_first: Whether the options stand before the question, as in the synthetic world: a transformer of few layers
            can recall an answer and find its letter in one pass only where the question comes last.
        tags: Free labels to group by, such as `{"frequency": "rare"}`.
    """

    dataset: str
    question: str
    options: tuple[str, ...]
    answer: int
    choices_first: bool = False
    tags: dict[str, str] = {}

    @model_validator(mode="after")
    def _check(self) -> "ChoiceItem":
        if not 2 <= len(self.options) <= len(ascii_uppercase):
            raise ValueError(f"item {self.id} has {len(self.options)} options; 2 to 26 are possible")
        if not 0 <= self.answer < len(self.options):
            raise ValueError(f"item {self.id}: answer {self.answer} is not one of its {len(self.options)} options")
        return self

    @property
    def letters(self) -> str:
        """The options' letters, `ABCD` for four."""
        return ascii_uppercase[: len(self.options)]


def content_hash(value: Any) -> str:
    """SHA-256 of a JSON-able value in canonical form (sorted keys, no spaces), its first 16 hexadecimal digits."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def derive_seed(*parts: str | int) -> int:
    """A 63-bit seed from any parts, the same on every machine and independent of the order in which items run."""
    digest = hashlib.sha256("\x1f".join(str(part) for part in parts).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1
