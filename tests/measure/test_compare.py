"""How many pairs a comparison of two audits rests on."""

import asyncio
import json
from pathlib import Path

import pytest

from gnomon.measure import catalogue
from gnomon.measure.audit import audit
from gnomon.measure.compare import Comparison, compare_audits
from gnomon.measure.recorded import analyse_recorded
from gnomon.models.references import open_model

N = 40


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An audit before, one after, and that after with five questions unscored."""
    folder = tmp_path_factory.mktemp("audits")
    for name, model in (("before", "scripted/sycophant?rate=0.5"), ("after", "scripted/honest")):
        asyncio.run(audit(open_model(model), [catalogue.build("sycophancy", n=N)], folder / name))
    lines = [json.loads(line) for line in (folder / "after" / "records.jsonl").read_text().splitlines()]
    some = sorted({line["cluster"] for line in lines})[:5]
    for line in lines:
        if line["cluster"] in some:
            line |= {"status": "unscored", "reason": "refusal", "values": {}}
    (folder / "gaps.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    analyse_recorded(folder / "gaps.jsonl", "sycophancy", folder / "gaps")
    return folder


def compared(first: Path, second: Path) -> dict[str, Comparison]:
    return {row.name: row for row in compare_audits(first, second).comparisons}


def test_n_is_the_number_of_pairs_and_not_that_of_both_sides_records(folder: Path):
    rows = compared(folder / "before", folder / "after")
    assert rows["agreement"].n == rows["agreement"].difference.n == N
    for row in rows.values():
        assert 0 < row.n <= min(row.before.n, row.after.n)


def test_a_record_without_a_partner_is_no_pair(folder: Path):
    rows = compared(folder / "before", folder / "gaps")
    assert (rows["agreement"].before.n, rows["agreement"].after.n) == (N, N - 5)
    assert rows["agreement"].n == N - 5
    assert compared(folder / "gaps", folder / "before")["agreement"].n == N - 5
