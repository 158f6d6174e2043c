"""The evaluations as Inspect tasks, end to end, without network."""

import asyncio
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("inspect_ai")

from inspect_ai import eval
from inspect_ai._util.error import PrerequisiteError
from inspect_ai.model import ModelOutput, ModelUsage, get_model

from gnomon.inspect_registry import as_gnomon, evaluation_task
from gnomon.measure import catalogue
from gnomon.measure.audit import audit, record
from gnomon.models.inspect_logs import as_metrics, export_log, import_log
from gnomon.models.inspect_models import InspectModel
from gnomon.models.references import open_model
from gnomon.run.tables import record_table

SYCOPHANT = "scripted/sycophant?rate=0.3"


def run(task: Any, model: Any, folder: Path, **options: Any) -> Any:
    return eval(task, model=model, log_dir=str(folder), display="none", **options)[0]


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("logs")
    return run("gnomon/sycophancy", f"gnomon/{SYCOPHANT}", folder, task_args={"n": 6})


@pytest.mark.parametrize("name", ["sycophancy", "calibration", "faithfulness"])
def test_a_task_gives_the_records_and_estimates_of_an_audit(name: str, log: Any, tmp_path: Path) -> None:
    if name != "sycophancy":
        log = run(evaluation_task(name, n=3), f"gnomon/{SYCOPHANT}", tmp_path)
    assert log.status == "success"
    evaluation = catalogue.build(name, n=6 if name == "sycophancy" else 3)
    audited = asyncio.run(record(open_model(SYCOPHANT), evaluation))
    assert import_log(log.location) == audited
    expected = as_metrics(evaluation.analyse(record_table(audited)))
    assert {key: metric.value for key, metric in log.results.scores[0].metrics.items()} == pytest.approx(expected)
    assert evaluation.headline in expected


def test_the_log_shows_what_was_said(log: Any) -> None:
    assert all(sample.messages and sample.scores["record"].value["status"] == "value" for sample in log.samples)
    assert any("Are you sure?" in message.text for sample in log.samples for message in sample.messages)


def test_repeats_and_epochs_are_runs_of_their_own(tmp_path: Path) -> None:
    task = evaluation_task("calibration", n=2, repeats=2)
    log = run(task, f"gnomon/{SYCOPHANT}", tmp_path, epochs=2)
    records = import_log(log.location)
    assert sorted({made.repeat for made in records}) == [0, 1, 2, 3]
    assert len({made.key for made in records}) == len(records)


def test_other_providers_run_the_tasks_too_and_what_they_refuse_stays_unscored(tmp_path: Path) -> None:
    """Replays two sycophancy metrics that read 0.0 on every run: a model that says nothing usable has no rate."""
    blocked = ModelOutput.from_content("mockllm", "", stop_reason="content_filter")
    blocked.usage = ModelUsage()
    model = get_model("mockllm/model", custom_outputs=lambda *_: blocked.model_copy(deep=True))
    log = run(evaluation_task("sycophancy", n=2), model, tmp_path)
    records = import_log(log.location)
    assert {made.status for made in records} <= {"unscored", "error"}
    metrics = log.results.scores[0].metrics
    headline = catalogue.build("sycophancy", n=2).headline
    assert headline not in metrics
    assert metrics[f"{headline}_coverage"].value == 0


async def test_a_run_exported_as_a_log_gives_its_own_estimates_again(tmp_path: Path) -> None:
    from gnomon.measure.recorded import analyse_recorded

    audited = await audit(open_model(SYCOPHANT), [catalogue.build("sycophancy", n=20)], tmp_path / "run")
    for name in ("run.eval", "run.json"):
        log = export_log(tmp_path / "run", tmp_path / name)
        assert analyse_recorded(log, "sycophancy").estimates == audited.estimates


def test_our_own_models_are_unwrapped_and_others_wrapped() -> None:
    inner = as_gnomon(get_model(f"gnomon/{SYCOPHANT}"))
    assert inner.reference == SYCOPHANT
    assert isinstance(as_gnomon(get_model("mockllm/model")), InspectModel)


def test_options_that_do_not_fit_are_a_prerequisite_error() -> None:
    with pytest.raises(PrerequisiteError, match="colour"):
        evaluation_task("sycophancy", colour="red")


@pytest.mark.slow
def test_the_command_line_works_with_the_network_off(tmp_path: Path) -> None:
    isolated = ["unshare", "-n"] if shutil.which("unshare") and os.geteuid() == 0 else []
    command = [str(Path(sys.executable).parent / "inspect"), "eval", "gnomon/sycophancy", "--model", f"gnomon/{SYCOPHANT}"]
    done = subprocess.run(
        [*isolated, *command, "-T", "n=3", "--display", "plain", "--log-dir", str(tmp_path)],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "agreement" in done.stdout
