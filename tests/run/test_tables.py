import random

import polars as pl
import pytest

from gnomon.errors import GnomonError
from gnomon.run.record import Record
from gnomon.run.tables import as_parquet, record_table


def record(item: str, values: dict[str, object] | None = None, *, status: str = "value", reason: str | None = None) -> Record:
    fields = {"key": item, "evaluation": "e", "item": item, "cluster": "c", "repeat": 0, "status": status, "reason": reason}
    return Record.model_validate(fields | {"values": values or {}})


def test_columns_are_the_union_of_the_values_typed():
    table = record_table(
        [
            record("a", {"agrees": True, "letters": ["A", None], "nothing": None, "score": 1}),
            record("b", status="unscored", reason="refusal"),
            record("c", {"score": 0.5, "rank": 3, "letters": [], "curves": [[1], [0.5, 2]]}),
        ]
    )
    assert table.schema == pl.Schema(
        {
            "item": pl.String,
            "cluster": pl.String,
            "repeat": pl.Int64,
            "status": pl.String,
            "reason": pl.String,
            "agrees": pl.Boolean,
            "letters": pl.List(pl.String),
            "nothing": pl.Null,
            "score": pl.Float64,
            "rank": pl.Int64,
            "curves": pl.List(pl.List(pl.Float64)),
        }
    )
    assert table["score"].to_list() == [1.0, None, 0.5]
    assert table["letters"].to_list() == [["A", None], None, []]
    assert table["reason"].to_list() == [None, "refusal", None]
    assert table["curves"].to_list() == [None, None, [[1.0], [0.5, 2.0]]]


def test_what_is_unscored_is_null_never_zero():
    table = record_table([record("a", {"x": 1.0}), record("b", status="error", reason="judge crashed")])
    assert table["x"].null_count() == 1
    assert table["x"].mean() == 1.0


@pytest.mark.parametrize(
    ("one", "other"), [(1, "1"), (True, 1), (0.5, "x"), ([1], 1), ([1], ["1"]), ([[1]], [1]), ([True], [0.5])]
)
def test_a_value_that_changes_its_type_is_refused_by_name(one: object, other: object):
    with pytest.raises(GnomonError, match="the value 'x' is"):
        record_table([record("a", {"x": one}), record("b", {"x": other})])


def test_no_records_make_an_empty_table():
    assert record_table([]).columns == ["item", "cluster", "repeat", "status", "reason"]
    assert record_table([]).height == 0


def test_equal_tables_give_equal_bytes_and_come_back():
    rng = random.Random(0)
    records = [record(str(number), {"x": rng.random(), "y": [rng.random()] * (number % 4)}) for number in range(300)]
    table = record_table(records)
    parts = pl.concat([table[:100], table[100:]], rechunk=False)
    assert as_parquet(table) == as_parquet(record_table(records)) == as_parquet(parts)
    assert pl.read_parquet(as_parquet(table)).equals(table)
