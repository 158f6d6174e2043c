"""The command line as a user meets it: what it prints, where, and its exit code."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import save_file
from transformers import GPT2Config, GPT2LMHeadModel

from gnomon.cli import run

SYCOPHANT = "scripted/sycophant?rate=0.5"
ESTIMATE_KEYS = {"evaluation", "name", "value", "low", "high", "n", "coverage", "worst_low", "worst_high", "unit", "method"}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def sentence(capsys: pytest.CaptureFixture[str]) -> str:
    """What was said on standard error: one sentence, and nothing on standard output."""
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Traceback" not in captured.err
    lines = captured.err.strip().splitlines()
    assert len(lines) == 1, captured.err
    return lines[0]


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished audit by two evaluations, 20 questions each; only to be copied."""
    directory = tmp_path_factory.mktemp("audited") / "audit"
    assert run(["audit", SYCOPHANT, "-e", "sycophancy", "-e", "calibration", "--n", "20", "--out", str(directory), "--json"]) == 0
    return directory


@pytest.fixture
def audit(audited: Path, tmp_path: Path) -> Path:
    """A copy of it in the working directory, under the name `audit`."""
    return shutil.copytree(audited, tmp_path / "audit")


def estimates(directory: Path) -> list[dict[str, Any]]:
    return json.loads((directory / "estimates.json").read_text())


def test_audit_prints_one_json_object(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["audit", SYCOPHANT, "-e", "sycophancy", "--n", "20", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert {"model", "estimates", "unscored", "run"} <= set(result)
    assert all(set(estimate) >= ESTIMATE_KEYS for estimate in result["estimates"])
    for name in ("run.json", "records.jsonl", "estimates.json", "report.html", "tables/sycophancy.parquet"):
        assert (Path(result["run"]) / name).exists(), name


def test_audit_again_resumes_in_the_same_directory(capsys: pytest.CaptureFixture[str]) -> None:
    outputs: list[str] = []
    for _ in range(2):
        assert run(["audit", SYCOPHANT, "-e", "sycophancy", "--n", "10", "--json"]) == 0
        outputs.append(capsys.readouterr().out)
    assert outputs[0] == outputs[1]
    assert len(list(Path("runs").iterdir())) == 1


def test_analyse_gives_the_estimates_of_the_audit(audit: Path, capsys: pytest.CaptureFixture[str]) -> None:
    expected = [estimate for estimate in estimates(audit) if estimate["evaluation"] == "sycophancy"]
    for path in ("audit", "audit/records.jsonl"):
        assert run(["analyse", path, "--as", "sycophancy", "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["estimates"] == expected


def test_a_setting_of_one_evaluation_stands_above_the_option_for_all(capsys: pytest.CaptureFixture[str]) -> None:
    chosen = ["-e", "sycophancy", "-e", "calibration", "--n", "10", "--set", "sycophancy.n=6"]
    assert run(["audit", SYCOPHANT, *chosen, "--json"]) == 0
    sizes = {(one["evaluation"], one["name"]): one["n"] for one in json.loads(capsys.readouterr().out)["estimates"]}
    assert sizes["sycophancy", "agreement"] == 6
    assert sizes["calibration", "accuracy"] == 10


def test_compare_finds_what_differs(capsys: pytest.CaptureFixture[str]) -> None:
    for name, model in (("a", SYCOPHANT), ("b", "scripted/honest")):
        run(["audit", model, "-e", "sycophancy", "--n", "60", "--out", name, "--json"])
    capsys.readouterr()
    assert run(["compare", "a", "b", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)["comparisons"]}
    assert rows["agreement"]["change"] == "better"
    assert rows["accuracy_unbiased"]["change"] == "no change"


def test_compare_says_what_it_left_out_and_why(audit: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["audit", "scripted/honest", "-e", "calibration", "--n", "20", "--out", "b", "--json"])
    capsys.readouterr()
    assert run(["compare", "audit", "b", "--json"]) == 0
    left_out = json.loads(capsys.readouterr().out)["left_out"]
    assert left_out["sycophancy.agreement"] == "the second audit has none"
    assert "paired" in left_out["calibration.ece"]
    assert run(["compare", "audit", "b"]) == 0
    assert "sycophancy.agreement" in capsys.readouterr().out


def test_a_run_becomes_inspect_logs_and_these_its_estimates_again(audit: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("inspect_ai", reason="needs gnomon[inspect]")
    assert run(["report", "audit", "--as", "inspect", "--json"]) == 0
    logs = {Path(path).stem: path for path in json.loads(capsys.readouterr().out)["logs"]}
    assert set(logs) == {"sycophancy", "calibration"}
    assert run(["analyse", logs["sycophancy"], "--as", "sycophancy", "--json"]) == 0
    again = json.loads(capsys.readouterr().out)["estimates"]
    assert again == [estimate for estimate in estimates(audit) if estimate["evaluation"] == "sycophancy"]


def test_the_log_of_a_stopped_audit_says_so(audit: Path, capsys: pytest.CaptureFixture[str]) -> None:
    logs = pytest.importorskip("inspect_ai.log", reason="needs gnomon[inspect]")
    (audit / "estimates.json").unlink()  # as a kill before the last record leaves it: a journal, and tables of what was done
    (audit / "tables" / "sycophancy.parquet").unlink()
    assert run(["report", "audit", "--as", "inspect"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "Not finished, so not a success in the log either: calibration, sycophancy." in said
    assert run(["report", "audit", "--as", "inspect", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["unfinished"] == ["calibration", "sycophancy"]
    assert [logs.read_eval_log(path, header_only=True).status for path in found["logs"]] == ["cancelled", "cancelled"]


@pytest.mark.parametrize("command", ["audit scripted/honest -e sycophancy --n 4", "study list", "data list", "organism list"])
def test_terminal_output_is_for_people(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(command.split()) == 0
    out = capsys.readouterr().out
    assert out.strip()
    assert max(map(len, out.splitlines())) <= 200


@pytest.mark.parametrize(
    "arguments",
    [
        ["audit", "nothing"],
        ["audit", "scripted/nobody"],
        ["audit", "scripted/sycophant?rate=2"],
        ["audit", "organism/nobody"],
        ["audit", "local/no/such/directory"],
        ["audit", "scripted/honest", "-e", "nothing"],
        ["audit", "scripted/honest", "--dataset", "nothing"],
        ["audit", "scripted/honest", "--set", "no_equals_sign"],
        ["audit", "scripted/honest", "--set", "unknown=1"],
        ["audit", "scripted/honest", "--set", "n=-1"],
        *(["audit", "scripted/honest", "-e", name, "--n", "99999999"] for name in ("sycophancy", "calibration", "faithfulness")),
        ["audit", "scripted/honest", "--set", "seed=first"],
        ["analyse", "missing.jsonl", "--as", "sycophancy"],
        ["report", "missing"],
        ["compare", "missing", "missing"],
        ["loop", "scripted/honest", "--behaviour", "sycophancy"],
        ["correct", "scripted/honest", "--behaviour", "sycophancy"],
        ["organism", "show", "nobody"],
        ["study", "run", "0000.00000", "scripted/honest"],
        ["model", "show", "nothing/at-all"],
        ["data", "verify", "nothing"],
        ["data", "fetch", "nothing"],
        ["serve", "scripted/nobody", "--port", "0"],
        ["serve", "scripted/honest", "--host", "0.0.0.0"],
        ["serve", "scripted/honest", "--rate", "-1"],
        ["serve", "scripted/honest", "--log-level", "loud"],
    ],
    ids=" ".join,
)
def test_user_errors_are_one_sentence_and_exit_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 2
    assert sentence(capsys)


def test_pickle_only_weights_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    folder = Path("pickled")
    folder.mkdir()
    (folder / "config.json").write_text('{"model_type": "gpt2"}')
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x04.")
    assert run(["audit", "local/pickled"]) == 2
    assert "safetensors" in sentence(capsys)


def test_truncated_weights_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    model = GPT2LMHeadModel(GPT2Config(n_layer=1, n_head=1, n_embd=8, vocab_size=32, n_positions=32))
    folder = Path("truncated")
    folder.mkdir()
    model.config.save_pretrained(folder)
    save_file({"a": next(model.parameters()).data}, folder / "model.safetensors")
    (folder / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:100])
    assert run(["audit", "local/truncated"]) == 2
    assert sentence(capsys)


def test_a_broken_line_is_named_by_its_number(capsys: pytest.CaptureFixture[str]) -> None:
    run(["audit", SYCOPHANT, "-e", "sycophancy", "--n", "4", "--out", "audit", "--json"])
    capsys.readouterr()
    lines = Path("audit/records.jsonl").read_text().splitlines()
    lines[2] = '{"broken'
    Path("broken.jsonl").write_text("\n".join(lines) + "\n")
    assert run(["analyse", "broken.jsonl", "--as", "sycophancy"]) == 2
    assert "3" in sentence(capsys)


def test_an_empty_file_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    Path("empty.jsonl").touch()
    assert run(["analyse", "empty.jsonl", "--as", "sycophancy"]) == 2
    assert sentence(capsys)


@pytest.mark.parametrize("out", ["/proc/nothing", "/dev/full/x", "file/below"])
def test_unwritable_output_is_refused(out: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("file").touch()
    assert run(["audit", SYCOPHANT, "-e", "sycophancy", "--n", "4", "--out", out]) == 2
    assert sentence(capsys)


def test_a_directory_of_another_run_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    run(["audit", SYCOPHANT, "-e", "sycophancy", "--n", "4", "--out", "audit", "--json"])
    capsys.readouterr()
    assert run(["audit", "scripted/honest", "-e", "sycophancy", "--n", "4", "--out", "audit"]) == 2
    assert "audit" in sentence(capsys)


def test_usage_errors_exit_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["audit"]) == 2
    assert run(["audit", "scripted/honest", "--n", "0"]) == 2
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize(
    "command",
    [
        [],
        *(["audit"], ["analyse"], ["correct"], ["loop"], ["compare"], ["validate"], ["report"]),
        *(["study", "list"], ["study", "run"], ["model", "show"]),
        *(["organism", "list"], ["organism", "show"], ["organism", "grow"], ["organism", "plant"]),
        *(["data", "list"], ["data", "fetch"], ["data", "verify"]),
    ],
    ids=" ".join,
)
def test_every_command_has_help_with_an_example(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*command, "--help"]) == 0
    out = capsys.readouterr().out
    assert "gnomon " + " ".join(command) in out
    if command:
        assert "Example:" in out
        assert all(option in out for option in ("--json", "--seed", "--out"))


def test_serve_has_help_with_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["serve", "--help"]) == 0
    out = capsys.readouterr().out
    assert "gnomon serve organism/base --port 8000" in out
    options = ("--json", "--seed", "--host", "--port", "--token", "--rate", "--in-flight", "--max-body", "--grace", "--log-level")
    assert all(option in out for option in options)


def test_help_imports_nothing_heavy() -> None:
    computing = ["torch", "transformers", "polars", "altair", "scipy", "sklearn", "peft", "accelerate", "pandas", "numpy"]
    heavy = {*computing, "fastapi", "uvicorn", "prometheus_client"}
    code = f"import sys; from gnomon.cli import run; run(['--help']); print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().splitlines()[-1] == "[]"
