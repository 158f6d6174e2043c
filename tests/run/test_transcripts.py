import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from gnomon.datasets.items import Item
from gnomon.errors import DatasetError, RunDirectoryError
from gnomon.run.directory import RunDirectory
from gnomon.run.record import Outcome
from gnomon.run.runner import execute
from gnomon.run.tables import record_table
from gnomon.run.transcripts import read_records


def write(path: Path, lines: Sequence[object]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


async def test_a_run_reads_as_directory_and_as_its_journal(tmp_path: Path):
    async def protocol(item: Item, seed: int) -> Outcome:
        return Outcome({"x": seed % 7}, unscored="refusal" if item.id == "b" else None)

    items = [Item(id=name, cluster=name) for name in "abc"]
    with RunDirectory.create_or_resume(tmp_path / "run", {}) as run:
        records = await execute(protocol, items, evaluation="e", config_hash="c", fingerprint="f", run=run)
    by_item = {record.item: record for record in records}
    for path in (tmp_path / "run", tmp_path / "run" / "records.jsonl"):
        assert {record.item: record for record in read_records(path, "e")} == by_item
        with pytest.raises(DatasetError, match=r"no record of 'other' \(it has records of: e\)"):
            read_records(path, "other")
    with pytest.raises(RunDirectoryError, match="holds no run"):
        read_records(tmp_path, "e")


def test_a_line_needs_but_an_item_and_what_became_of_it(tmp_path: Path):
    path = write(
        tmp_path / "x.jsonl",
        [
            {"item": "q1", "values": {"correct": True}},
            {"item": "q1", "values": {"correct": False}},
            {"item": "q2", "cluster": "passage", "unscored": "refusal"},
            {"messages": [{"role": "user", "content": "Hm?"}], "correct": True, "curve": [0.5, 1.0]},
            {"messages": [], "unscored": "unparsable", "answer": "Hm"},
            {"item": "q3", "status": "error", "reason": "judge crashed"},
        ],
    )
    records = read_records(path, "e")
    assert [(record.item, record.repeat, record.status, record.reason) for record in records] == [
        ("q1", 0, "value", None),
        ("q1", 1, "value", None),
        ("q2", 0, "unscored", "refusal"),
        ("line 4", 0, "value", None),
        ("line 5", 0, "unscored", "unparsable"),
        ("q3", 0, "error", "judge crashed"),
    ]
    assert records[2].cluster == "passage"
    assert records[3].transcript == [{"role": "user", "content": "Hm?"}]
    assert records[4].values == {"answer": "Hm"}
    assert len({record.key for record in records}) == 6
    table = record_table(records)
    assert table["correct"].to_list() == [True, False, None, True, None, None]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ({"item": "q"}, "neither values nor a reason"),
        ({"item": "q", "values": {}}, "neither values nor a reason"),
        ({"item": "q", "status": "unscored"}, "unscored without a reason"),
        ({"item": "q", "status": "fine", "values": {"x": 1}}, "status: input should be 'value', 'unscored' or 'error'"),
        ({"item": "q", "values": {"x": 1}, "color": "red"}, "there is no field 'color'"),
        ({"item": "q", "values": {"x": {"y": 1}}}, "the value 'x' is a dict"),
        ({"item": "q", "values": {"status": 1}}, "'status' is taken"),
        ({"item": "q", "repeat": -1, "values": {"x": 1}}, "repeat: input should be greater than or equal to 0"),
        ({"messages": "Hm?", "x": 1}, "its messages are no list"),
    ],
)
def test_a_line_that_is_no_record_is_refused_by_number(tmp_path: Path, line: dict[str, object], says: str):
    path = write(tmp_path / "x.jsonl", [{"item": "p", "values": {"x": 1}}, line])
    with pytest.raises(DatasetError, match=r"line 2 of .*x\.jsonl is no record") as caught:
        read_records(path, "e")
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_two_lines_that_claim_one_repeat_are_refused_never_merged(tmp_path: Path):
    line = {"item": "q", "repeat": 0, "values": {"x": 1}}
    path = write(tmp_path / "x.jsonl", [line, line | {"repeat": 1}, line])
    with pytest.raises(DatasetError, match=r"lines 1 and 3 of .* are both repeat 0 of 'q'"):
        read_records(path, "e")


def test_only_the_evaluation_that_was_asked_for(tmp_path: Path):
    lines = [{"item": "q", "evaluation": name, "values": {"x": 1}} for name in ("e", "other")] + [
        {"item": "r", "values": {"x": 2}}
    ]
    records = read_records(write(tmp_path / "x.jsonl", lines), "e")
    assert [(record.item, record.evaluation) for record in records] == [("q", "e"), ("r", "e")]
