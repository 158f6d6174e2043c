"""Records that somebody already has: a run directory's, or a JSONL file's.

A line of a JSONL file is a record as a run's `records.jsonl` holds it, or anything that says enough to be one:

    {"item": "q1", "values": {"correct": true}}
    {"item": "q1", "unscored": "refusal"}
    {"messages": [{"role": "user", "content": "..."}], "correct": true}      further fields of a chat are its values

What is left out: `item` is then the line's number, `cluster` the item, `repeat` counts the lines of one item.
"""

from collections import Counter
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from gnomon.datasets.items import content_hash
from gnomon.datasets.jsonl import read_lines
from gnomon.errors import DatasetError, complaint
from gnomon.run.directory import RunDirectory
from gnomon.run.record import Record
from gnomon.run.values import checked


def read_records(path: Path | str, evaluation: str) -> list[Record]:
    """The records of one evaluation, in the order in which they stand.

    Args:
        path: A run directory or a JSONL file.
        evaluation: Whose; lines that name no evaluation are taken to be of this one.

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
            record = _record(line, number, evaluation, repeats)
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


def _record(line: dict[str, Any], number: int, evaluation: str, repeats: Counter[tuple[str, str]]) -> Record:
    line = _from_chat(line) if "messages" in line else dict(line)
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


def _from_chat(line: dict[str, Any]) -> dict[str, Any]:
    """A chat's own fields, its messages as transcript, and everything else as values."""
    own = {name: line[name] for name in (*Record.model_fields, "unscored") if name in line}
    rest = {name: value for name, value in line.items() if name not in own and name != "messages"}
    return own | {"transcript": line["messages"], "values": rest | own.get("values", {})}


def _chosen(records: list[Record], path: Path, evaluation: str) -> list[Record]:
    chosen = [record for record in records if record.evaluation == evaluation]
    if not chosen:
        there = ", ".join(sorted({record.evaluation for record in records})) or "none at all"
        raise DatasetError(f"{path} has no record of {evaluation!r} (it has records of: {there})")
    return chosen
