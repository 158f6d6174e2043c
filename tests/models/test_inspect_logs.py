"""Runs out to Inspect logs and back, and logs that others wrote."""

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("inspect_ai")

from inspect_ai import Task, eval
from inspect_ai.dataset import Sample
from inspect_ai.log import EvalLog, read_eval_log, write_eval_log
from inspect_ai.model import ModelOutput, ModelUsage, get_model
from inspect_ai.scorer import Score, scorer

from gnomon.errors import ConfigurationError, DatasetError, RunDirectoryError
from gnomon.models.inspect_logs import export_log, import_log
from gnomon.run.directory import RunDirectory
from gnomon.run.record import Record
from gnomon.stats.estimate import Estimate

FORMATS = pytest.mark.parametrize("name", ["run.eval", "deep/er/run.json"])


def made(item: str, repeat: int = 0, evaluation: str = "sycophancy", **fields: Any) -> Record:
    said = [{"role": "user", "content": "long " * 80}, {"role": "assistant", "content": "Answer: (A)"}]
    values = {"changed": True, "share": 0.25, "first": "A", "missing": None, "curve": [0.1, None, 0.3]}
    given = {"status": "value", "values": values, "transcript": said} | fields
    return Record(key=f"{evaluation}{item}{repeat}", evaluation=evaluation, item=item, cluster=item[0], repeat=repeat, **given)


RECORDS = [
    made("b/2"),
    made("a#1"),
    made("a#1", 1),
    made("c", status="unscored", reason="refusal", values={}),
    made("d", status="error", reason="it broke", values={}, transcript=[], attempts=5),
]


def directory(path: Path, records: list[Record]) -> RunDirectory:
    estimate = Estimate(
        evaluation="sycophancy", name="agreement", value=0.5, low=0.25, high=0.75, n=3, coverage=0.6, method="made up"
    )
    blank = Estimate.unmeasured("sycophancy", "flip_rate", "nothing to flip")
    with RunDirectory.create_or_resume(path, {"reference": "scripted/sycophant"}, verb="audit") as run:
        for record in records:
            run.journal.append(record, lambda *_: None)
        run.write_estimates([estimate, blank])
    return RunDirectory.open(path)


@FORMATS
def test_records_come_back_as_they_were(tmp_path: Path, name: str) -> None:
    log = export_log(directory(tmp_path / "run", RECORDS), tmp_path / name)
    assert sorted(import_log(log), key=lambda record: record.key) == sorted(RECORDS, key=lambda record: record.key)
    assert [record.item for record in import_log(log)] == [record.item for record in RECORDS]


@FORMATS
def test_inspect_opens_the_log_and_sees_scores_estimates_and_errors(tmp_path: Path, name: str) -> None:
    export_log(directory(tmp_path / "run", RECORDS), tmp_path / name)
    log = read_eval_log(str(tmp_path / name))
    assert log.status == "success"
    assert log.eval.task == "gnomon/sycophancy"
    assert log.eval.model == "gnomon/scripted/sycophant"
    assert log.results is not None
    metrics = {metric: entry.value for metric, entry in log.results.scores[0].metrics.items()}
    assert metrics["agreement"] == 0.5
    assert "flip_rate" not in metrics
    samples = {(sample.id, sample.epoch): sample for sample in log.samples or []}
    assert samples["b/2", 1].messages[1].text == "Answer: (A)"
    assert samples["b/2", 1].scores["record"].value["share"] == 0.25
    assert samples["c", 1].scores["record"].explanation == "refusal"
    assert samples["d", 1].error.message == "it broke"


@pytest.mark.parametrize(("records", "status"), [(RECORDS, "cancelled"), (RECORDS[-1:], "error"), (RECORDS[:-1], "cancelled")])
def test_a_run_that_was_stopped_is_no_success(
    tmp_path: Path, records: list[Record], status: str, caplog: pytest.LogCaptureFixture
) -> None:
    run = directory(tmp_path / "run", [*records, made("z", evaluation="calibration")])
    assert run.unfinished() == ["calibration"]
    (run.path / "estimates.json").unlink()
    log = read_eval_log(str(export_log(run, tmp_path / "x.eval", "sycophancy")))
    assert log.status == status
    assert (log.error.message if log.error else None) == ("it broke" if status == "error" else None)
    assert import_log(tmp_path / "x.eval") == records
    assert f"did not finish ({status})" in caplog.text


def test_what_was_not_scored_is_no_number_in_the_log(tmp_path: Path) -> None:
    """Replays a NaN that was logged as null and came back as 0."""
    export_log(directory(tmp_path / "run", RECORDS), tmp_path / "x.json")
    for sample in read_eval_log(str(tmp_path / "x.json")).samples or []:
        values = sample.scores["record"].value
        if values["status"] != "value":
            assert values == {"status": values["status"]}


def test_several_evaluations_need_a_choice(tmp_path: Path) -> None:
    run = directory(tmp_path / "run", [*RECORDS, made("z", evaluation="calibration")])
    with pytest.raises(ConfigurationError, match="say which"):
        export_log(run, tmp_path / "x.eval")
    assert [record.item for record in import_log(export_log(run, tmp_path / "x.eval", "calibration"))] == ["z"]
    with pytest.raises(ConfigurationError, match="no records of 'faithfulness'"):
        export_log(run, tmp_path / "x.eval", "faithfulness")


def test_wrong_places_are_told_in_one_sentence(tmp_path: Path) -> None:
    run = directory(tmp_path / "run", RECORDS)
    with pytest.raises(ConfigurationError, match="ending"):
        export_log(run, tmp_path / "x.csv")
    (tmp_path / "file").write_text("")
    with pytest.raises(RunDirectoryError, match="cannot be written"):
        export_log(run, tmp_path / "file" / "x.eval")
    (tmp_path / "broken.eval").write_text("no zip")
    (tmp_path / "broken.json").write_text("{")
    for name in ("broken.eval", "broken.json", "nowhere.eval"):
        with pytest.raises(DatasetError, match="cannot be read") as caught:
            import_log(tmp_path / name)
        assert "\n" not in str(caught.value)


def _foreign_log(tmp_path: Path) -> EvalLog:
    """A task of somebody else's, one of whose samples its grader left unscored."""

    @scorer(metrics=[])
    def grade() -> Any:
        async def score(state: Any, target: Any) -> Score:
            if state.sample_id == 2:
                return Score.unscored(reason="grader_failed")
            return Score(value={"sycophantic": state.sample_id == 1, "strength": 0.5})

        return score

    outputs = [ModelOutput.from_content("m", "yes") for _ in range(3)]
    for output in outputs:
        output.usage = ModelUsage()
    task = Task(dataset=[Sample(id=number, input="really?") for number in (1, 2, 3)], scorer=grade(), name="theirs")
    model = get_model("mockllm/model", custom_outputs=outputs)
    return eval(task, model=model, log_dir=str(tmp_path / "logs"), display="none")[0]


def test_logs_of_other_tasks_become_records(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    log = _foreign_log(tmp_path)
    first, second, third = import_log(log.location, "sycophancy")
    assert first.values == {"sycophantic": True, "strength": 0.5}
    assert (second.status, second.reason, second.values) == ("unscored", "grader_failed", {})
    assert third.values["sycophantic"] is False
    assert [turn["content"] for turn in first.transcript] == ["really?", "yes"]
    assert first.evaluation == "sycophancy"
    assert import_log(log.location)[0].evaluation == "theirs"
    assert "did not finish" not in caplog.text


def test_a_log_without_samples_is_refused(tmp_path: Path) -> None:
    log = _foreign_log(tmp_path)
    log.samples = []
    write_eval_log(log, tmp_path / "empty.json")
    with pytest.raises(DatasetError, match="no samples"):
        import_log(tmp_path / "empty.json")
