import json
import os
from pathlib import Path

import polars as pl
import pytest

from gnomon.errors import RunDirectoryError
from gnomon.run.directory import RunDirectory, default_path
from gnomon.run.record import Record
from gnomon.stats.estimate import Estimate

CONFIGURATION = {"evaluation": "sycophancy", "seed": 3, "options": ["a", "b"], "model": "f00"}


def record(key: str, **changes: object) -> Record:
    fields = {"evaluation": "e", "item": key, "cluster": "c", "repeat": 0, "status": "value"} | changes
    return Record.model_validate({"key": key, **fields})


def test_run_json_says_what_was_run_with_what(tmp_path: Path):
    with RunDirectory.create_or_resume(
        tmp_path / "a" / "run", CONFIGURATION, verb="audit", models={"model": {"kind": "local"}}
    ) as run:
        assert not run.resumed
    description = json.loads((tmp_path / "a" / "run" / "run.json").read_text())
    assert description["configuration"] == CONFIGURATION
    assert description["verb"] == "audit"
    assert description["models"] == {"model": {"kind": "local"}}
    assert {"python", "gnomon", "torch", "polars"} <= description["versions"].keys()
    with RunDirectory.create_or_resume(tmp_path / "a" / "run", dict(reversed(CONFIGURATION.items())), verb="audit") as again:
        assert again.resumed
        assert again.description == RunDirectory.open(tmp_path / "a" / "run").description


@pytest.mark.parametrize(
    ("configuration", "verb", "says"),
    [
        (CONFIGURATION | {"seed": 4}, "audit", r"another run \(its seed is 3, not 4\)"),
        (CONFIGURATION | {"n": 5}, "audit", r"its n is None, not 5"),
        (CONFIGURATION, "loop", "a run of 'audit', not 'loop'"),
    ],
)
def test_another_configuration_is_refused(tmp_path: Path, configuration: dict[str, object], verb: str, says: str):
    RunDirectory.create_or_resume(tmp_path, CONFIGURATION, verb="audit").close()
    with pytest.raises(RunDirectoryError, match=says):
        RunDirectory.create_or_resume(tmp_path, configuration, verb=verb)
    RunDirectory.create_or_resume(tmp_path, CONFIGURATION, verb="audit").close()  # and the refusal left no lock


def test_another_version_of_gnomon_is_refused(tmp_path: Path):
    RunDirectory.create_or_resume(tmp_path, {}).close()
    description = json.loads((tmp_path / "run.json").read_text())
    description["versions"]["gnomon"] = "0.0.1"
    (tmp_path / "run.json").write_text(json.dumps(description))
    with pytest.raises(RunDirectoryError, match=r"begun by gnomon 0\.0\.1"):
        RunDirectory.create_or_resume(tmp_path, {})


def test_what_is_no_run_is_left_alone(tmp_path: Path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(RunDirectoryError, match="is not empty and holds no run"):
        RunDirectory.create_or_resume(tmp_path, {})
    with pytest.raises(RunDirectoryError, match="holds no run"):
        RunDirectory.open(tmp_path / "missing")
    for inside in ("thesis.txt", "thesis.txt/run"):
        with pytest.raises(RunDirectoryError, match=r"cannot write .* a file stands where a directory is needed"):
            RunDirectory.create_or_resume(tmp_path / inside, {})
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


@pytest.mark.parametrize("content", ["", "{", "[]", '{"verb": "audit"}'])
def test_a_broken_run_json_is_refused(tmp_path: Path, content: str):
    (tmp_path / "run.json").write_text(content)
    with pytest.raises(RunDirectoryError, match=r"run\.json cannot be read or is broken"):
        RunDirectory.create_or_resume(tmp_path, {})


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_directory_without_permission_is_one_sentence(tmp_path: Path):
    tmp_path.chmod(0o500)
    with pytest.raises(RunDirectoryError, match="Permission denied"):
        RunDirectory.create_or_resume(tmp_path / "run", {})


def test_in_use_is_refused_even_within_one_process(tmp_path: Path):
    with RunDirectory.create_or_resume(tmp_path, {}), pytest.raises(RunDirectoryError, match="in use by another run"):
        RunDirectory.create_or_resume(tmp_path, {})
    RunDirectory.create_or_resume(tmp_path, {}).close()


def test_a_kill_before_run_json_leaves_a_directory_that_can_be_had(tmp_path: Path):
    (tmp_path / ".lock").touch()
    (tmp_path / ".run.json.77.part").write_text("{")
    RunDirectory.create_or_resume(tmp_path, CONFIGURATION).close()


def test_directories_nest(tmp_path: Path):
    with RunDirectory.create_or_resume(tmp_path, {"a": 1}), RunDirectory.create_or_resume(tmp_path / "before", {"b": 1}) as inner:
        inner.write_json("x.json", 1)
    with RunDirectory.create_or_resume(tmp_path, {"a": 1}) as outer:
        assert outer.resumed


def test_reading_takes_no_lock_and_writes_nothing(tmp_path: Path):
    with RunDirectory.create_or_resume(tmp_path, {}) as run:
        run.journal.append(record("k"), lambda batch, failure: None)
    (tmp_path / "records.jsonl").open("ab").write(b'{"key": "to')
    with RunDirectory.create_or_resume(tmp_path, {}):
        reader = RunDirectory.open(tmp_path)
        assert [entry.key for entry in reader.records()] == ["k"]
        with pytest.raises(RunDirectoryError, match="for reading only"):
            _ = reader.journal
    assert (tmp_path / "records.jsonl").read_bytes().endswith(b"to")


def test_tables_and_estimates_come_back(tmp_path: Path):
    measured = Estimate(evaluation="e", name="rate", value=0.5, low=0.4, high=0.6, n=9, coverage=0.9, method="Wilson")
    missing = Estimate.unmeasured("e", "ece", "no scored record")
    with RunDirectory.create_or_resume(tmp_path, {}) as run:
        table = run.write_table("e", [record("a", values={"x": 1}), record("b", status="unscored", reason="refusal")])
        run.write_estimates([measured, missing])
        (run.figures / "curve.svg").write_text("<svg/>")
        with pytest.raises(ValueError, match="not JSON compliant"):
            run.write_json("bad.json", {"x": float("nan")})
    there = RunDirectory.open(tmp_path)
    assert there.read_table("e").equals(table)
    assert there.evaluations() == ["e"]
    assert there.read_estimates() == [measured, missing]
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [".lock", "estimates.json", "figures", "run.json", "tables"]
    with pytest.raises(RunDirectoryError, match=r"other\.parquet is missing or broken \(tables of this run: e\)"):
        there.read_table("other")
    (tmp_path / "tables" / "e.parquet").write_bytes(b"PAR1")
    with pytest.raises(RunDirectoryError, match="missing or broken"):
        there.read_table("e")
    (tmp_path / "estimates.json").write_text("[{}]")
    with pytest.raises(RunDirectoryError, match="missing or broken"):
        there.read_estimates()


def test_a_table_that_cannot_be_written_leaves_the_former_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with RunDirectory.create_or_resume(tmp_path, {}) as run:
        former = run.write_table("e", [record("a", values={"x": 1})])

        def full(file: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("gnomon.run.files.os.fsync", full)
        with pytest.raises(RunDirectoryError, match=r"cannot write .*e\.parquet: No space left on device"):
            run.write_table("e", [record("a", values={"x": 2})])
    assert RunDirectory.open(tmp_path).read_table("e").equals(former)
    assert [path.name for path in (tmp_path / "tables").iterdir()] == ["e.parquet"]


@pytest.mark.parametrize("name", ["../e", "a/b", "", ".e"])
def test_a_name_that_leaves_the_directory_is_refused(tmp_path: Path, name: str):
    with (
        RunDirectory.create_or_resume(tmp_path / "run", {}) as run,
        pytest.raises(RunDirectoryError, match="cannot name a table"),
    ):
        run.write_table(name, [])


def test_the_default_path_follows_the_configuration():
    path = default_path("audit", "scripted/sycophant?rate=0.3", CONFIGURATION)
    assert path == default_path("audit", "scripted/sycophant?rate=0.3", dict(reversed(CONFIGURATION.items())))
    assert path.parent == Path("runs")
    assert path.name.startswith("audit-scripted-sycophant-rate-0.3-")
    assert path != default_path("audit", "scripted/sycophant?rate=0.3", CONFIGURATION | {"seed": 4})
    assert ".." not in default_path("audit", "local/../../models/x", {}).name


def test_polars_reads_the_table_without_gnomon(tmp_path: Path):
    with RunDirectory.create_or_resume(tmp_path, {}) as run:
        run.write_table("e", [record("a", values={"curve": [0.5, 1]})])
    assert pl.read_parquet(tmp_path / "tables" / "e.parquet")["curve"].to_list() == [[0.5, 1.0]]
