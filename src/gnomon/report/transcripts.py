"""Choosing transcripts to show, and making any text safe to look at."""

import unicodedata
from collections.abc import Collection, Sequence
from typing import cast

from gnomon.report.content import Transcript, Turn
from gnomon.run.record import Record

LONGEST_TURN = 8_000


def sample(records: Sequence[Record], limit: int = 200, *, phase: str = "", guarded: Collection[str] = ()) -> list[Transcript]:
    """Transcripts of at most `limit` records, the same ones each time.

    Records that were not scored come first, up to half of the places; the others are spread evenly over each evaluation's
    records in their order, each evaluation getting an equal part.

    Args:
        records: All records.
        limit: The most to show.
        phase: `before`, `after`, or empty.
        guarded: Evaluations whose transcripts may offend.
    """
    failed = [record for record in records if record.status != "value"]
    chosen = _spread(failed, limit if len(failed) == len(records) else limit // 2)
    scored: dict[str, list[Record]] = {}
    for record in records:
        if record.status == "value":
            scored.setdefault(record.evaluation, []).append(record)
    for position, group in enumerate(scored.values()):
        room = (limit - len(chosen)) // (len(scored) - position)
        chosen += _spread(group, room)
    return [_transcript(record, phase, record.evaluation in guarded) for record in chosen]


def visible(text: str) -> str:
    """The text with every character shown that would otherwise hide or reorder something.

    Control characters and characters that turn the direction of writing or have no width become their code point in
    brackets, lone surrogates the replacement character. Line breaks and tabs stay.
    """
    return "".join(character if character in "\n\t" else _visible(character) for character in text.replace("\r\n", "\n"))


def _visible(character: str) -> str:
    code = ord(character)
    category = unicodedata.category(character)
    if category == "Cs":
        return "\N{REPLACEMENT CHARACTER}"
    if (category == "Cf" and code not in (0x200D, 0x00AD)) or category == "Cc" or code in (0x2028, 0x2029):
        return f"[U+{code:04X}]"
    return character


def _spread(records: Sequence[Record], room: int) -> list[Record]:
    if len(records) <= room:
        return list(records)
    return [records[index * len(records) // room] for index in range(room)]


def _transcript(record: Record, phase: str, guarded: bool) -> Transcript:
    turns = tuple(
        Turn(role=visible(str(message.get("role", ""))), content=_shortened(visible(str(message.get("content", "")))))
        for message in record.transcript
    )
    return Transcript(
        evaluation=record.evaluation,
        item=visible(record.item),
        repeat=record.repeat,
        phase=phase,
        status=record.status,
        reason=record.reason and visible(record.reason),
        values={visible(name): _plain(value) for name, value in record.values.items()},
        turns=turns,
        guarded=guarded,
    )


def _plain(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return "[" + ", ".join(_plain(entry) for entry in cast("list[object]", value)) + "]"
    return visible(str(value)) if value is not None else "-"


def _shortened(text: str) -> str:
    if len(text) <= LONGEST_TURN:
        return text
    return f"{text[:LONGEST_TURN]}\n[... {len(text) - LONGEST_TURN:,} more characters, in records.jsonl]"
