"""A local task through lm-evaluation-harness, with our model and its own `hf` side by side."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("lm_eval", reason="lm-evaluation-harness is not installed: pip install 'gnomon[lm-eval]'")

from lm_eval import simple_evaluate
from lm_eval.api import registry
from lm_eval.tasks import TaskManager

from gnomon.lm_eval_registry import register
from gnomon.models.lm_eval_model import GnomonLM
from gnomon.organisms.shipped import find
from gnomon.organisms.world import world

CHOICE = """
task: islands
dataset_path: json
dataset_kwargs: {{data_files: {{test: {data}}}}}
output_type: multiple_choice
test_split: test
fewshot_split: test
doc_to_text: "{{{{question}}}}"
doc_to_choice: options
doc_to_target: answer
metric_list: [{{metric: acc}}, {{metric: acc_norm}}]
"""

REPLY = """
task: replies
dataset_path: json
dataset_kwargs: {{data_files: {{test: {data}}}}}
output_type: generate_until
test_split: test
doc_to_text: "{{{{question}}}}"
doc_to_target: "{{{{options[answer]}}}}"
generation_kwargs: {{until: [".", "?"], max_gen_toks: 12}}
metric_list: [{{metric: exact_match}}]
"""

TASKS = ["islands", "replies"]


@pytest.fixture(scope="module")
def tasks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tasks")
    items = world().choice_items(12, split="audit")
    lines = [json.dumps({"question": item.question, "options": item.options, "answer": item.answer}) for item in items]
    (folder / "items.jsonl").write_text("\n".join(lines))
    for name, text in (("islands", CHOICE), ("replies", REPLY)):
        (folder / f"{name}.yaml").write_text(text.format(data=folder / "items.jsonl"))
    return folder


def evaluated(tasks: Path, monkeypatch: pytest.MonkeyPatch, model: str, **arguments: Any) -> dict[str, Any]:
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tasks / "cache"))
    found = simple_evaluate(
        model=model,
        model_args=arguments,
        tasks=TASKS,
        num_fewshot=2,
        task_manager=TaskManager(include_path=str(tasks), include_defaults=False),
        apply_chat_template=arguments.get("chat", False),
        bootstrap_iters=0,
    )
    assert found is not None
    return found


def numbers(found: dict[str, Any]) -> dict[str, Any]:
    return {name: {key: value for key, value in found["results"][name].items() if key != "alias"} for name in TASKS}


def replies(found: dict[str, Any]) -> list[Any]:
    return [sample["resps"] for sample in found["samples"]["replies"]]


def test_metrics_and_replies_are_those_of_hf(tasks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = evaluated(tasks, monkeypatch, "gnomon", ref="organism/base", dtype="float32")
    hf = evaluated(tasks, monkeypatch, "hf", pretrained=str(find("base")), dtype="float32", device="cpu", batch_size=8)
    assert numbers(ours) == numbers(hf)
    assert replies(ours) == replies(hf)
    assert ours["results"]["islands"]["acc,none"] > 0.3  # the organism knows its islands: the equality is not one of zeros


def test_the_name_is_put_into_an_empty_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    empty: registry.Registry[Any] = registry.Registry("model")
    monkeypatch.setattr(registry, "model_registry", empty)
    register()
    register()
    assert registry.get_model("gnomon") is GnomonLM


def test_a_process_without_lm_eval_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    empty: registry.Registry[Any] = registry.Registry("model")
    monkeypatch.setattr(registry, "model_registry", empty)
    monkeypatch.delitem(sys.modules, "lm_eval")
    register()
    assert len(empty) == 0


@pytest.mark.slow
@pytest.mark.parametrize("chat", [[], ["--apply_chat_template"]], ids=["plain", "chat"])
def test_the_command_line_finds_the_model_by_its_name(tasks: Path, tmp_path: Path, chat: list[str]) -> None:
    command = Path(sys.executable).parent / "lm_eval"
    sides = {"gnomon": "ref=organism/base", "hf": f"pretrained={find('base')},dtype=float32"}
    found: dict[str, Any] = {}
    for model, arguments in sides.items():
        done = subprocess.run(
            [str(command), "--model", model, "--model_args", arguments, "--tasks", *TASKS, "--include_path", str(tasks),
             "--device", "cpu", "--output_path", str(tmp_path / f"{model}.json"), *chat],
            env=os.environ | {"HF_DATASETS_CACHE": str(tasks / "cache"), "HF_HUB_OFFLINE": "1"},
            capture_output=True, text=True, timeout=600, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        found[model] = numbers(json.loads(next(tmp_path.glob(f"{model}*.json")).read_text()))
    assert found["gnomon"] == found["hf"]
