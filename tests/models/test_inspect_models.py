"""Inspect providers as gnomon models, with providers that answer from a tiny model or from a script; no network."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch

pytest.importorskip("inspect_ai")

from inspect_ai.model import (
    ChatCompletionChoice,
    ChatMessageAssistant,
    GenerateConfig,
    Logprob,
    Logprobs,
    ModelAPI,
    ModelOutput,
    ModelUsage,
    TopLogprob,
    get_model,
    modelapi,
)
from tenacity import wait_none

from gnomon.datasets.messages import conversation
from gnomon.errors import (
    ConfigurationError,
    DeterministicFailure,
    GnomonError,
    RateLimited,
    TransientFailure,
    UnknownModel,
    Unsupported,
)
from gnomon.models.inspect_models import InspectModel, InspectOptions, open_inspect
from gnomon.models.local import LocalModel
from gnomon.models.model import Model, Sampling
from gnomon.models.references import open_model

from .tiny import gpt2_model, llama_model

ASKED = conversation(("user", "question : ( A ) one ( B ) two ?"), ("assistant", "the answer is ("))


class _Scripted(ModelAPI):
    """Answers by a function of messages and configuration."""

    def __init__(self, model_name: str, answer: Callable[..., Any] = lambda *_: reply("hello"), **_: Any):
        super().__init__(model_name)
        self.answer = answer
        self.calls: list[tuple[list[Any], GenerateConfig]] = []

    async def generate(self, input: Any, tools: Any, tool_choice: Any, config: GenerateConfig) -> ModelOutput:
        self.calls.append((input, config))
        result = self.answer(input, config)
        if isinstance(result, Exception):
            raise result
        return result

    def retry_wait(self) -> Any:
        return wait_none()

    def should_retry(self, ex: Exception) -> bool:
        return getattr(ex, "status_code", 0) >= 500


@modelapi(name="scripted-chat")
def _scripted_chat() -> type[ModelAPI]:
    return _Scripted


@modelapi(name="scripted-completions")
def _scripted_completions() -> type[ModelAPI]:
    return _Scripted


class Failed(Exception):
    def __init__(self, status_code: int, headers: dict[str, str] | None = None):
        super().__init__(f"status {status_code}")
        self.status_code = status_code
        self.response = type("Response", (), {"headers": headers or {}, "status_code": status_code})()


def reply(text: str, stop: Any = "stop", **choice: Any) -> ModelOutput:
    made = ChatCompletionChoice(message=ChatMessageAssistant(content=text), stop_reason=stop, **choice)
    return ModelOutput(model="scripted", choices=[made], usage=ModelUsage())


def scripted(answer: Callable[..., Any], provider: str = "scripted-chat", **options: Any) -> InspectModel:
    settings = InspectOptions(**options)
    config = GenerateConfig(max_retries=settings.max_retries)
    return InspectModel(
        get_model(f"{provider}/m", answer=answer, config=config, memoize=False), f"inspect/{provider}/m", settings
    )


def prompt_logprobs_of(model: LocalModel) -> Callable[..., ModelOutput]:
    """What a completions server does: log-probabilities of the prompt's tokens, the first without."""

    def answer(messages: Any, config: GenerateConfig) -> ModelOutput:
        ids = model.tokenizer(messages[0].text).input_ids
        logprobs = model.forward(ids)[0].log_softmax(-1)
        content = [
            Logprob(token=model.tokenizer.decode([token]), logprob=logprobs[index, token].item())
            for index, token in enumerate(ids[1:])
        ]
        return reply("x", prompt_logprobs=Logprobs(content=content) if content else None)

    return answer


def top_logprobs_of(model: LocalModel) -> Callable[..., ModelOutput]:
    def answer(messages: Any, config: GenerateConfig) -> ModelOutput:
        prompt = conversation(*((message.role, message.text) for message in messages))
        logprobs = model.forward(model.tokeniser.encode(prompt))[0, -1].log_softmax(-1)
        values, ids = logprobs.topk(config.top_logprobs or 0)
        tops = [
            TopLogprob(token=model.tokenizer.decode([i]), logprob=v) for v, i in zip(values.tolist(), ids.tolist(), strict=True)
        ]
        return reply(tops[0].token, logprobs=Logprobs(content=[Logprob(token=tops[0].token, logprob=0.0, top_logprobs=tops)]))

    return answer


async def test_a_reference_opens_a_provider_and_generates() -> None:
    model = open_model("inspect/scripted-chat/m?samples=5")
    assert isinstance(model, Model)
    assert isinstance(model, InspectModel)
    replies = await model.generate([ASKED, "one"], Sampling(max_tokens=3, temperature=0.5, stop=("x",), seed=7))
    assert [each.text for each in replies] == ["hello", "hello"]
    messages, config = model.model.api.calls[0]
    assert [(message.role, message.text) for message in messages] == [(turn.role, turn.content) for turn in ASKED]
    assert (config.max_tokens, config.temperature, config.stop_seqs) == (3, 0.5, ["x"])
    assert config.seed != model.model.api.calls[1][1].seed
    assert model.card.kind == "inspect"


async def test_inspect_s_mock_model_counts_no_tokens_by_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def fetch(_: str) -> None:
        raise ConnectionError("no network")

    monkeypatch.setattr("tiktoken.get_encoding", fetch)
    said = (await open_model("inspect/mockllm/model").generate(["hello", "you"], Sampling(seed=1)))[0]
    assert said.text == "Default output from mockllm/model"


async def test_inspect_s_mock_model_works_offline() -> None:
    outputs = [ModelOutput.from_content("mockllm", "Answer: (B)")]
    model = InspectModel(get_model("mockllm/model", custom_outputs=outputs), "inspect/mockllm/model")
    opened = conversation(("user", "?"), ("assistant", "Answer: ("))
    assert (await model.generate([opened], Sampling()))[0].text == "B)"


async def test_refusals_and_limits_are_told_apart() -> None:
    for stop, finish in [("content_filter", "refusal"), ("max_tokens", "length"), ("stop", "stop"), ("model_length", "length")]:
        model = scripted(lambda *_, stop=stop: reply("I", stop))
        assert (await model.generate(["one"], Sampling()))[0].finish == finish


async def test_logprobs_that_belong_to_other_tokens_are_dropped() -> None:
    """Replays a provider that reported the argmax token's log-probability instead of the sampled one's."""
    right = Logprobs(content=[Logprob(token="he", logprob=-1.0), Logprob(token="llo", logprob=-2.0)])
    wrong = Logprobs(content=[Logprob(token="good", logprob=-0.1), Logprob(token="bye", logprob=-0.1)])
    sampling = Sampling(logprobs=True)
    assert (await scripted(lambda *_: reply("hello", logprobs=right)).generate(["x"], sampling))[0].logprobs == (-1.0, -2.0)
    assert (await scripted(lambda *_: reply("hello", logprobs=wrong)).generate(["x"], sampling))[0].logprobs is None


@pytest.mark.parametrize("prefix", ["the quick brown fox", conversation(("user", "hello there!"), ("assistant", "Answer: ("))])
async def test_prompt_logprobs_give_the_exact_scores(prefix: Any) -> None:
    local = gpt2_model()
    model = scripted(prompt_logprobs_of(local), "scripted-completions", scores="prompt_logprobs")
    continuations = [" jumps over", "es", "A)", "unhappiness"]
    exact = await local.score(prefix, continuations)
    scores = await model.score(prefix, continuations)
    assert [score.method for score in scores] == ["prompt_logprobs"] * 4
    for mine, theirs in zip(scores, exact, strict=True):
        assert mine.logprob == pytest.approx(theirs.logprob, abs=1e-4)
        assert mine.token_logprobs == pytest.approx(theirs.token_logprobs, abs=1e-4)


async def test_a_continuation_whose_tokens_are_not_all_there_is_not_scored() -> None:
    local = gpt2_model()
    model = scripted(prompt_logprobs_of(local), "scripted-completions", scores="prompt_logprobs")
    score = (await model.score("un", ["happiness and hello"]))[0]
    assert score.logprob is None
    assert "all of the continuation's tokens" in (score.reason or "")


async def test_top_logprobs_give_the_exact_scores_of_letters_and_a_reason_for_missing_ones() -> None:
    local = llama_model()
    exact = await local.score(ASKED, ["A", "B", "C", "D"])
    whole = scripted(top_logprobs_of(local), top_logprobs=len(local.tokenizer))
    scores = await whole.score(ASKED, ["A", "B", "C", "D"])
    assert [score.method for score in scores] == ["top_logprobs"] * 4
    assert [score.logprob for score in scores] == pytest.approx([score.logprob for score in exact], abs=1e-4)
    by_rank = sorted("ABCD", key=lambda letter: -(exact["ABCD".index(letter)].logprob or 0))
    logprobs = local.forward(local.tokeniser.encode(ASKED))[0, -1]
    second = local.tokenizer.vocab[by_rank[1]]
    rank = int((logprobs > logprobs[second]).sum())
    cut = await scripted(top_logprobs_of(local), top_logprobs=rank).score(ASKED, ["A", "B", "C", "D"])
    for letter, score in zip("ABCD", cut, strict=True):
        assert (score.logprob is None) == (letter != by_rank[0])
        assert score.reason is None or f"{rank} likeliest" in score.reason


async def test_sampling_gives_shares_and_a_reason_for_what_was_never_said() -> None:
    said = iter(["B) two", " (B)", "Answer: (B", "A", "Because", "no", "I cannot", "B"] * 2)
    model = scripted(lambda *_: reply(next(said)), scores="sampling", samples=8)
    opened = conversation(("user", "?"), ("assistant", "Answer: ("))
    first, second, third = await model.score(opened, ["A", "B", "C"])
    assert first.logprob == pytest.approx(math.log(1 / 8))
    assert second.logprob == pytest.approx(math.log(4 / 8))
    assert (third.logprob, third.method) == (None, "sampling")
    assert third.reason == "not said in 8 samples"


async def test_refused_samples_count_in_the_share_and_give_no_score_if_all_are() -> None:
    said = iter(["A", "A", None, None])
    model = scripted(lambda *_: reply("A") if next(said) else reply("", "content_filter"), scores="sampling", samples=4)
    assert (await model.score("?", ["A"]))[0].logprob == pytest.approx(math.log(0.5))
    refusing = scripted(lambda *_: reply("", "content_filter"))
    assert [(score.logprob, score.reason) for score in await refusing.score(ASKED, ["A", "B"])] == [(None, "refusal")] * 2


async def test_auto_falls_back_to_sampling_and_remembers_what_is_lacking() -> None:
    model = scripted(lambda *_: reply("A"), samples=3)
    assert [score.method for score in await model.score(ASKED, ["A"])] == ["sampling"]
    assert len(model.model.api.calls) == 4
    await model.score(ASKED, ["A"])
    assert len(model.model.api.calls) == 7
    assert model.card.details["lacking"] == ["top_logprobs"]


async def test_a_method_asked_for_by_name_is_not_replaced() -> None:
    with pytest.raises(Unsupported, match="prompt_logprobs"):
        await scripted(lambda *_: reply("A"), scores="prompt_logprobs").score(ASKED, ["A"])


@pytest.mark.parametrize(
    ("error", "kind", "calls"),
    [
        (Failed(500), TransientFailure, 3),
        (Failed(529), TransientFailure, 3),
        (Failed(429), RateLimited, 1),
        (Failed(400), DeterministicFailure, 1),
        (ValueError("no"), DeterministicFailure, 1),
        (TimeoutError(), TransientFailure, 1),
        (ConnectionResetError("gone"), TransientFailure, 1),
    ],
)
async def test_errors_are_classified_and_retries_are_capped(error: Exception, kind: type[GnomonError], calls: int) -> None:
    """Replays a deterministic 500 that was retried 1,149 times."""
    model = scripted(lambda *_: error, max_retries=2)
    with pytest.raises(kind) as caught:
        await model.generate(["one"], Sampling())
    assert len(model.model.api.calls) == calls
    assert type(caught.value) is kind
    assert "\n" not in str(caught.value)


async def test_a_rate_limit_hands_on_how_long_to_wait() -> None:
    with pytest.raises(RateLimited) as caught:
        await scripted(lambda *_: Failed(429, {"retry-after": "7"})).generate(["one"], Sampling())
    assert caught.value.retry_after == 7


async def test_no_choice_is_a_failure_and_no_empty_reply() -> None:
    model = scripted(lambda *_: ModelOutput(model="m", choices=[], error="overloaded", usage=ModelUsage()))
    with pytest.raises(TransientFailure, match="overloaded"):
        await model.generate(["one"], Sampling())


def test_a_reference_s_options_cap_retries_and_time() -> None:
    config = open_inspect("scripted-chat/m?max_retries=1&timeout=30").model.config
    assert (config.max_retries, config.timeout) == (1, 30)
    assert open_inspect("scripted-chat/m").model.config.max_retries == 2


def test_the_fingerprint_is_of_model_and_method() -> None:
    one = open_inspect("scripted-chat/m").fingerprint
    assert open_inspect("scripted-chat/m?timeout=5").fingerprint == one
    assert open_inspect("scripted-chat/m?samples=5").fingerprint != one
    assert open_inspect("scripted-chat/n").fingerprint != one


@pytest.mark.parametrize(
    ("rest", "kind"),
    [
        ("nobody/m", UnknownModel),
        ("scripted-chat/m?samples=0", ConfigurationError),
        ("scripted-chat/m?scores=magic", ConfigurationError),
    ],
)
def test_what_cannot_be_opened_says_so_in_one_sentence(rest: str, kind: type[GnomonError]) -> None:
    with pytest.raises(kind) as caught:
        open_inspect(rest)
    assert "\n" not in str(caught.value)


def test_without_inspect_the_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    from gnomon.errors import MissingExtra

    for name in [name for name in sys.modules if name.startswith("gnomon.models.inspect_")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "inspect_ai.model", None)
    with pytest.raises(MissingExtra, match=r"gnomon\[inspect\]"):
        open_model("inspect/scripted-chat/m")


def test_the_exact_reference_is_a_real_distribution() -> None:
    """The fakes of this file answer from log-probabilities that sum to one."""
    local = llama_model()
    logprobs = local.forward(local.tokeniser.encode(ASKED))[0, -1].log_softmax(-1)
    assert torch.logsumexp(logprobs, 0).item() == pytest.approx(0, abs=1e-5)
