"""Inspect's own OpenAI providers against the server."""

from pathlib import Path
from typing import Any

import pytest

import gnomon
from gnomon.datasets.messages import conversation
from gnomon.models.local import LocalModel
from gnomon.models.model import Sampling

pytest.importorskip("inspect_ai")

import inspect_ai
from inspect_ai import Task
from inspect_ai.dataset import Sample
from inspect_ai.model import GenerateConfig, get_model
from inspect_ai.scorer import includes
from inspect_ai.solver import generate


async def test_the_chat_provider_gives_what_the_model_gives(url: str, local: LocalModel) -> None:
    async with get_model("openai-api/gnomon/local/llama", base_url=url, api_key="none") as model:
        config = GenerateConfig(max_tokens=9, seed=4, logprobs=True, temperature=0.7, stop_seqs=["four"], num_choices=2)
        output = await model.generate("one two", config=config)
    sampling = Sampling(max_tokens=9, seed=4, logprobs=True, temperature=0.7, stop=("four",))
    direct = await local.generate([conversation(("user", "one two"))] * 2, sampling)
    assert [choice.message.text for choice in output.choices] == [each.text for each in direct]
    assert tuple(entry.logprob for entry in output.choices[0].logprobs.content) == direct[0].logprobs


async def test_the_completions_provider_scores_as_the_model_does(
    url: str, local: LocalModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """gnomon's own client of that provider, over the wire, and the weights here."""
    monkeypatch.setenv("GNOMON_API_KEY", "none")
    remote = gnomon.open_model(f"inspect/openai-api-completions/gnomon/local/llama?base_url={url}")
    prefix, continuations = "the answer is (", [" A", " B", " two"]
    found = await remote.score(prefix, continuations)
    expected = await local.score(prefix, continuations)
    assert [score.method for score in found] == ["prompt_logprobs"] * 3
    assert [score.logprob for score in found] == pytest.approx([score.logprob for score in expected], abs=1e-5)
    await remote.aclose()


def test_an_evaluation_runs_against_the_server(
    url: str, local: LocalModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `inspect eval ... --model openai-api/gnomon/<reference>`."""
    monkeypatch.setenv("GNOMON_API_KEY", "none")
    monkeypatch.setenv("GNOMON_BASE_URL", url)
    asked = ["one", "two three", "the answer is"]
    task = Task(dataset=[Sample(input=text, target="one") for text in asked], solver=generate(), scorer=includes())
    options: dict[str, Any] = {"max_tokens": 9, "seed": 3, "log_dir": str(tmp_path), "display": "none"}
    log = inspect_ai.eval(task, model="openai-api/gnomon/local/llama", **options)[0]
    assert log.status == "success"
    direct = [gnomon.generate(local, [conversation(("user", text))], Sampling(max_tokens=9, seed=3))[0] for text in asked]
    assert [sample.output.completion for sample in log.samples] == [reply.text for reply in direct]
    assert [sample.output.usage.output_tokens for sample in log.samples] == [len(reply.token_ids) for reply in direct]
