import json
from collections.abc import Sequence
from pathlib import Path
from threading import Event

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gnomon.errors import RunDirectoryError
from gnomon.run.journal import Journal, decode, encode, read
from gnomon.run.record import Record
from gnomon.run.values import BASE_COLUMNS

texts = st.text(max_size=30)
scalars = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False) | texts
names = texts.filter(lambda name: name not in BASE_COLUMNS)
anything = st.text(st.characters(), max_size=30)  # lone surrogates too
records = st.builds(
    Record,
    key=st.uuids().map(lambda key: key.hex),
    evaluation=texts,
    item=texts,
    cluster=texts,
    repeat=st.integers(0, 99),
    status=st.sampled_from(["value", "unscored", "error"]),
    reason=st.none() | texts,
    values=st.dictionaries(names, scalars | st.lists(scalars, max_size=4), max_size=4),
    transcript=st.lists(st.fixed_dictionaries({"role": texts, "content": anything}), max_size=3),
    attempts=st.integers(1, 9),
)


def record(key: str = "k", status: str = "value", **changes: object) -> Record:
    fields = {"evaluation": "e", "item": "i", "cluster": "c", "repeat": 0, "values": {"x": 1.5}} | changes
    return Record.model_validate({"key": key, "status": status, **fields})


def commit(journal: Journal, *written: Record) -> list[Record]:
    """Appends, waits for the disk, and gives back what was said to be there."""
    done: list[Record] = []
    everything = Event()

    def committed(batch: Sequence[Record], failure: RunDirectoryError | None) -> None:
        assert failure is None
        done.extend(batch)
        if len(done) == len(written):
            everything.set()

    for entry in written:
        journal.append(entry, committed)
    assert everything.wait(30)
    return done


@given(records)
def test_a_line_comes_back_as_it_was(entry: Record):
    line = encode(entry)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert decode(line) == entry
    assert encode(decode(line)) == line


@settings(max_examples=30, deadline=None)
@given(st.lists(records, min_size=1, max_size=6, unique_by=lambda entry: entry.key), st.data())
def test_cut_anywhere_only_the_torn_line_is_lost(
    tmp_path_factory: pytest.TempPathFactory, written: list[Record], data: st.DataObject
):
    path = tmp_path_factory.mktemp("journal") / "records.jsonl"
    lines = [encode(entry) for entry in written]
    whole = b"".join(lines)
    cut = data.draw(st.integers(0, len(whole)))
    path.write_bytes(whole[:cut])
    complete = 0
    while len(b"".join(lines[: complete + 1])) <= cut + 1 and complete < len(lines):  # a line that lacks but its newline is whole
        complete += 1
    journal = Journal(path)
    assert list(journal.records.values()) == written[:complete]
    torn = cut > len(b"".join(lines[:complete]))
    assert (journal.repaired is not None) == torn
    commit(journal, *written[complete:]) if complete < len(written) else None
    journal.close()
    assert path.read_bytes() == whole
    assert read(path) == written


def test_what_is_said_to_be_done_is_in_the_file(tmp_path: Path):
    path = tmp_path / "records.jsonl"
    journal = Journal(path)
    done = commit(journal, *(record(str(number)) for number in range(500)))
    assert [json.loads(line)["key"] for line in path.read_bytes().splitlines()] == [entry.key for entry in done]
    assert len(done) == 500
    journal.close()


def test_a_torn_line_is_reported_with_its_number(tmp_path: Path):
    path = tmp_path / "records.jsonl"
    path.write_bytes(encode(record("a")) + encode(record("b"))[:20])
    journal = Journal(path)
    journal.close()
    assert journal.repaired is not None
    assert "line (2)" in journal.repaired
    assert read(path) == [record("a")]


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        (b'{"key": "b", "status"\n', "delimiter"),
        (b"\xff\xfe\n", "decode"),
        (b'{"key": "b"}\n', "evaluation: field required"),
        (b"[1, 2]\n", "valid dictionary"),
        (encode(record("b")).replace(b"1.5", b"NaN"), "NaN is no JSON number"),
        (encode(record("b")).replace(b"1.5", b"-Infinity"), "-Infinity is no JSON number"),
    ],
)
def test_a_broken_line_in_the_middle_is_refused_by_number(tmp_path: Path, broken: bytes, why: str):
    path = tmp_path / "records.jsonl"
    content = encode(record("a")) + broken + encode(record("c"))
    path.write_bytes(content)
    with pytest.raises(RunDirectoryError, match=rf"line 2 of .*{why}") as caught:
        Journal(path)
    assert "\n" not in str(caught.value)
    assert path.read_bytes() == content


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_is_not_finite_is_refused_at_writing(tmp_path: Path, number: float):
    journal = Journal(tmp_path / "records.jsonl")
    with pytest.raises(ValueError, match="not JSON compliant"):
        journal.append(record(values={"x": [0.0, number]}), lambda batch, failure: None)
    journal.close()
    assert (tmp_path / "records.jsonl").read_bytes() == b""


def test_of_one_key_the_first_settled_record_stands(tmp_path: Path):
    path = tmp_path / "records.jsonl"
    first, second = record(status="error", reason="one", values={}), record(status="error", reason="two", values={})
    value, again = record(values={"x": 1}), record(values={"x": 2})
    path.write_bytes(encode(first) + encode(second))
    assert read(path) == [second]
    path.write_bytes(encode(first) + encode(value) + encode(value) + encode(again) + encode(second))
    assert read(path) == [value]


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path: Path):
    with pytest.raises(RunDirectoryError, match="cannot open the journal"):
        Journal(tmp_path / "missing" / "records.jsonl")
