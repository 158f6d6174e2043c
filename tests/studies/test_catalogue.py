"""Studies are found by paper, run in a directory that resumes, and have a page."""

import json
from pathlib import Path

import pytest

import gnomon
from gnomon.cli import run
from gnomon.errors import ConfigurationError, RunDirectoryError
from gnomon.studies import catalogue

PAPER = "2307.13702"


def test_a_study_runs_resumes_and_has_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    out = tmp_path / "study"
    command = ["study", "run", PAPER, "scripted/honest", "--n", "4", "--out", str(out), "--json"]
    with pytest.raises(ConfigurationError, match="does not say how many parameters"):
        gnomon.run_study(PAPER, ["scripted/honest"], n=4, out=out)
    assert run(command) == 2
    capsys.readouterr()
    models = ["organism/base-30k", "organism/base-100k"]
    first = gnomon.run_study(PAPER, models, n=4, out=tmp_path / "again")
    assert [claim.number for claim in first.claims] == [str(number) for number in sorted(int(c.number) for c in first.claims)]
    page = (tmp_path / "again" / "report.html").read_text()
    assert all(claim.rule in page for claim in first.claims if "<" not in claim.rule and "'" not in claim.rule)
    before = [path.stat().st_mtime_ns for path in sorted((tmp_path / "again" / "audits").glob("*/records.jsonl"))]
    assert gnomon.run_study(PAPER, models, n=4, out=tmp_path / "again") == first
    assert [path.stat().st_mtime_ns for path in sorted((tmp_path / "again" / "audits").glob("*/records.jsonl"))] == before


def test_every_study_is_listed_with_its_title(capsys: pytest.CaptureFixture[str]):
    assert run(["study", "list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["studies"]
    assert {"id": PAPER, "title": "Measuring Faithfulness in Chain-of-Thought Reasoning"} in listed
    assert [one["id"] for one in listed] == [one["id"] for one in catalogue.listing()]


def test_what_is_not_known_is_refused():
    with pytest.raises(ConfigurationError, match=r"there is no study of '1234\.5678'; choose from"):
        gnomon.run_study("1234.5678")
    with pytest.raises(ConfigurationError, match="there is no option 'depth'"):
        gnomon.run_study(PAPER, settings={"depth": 3})


def test_an_unfinished_study_has_no_page(tmp_path: Path):
    gnomon.run_study(PAPER, ["organism/base-30k"], n=2, out=tmp_path)
    (tmp_path / catalogue.FINDINGS).write_text("{")
    with pytest.raises(RunDirectoryError, match="is broken"):
        gnomon.report(tmp_path)
    (tmp_path / catalogue.FINDINGS).unlink()
    with pytest.raises(RunDirectoryError, match="is not finished"):
        gnomon.report(tmp_path)
