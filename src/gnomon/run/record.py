"""Records: what became of one item, in three values - a value, unscored with its reason, or an error."""

from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Status = Literal["value", "unscored", "error"]

Scalar = bool | int | float | str | None
Column = Scalar | list[Scalar] | list[list[Scalar]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a protocol returns.

    Attributes:
        values: Named results; the columns of the record table. Lists become list columns. No NaN.
        transcript: Everything that was said, as `{"role", "content"}` messages, for people to read.
        unscored: Why nothing could be measured (`refusal`, `unparsable`, `judge failed` ...); None: it was.
    """

    values: dict[str, Column] = field(default_factory=dict[str, Column])
    transcript: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    unscored: str | None = None


class Record(BaseModel):
    """One line of the journal.

    Attributes:
        key: Hash of item, protocol configuration, model fingerprint and repeat: the identity of the work.
        evaluation: Which evaluation it belongs to.
        item: The item's id.
        cluster: The item's unit of independence.
        repeat: 0 .. repeats - 1.
        status: `value`, `unscored` or `error`.
        reason: Why unscored, or the error's sentence.
        values: Present for every status; empty where nothing was measured.
        transcript: What was said.
        attempts: Calls of the protocol that it took.
    """

    model_config = ConfigDict(extra="forbid")

    key: str
    evaluation: str
    item: str
    cluster: str
    repeat: int = Field(ge=0)
    status: Status
    reason: str | None = None
    values: dict[str, Any] = {}
    transcript: list[dict[str, str]] = []
    attempts: int = 1
