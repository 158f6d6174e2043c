import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnomon.datasets.jsonl import read_lines
from gnomon.errors import DatasetError

numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(st.none() | st.booleans() | numbers | st.text(), lambda inner: st.lists(inner, max_size=3), max_leaves=5)
objects = st.dictionaries(st.text(max_size=5), values, max_size=4)


@given(st.lists(objects, min_size=1, max_size=5), st.booleans(), st.sampled_from(["\n", "\r\n", "\n\n"]))
def test_what_json_writes_comes_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, object]], ascii: bool, end: str
):
    path = tmp_path_factory.mktemp("jsonl") / "x.jsonl"
    path.write_bytes("".join(json.dumps(row, ensure_ascii=ascii) + end for row in rows).encode())
    found = list(read_lines(path))
    assert [row for _, row in found] == rows
    assert [number for number, _ in found] == [1 + index * end.count("\n") for index in range(len(rows))]


def test_a_byte_order_mark_is_passed_over(tmp_path: Path):
    path = tmp_path / "x.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"a": 1}\n')
    assert list(read_lines(path)) == [(1, {"a": 1})]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b'{"a": 1}\n\n{"a": \n{"a": 2}\n', r"line 3 of .*x\.jsonl is not JSON \(Expecting value, column 7\)"),
        (b'{"a": 1}\n{"a": NaN}\n', r"line 2 of .*x\.jsonl is not JSON \(NaN is not a JSON number\)"),
        (b'{"a": 1}\n[1]\n', r"line 2 of .* is not a JSON object"),
        (b'{"a": "\xff"}\n', r"line 1 of .* is not UTF-8"),
        (b"[" * 100_000, "line 1 of .* is nested too deeply"),
        (b"", "is empty"),
        (b" \n\n", "is empty"),
    ],
)
def test_a_broken_line_is_refused_by_file_and_number(tmp_path: Path, content: bytes, says: str):
    path = tmp_path / "x.jsonl"
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=says) as caught:
        list(read_lines(path))
    assert "\n" not in str(caught.value)


def test_a_missing_file_or_a_directory_is_refused(tmp_path: Path):
    for path in (tmp_path / "missing.jsonl", tmp_path):
        with pytest.raises(DatasetError, match="cannot read"):
            list(read_lines(path))
