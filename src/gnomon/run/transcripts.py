"""Records that somebody already has: a run directory's, or a JSONL file's.

A line of a JSONL file is a record as a run's `records.jsonl` holds it, or anything that says enough to be one:

    {"item": "q1", "values": {"correct": true}}
    {"item": "q1", "unscored": "refusal"}
    {"messages": [{"role": "user", "content": "..."}], "correct": true}      further fields of a chat are its values

An evaluation that can read chats of its kind (`ChatReader`) finds the values in the words, from what else the line says. What is
left out: `item` is then the line's number, `cluster` the item, `repeat` counts the lines of one item.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, cast

from pydantic import ValidationError

from gnomon.datasets.items import content_hash
from gnomon.datasets.jsonl import read_lines
from gnomon.errors import DatasetError, complaint
from gnomon.run.directory import RunDirectory
from gnomon.run.record import Record
from gnomon.run.values import checked


class Turn(NamedTuple):
    """One message of a chat: `system`, `user` or `assistant`, and what it says."""

    role: str
    content: str


@dataclass(frozen=True)
class ReadChat:
    """What a chat measures.

    Attributes:
        item: Which item of the evaluation it is.
        cluster: Its unit of independence.
        values: What was read.
        unscored: Why nothing was (None: it was).
    """

    item: str
    cluster: str
    values: dict[str, Any]
    unscored: str | None = None


ChatReader = Callable[[Sequence[Turn], Mapping[str, Any]], ReadChat | None]
"""From a chat and what else is known of it to what it measures; None where it is no chat of the evaluation's."""

ROLES = {"human": "user", "ai": "assistant", "bot": "assistant", "model": "assistant"}
"""Other names of the roles."""


def read_records(path: Path | str, evaluation: str, read_chat: ChatReader | None = None) -> list[Record]:
    """The records of one evaluation, in the order in which they stand.

    Args:
        path: A run directory or a JSONL file.
        evaluation: Whose; lines that name no evaluation are taken to be of this one.
        read_chat: What reads chats without values.

    Raises:
        DatasetError: A line is broken or no record (names file and line), two lines claim to be the same repeat of an item, or
            there is no record of that evaluation.
        RunDirectoryError: The directory holds no run.
    """
    path = Path(path)
    if path.is_dir():
        return _chosen(RunDirectory.open(path).records(), path, evaluation)
    records: list[Record] = []
    repeats: Counter[tuple[str, str]] = Counter()
    seen: dict[tuple[str, str, int], int] = {}
    for number, line in read_lines(path):
        try:
            record = _record(line, number, evaluation, repeats, read_chat)
        except ValidationError as error:
            raise DatasetError(f"line {number} of {path} is no record ({complaint(error)}); mend it or leave it out") from None
        except ValueError as error:
            raise DatasetError(f"line {number} of {path} is no record ({error}); mend it or leave it out") from None
        identity = (record.evaluation, record.item, record.repeat)
        if identity in seen:
            raise DatasetError(
                f"lines {seen[identity]} and {number} of {path} are both repeat {record.repeat} of {record.item!r}: "
                "number the repeats, or leave `repeat` out"
            )
        seen[identity] = number
        records.append(record)
    return _chosen(records, path, evaluation)


def turns(messages: object) -> list[Turn]:
    """The messages of a chat in the field's usual shapes (`role` and `content`, or `type` for the role).

    Raises:
        ValueError: Something else.
    """
    if not isinstance(messages, list):
        raise ValueError("its messages are no list")
    found: list[Turn] = []
    for message in cast("list[Any]", messages):
        said = cast("dict[str, Any]", message) if isinstance(message, dict) else {}
        role, content = said.get("role") or said.get("type"), _text(said.get("content"))
        if not isinstance(role, str) or not isinstance(content, str):
            raise ValueError("a message must have a role and a content, both texts")
        found.append(Turn(ROLES.get(role.lower(), role.lower()), content))
    return found


def _text(content: object) -> object:
    """The content, or the text of its parts where it is cut into some."""
    if not isinstance(content, list):
        return content
    parts = [cast("dict[str, Any]", part).get("text") for part in cast("list[Any]", content) if isinstance(part, dict)]
    return "".join(part for part in parts if isinstance(part, str))


def _record(
    line: dict[str, Any], number: int, evaluation: str, repeats: Counter[tuple[str, str]], read_chat: ChatReader | None
) -> Record:
    line = _from_chat(line, read_chat) if "messages" in line else dict(line)
    line.setdefault("evaluation", evaluation)
    item = line["item"] = str(line.get("item", f"line {number}"))
    which = (str(line["evaluation"]), item)
    line.setdefault("repeat", repeats[which])
    repeats[which] += 1
    line.setdefault("cluster", item)
    line.setdefault("key", content_hash([number, line]))
    if "unscored" in line:
        line |= {"status": "unscored", "reason": line.pop("unscored")}
    line.setdefault("status", "value")
    record = Record.model_validate(line)
    if record.status == "value" and not record.values:
        raise ValueError("it has neither values nor a reason why not")
    if record.status != "value" and not record.reason:
        raise ValueError(f"it is {record.status} without a reason")
    return record.model_copy(update={"values": checked(record.values)})


def _from_chat(line: dict[str, Any], read_chat: ChatReader | None) -> dict[str, Any]:
    """A chat's own fields, its messages as transcript, and everything else as values, or what was read instead."""
    said = turns(line["messages"])
    transcript = [turn._asdict() for turn in said]
    own = {name: line[name] for name in (*Record.model_fields, "unscored") if name in line}
    rest = {name: value for name, value in line.items() if name not in own and name != "messages"}
    read = read_chat(said, own | rest) if read_chat and not {"values", "unscored", "status"} & own.keys() else None
    if read is None:
        return own | {"transcript": transcript, "values": rest | own.get("values", {})}
    reason = {"unscored": read.unscored} if read.unscored else {}
    return own | reason | {"item": read.item, "cluster": read.cluster, "values": read.values, "transcript": transcript}


def _chosen(records: list[Record], path: Path, evaluation: str) -> list[Record]:
    chosen = [record for record in records if record.evaluation == evaluation]
    if not chosen:
        there = ", ".join(sorted({record.evaluation for record in records})) or "none at all"
        raise DatasetError(f"{path} has no record of {evaluation!r} (it has records of: {there})")
    return chosen
