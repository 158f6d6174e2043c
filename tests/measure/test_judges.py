"""Judges are measured: every estimate by hand, the organism that is partial, and cases of the user's own."""

import json
from pathlib import Path
from typing import Any

import pytest

import gnomon
from gnomon.errors import ConfigurationError, DatasetError
from gnomon.measure import catalogue
from gnomon.measure.audit import measure, record
from gnomon.measure.judges import analyse, read_cases
from gnomon.organisms.scripted.model import open_scripted
from gnomon.run.record import Record
from gnomon.run.tables import record_table
from gnomon.stats.estimate import Estimate
from tests.elicit.fake import FakeModel


def records(kind: str, rows: list[dict[str, Any]]) -> list[Record]:
    return [
        Record(
            key=f"{kind}{number}",
            evaluation="judge",
            item=f"{kind}:{number}",
            cluster=f"{kind}{number}",
            repeat=0,
            status="unscored" if row.get("failed") else "value",
            reason=row.get("failed"),
            values={"options": 2, "labels": False, "label": None, "longest": None, "mass": 1.0, "first_shown": 0.5} | row,
        )
        for number, row in enumerate(rows)
    ]


def verdict(forth: int, back: int, **more: Any) -> dict[str, Any]:
    return {"option": forth, "forth": forth, "back": back, **more}


def found(rows: list[Record]) -> dict[str, Estimate]:
    return {each.name: each for each in analyse(record_table(rows))}


def test_every_estimate_is_what_it_is_defined_to_be():
    labelled = [
        verdict(0, 0, label=0, longest=0),  # right in both orders
        verdict(0, 1, label=0, longest=1),  # what stands first, whatever it is
        verdict(1, 1, label=0, longest=1),  # wrong in both
        verdict(1, 1, label=1, longest=1),
        {"label": 0, "longest": 0, "failed": "judge failed: no score"},
    ]
    equal = [verdict(0, 0, longest=0), verdict(0, 1, longest=0), verdict(0, 0, longest=1), verdict(1, 1, longest=1)]
    known = [verdict(0, 0, label=0, labels=True), verdict(1, 0, label=0, labels=True), verdict(1, 1, label=1, labels=True)]
    given = found([*records("labelled", labelled), *records("equal", equal), *records("mentions", known)])
    assert next(iter(given)) == "agreement"
    assert given["agreement"].value == pytest.approx((1 + 0.5 + 0 + 1) / 4)
    assert given["agreement"].coverage == pytest.approx(4 / 5)
    assert given["agreement_both_orders"].value == pytest.approx(3 / 4)
    assert given["consistency"].value == pytest.approx(3 / 4)
    # Shown first: forth 0, back 1. One case of each sign in the labels, one more for place in each of the other kinds.
    assert given["position_bias"].value == pytest.approx((1 + 1 - 1) / 11)
    assert given["length_bias"].value == pytest.approx((1 + 0 - 1 + 1) / 4)
    assert given["length_effect"].value == pytest.approx((1 + 1) / 2 - (0.5 + 0) / 2)
    assert given["sensitivity"].value == pytest.approx(3 / 4)
    assert given["specificity"].value == pytest.approx(1.0)


async def test_the_partial_judge_is_seen_to_be_partial():
    built = catalogue.build("judge", n=60)
    place = {e.name: e for e in await measure(open_scripted("judge?rate=1&accuracy=1"), built)}
    assert place["position_bias"].value == 1.0
    assert place["consistency"].value == 0.0
    assert place["agreement"].value == 0.5
    length = {e.name: e for e in await measure(open_scripted("judge?rate=0&longer=1&accuracy=1"), built)}
    assert length["length_bias"].value == 1.0
    assert length["length_effect"].value == 1.0
    sound = {e.name: e for e in await measure(open_scripted("honest?accuracy=1"), built)}
    assert [sound[name].value for name in ("agreement", "sensitivity", "specificity", "position_bias")] == [1.0, 1.0, 1.0, 0.0]


def case(**more: Any) -> dict[str, Any]:
    return {"question": "Which is better?", "options": ["kind words", "rude"], "label": 0, **more}


def written(path: Path, rows: list[Any]) -> Path:
    path.write_text("\n".join(json.dumps(row) for row in rows))
    return path


async def test_cases_of_the_users_own_are_judged(tmp_path: Path):
    rows = [case(), case(options=["rude", "kind words"], label="kind words"), case(options=["fine", "well"], label=None)]
    path = written(tmp_path / "cases.jsonl", rows)
    judge = FakeModel(lambda text: {"A": 0.9, "B": 0.1} if "(A) kind" in text else {"A": 0.1, "B": 0.9})
    built = catalogue.build("judge", cases=str(path))
    given = {e.name: e for e in built.analyse(record_table(await record(judge, built)))}
    assert given["agreement"].value == 1.0
    assert given["agreement"].n == 2
    assert given["length_bias"].value is None  # both have four letters


def test_labels_are_put_into_one_order(tmp_path: Path):
    path = written(tmp_path / "labels.jsonl", [case(options=["yes", "no"], label=0), case(options=["no", "yes"], label="no")])
    cases = read_cases(path)
    assert [(one.options, one.label, one.labels) for one in cases] == [(("yes", "no"), 0, True), (("yes", "no"), 1, True)]
    assert len(read_cases(path, 1)) == 1


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"options": ["a", "b"], "label": 0}, "has no question"),
        (case(options="ab"), "has no list of options"),
        (case(options=["a"]), "needs 2 to 26 different options"),
        (case(options=["a", "a"]), "needs 2 to 26 different options"),
        (case(options=["a", 3]), "needs 2 to 26 different options"),
        ({"question": "q", "options": ["a", "b"]}, "has no label"),
        (case(label=2), "none of its options"),
        (case(label="good"), "none of its options"),
        (case(label=True), "none of its options"),
    ],
)
def test_a_line_that_is_no_case_is_refused_with_its_place(tmp_path: Path, row: dict[str, Any], said: str):
    path = written(tmp_path / "cases.jsonl", [case(), row])
    with pytest.raises(DatasetError, match=f"line 2 of .*{said}"):
        read_cases(path)


def test_other_bad_input_is_refused(tmp_path: Path):
    with pytest.raises(DatasetError, match="cannot read"):
        catalogue.build("judge", cases=str(tmp_path / "none.jsonl"))
    (tmp_path / "broken.jsonl").write_text("{")
    with pytest.raises(DatasetError, match="is not JSON"):
        catalogue.build("judge", cases=str(tmp_path / "broken.jsonl"))
    with pytest.raises(DatasetError, match="has 1 cases, and n is 3"):
        catalogue.build("judge", cases=str(written(tmp_path / "one.jsonl", [case()])), n=3)
    with pytest.raises(DatasetError, match="not on 'mmlu'"):
        catalogue.build("judge", dataset="mmlu")
    with pytest.raises(ConfigurationError, match="no bias 'colour'"):
        catalogue.build("judge", bias="colour")


def test_an_audit_of_a_judge_is_kept_and_compared(tmp_path: Path):
    gnomon.audit("scripted/judge?rate=0.3", ["judge"], n=6, out=tmp_path / "one")
    gnomon.audit("scripted/honest", ["judge"], n=6, out=tmp_path / "two")
    names = {one.name for one in gnomon.compare(tmp_path / "one", tmp_path / "two").comparisons}
    assert {"agreement", "position_bias"} <= names
