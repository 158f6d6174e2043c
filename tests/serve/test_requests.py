"""Whatever a client sends is either understood or refused in a sentence."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gnomon.models.model import Generation, Sampling
from gnomon.serve.answers import Spelled, chat_logprobs
from gnomon.serve.failures import sentence
from gnomon.serve.requests import IGNORED, NEUTRAL, ChatRequest, CompletionRequest

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
nested = st.dictionaries(st.text(max_size=5), scalars, max_size=3)
anything = st.recursive(scalars | nested, lambda inner: st.lists(inner, max_size=3), max_leaves=10)
fields = st.sampled_from(
    sorted({*CompletionRequest.model_fields, *ChatRequest.model_fields, *NEUTRAL, *IGNORED, "role", "content", "unknown"})
)
bodies = st.dictionaries(fields, anything, max_size=5)
texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)


@pytest.mark.parametrize("kind", [CompletionRequest, ChatRequest])
@given(body=bodies | anything, complete=st.booleans())
def test_any_body_is_understood_or_refused_in_a_sentence(kind: Any, body: Any, complete: bool) -> None:
    if complete and isinstance(body, dict):
        body = {"prompt": "a", "messages": [{"role": "user"}], **body}
        body.pop("messages" if kind is CompletionRequest else "prompt")
        for turn in body["messages"] if isinstance(body.get("messages"), list) else []:
            if isinstance(turn, dict):
                turn["content"] = body.pop("content", "a")
    try:
        request = kind.model_validate(body)
    except ValidationError as error:
        message, param = sentence(error.errors())
        assert message.endswith(".")
        assert "\n" not in message or "\n" in str(param)
        assert param is None or isinstance(param, str)
        return
    sampling = request.sampling(7)
    assert math.isfinite(sampling.temperature)
    assert 0 <= sampling.top_p <= 1
    assert isinstance(sampling.max_tokens, int)
    assert isinstance(sampling.seed, int)
    assert all(sampling.stop)


@given(
    temperature=st.just(0.0) | st.floats(1e-3, 100),
    top_p=st.floats(0, 1),
    limit=st.integers(1, 1000),
    stop=st.none() | texts | st.lists(texts, max_size=6),
    seed=st.none() | st.integers(-(1 << 63), (1 << 64) - 1),
    top=st.none() | st.integers(0, 20),
)
def test_settings_arrive_as_they_were_sent(
    temperature: float, top_p: float, limit: int, stop: Any, seed: int | None, top: int | None
) -> None:
    common = {"temperature": temperature, "top_p": top_p, "stop": stop, "seed": seed}
    expected = Sampling(
        temperature,
        top_p,
        limit,
        () if stop is None else (stop,) if isinstance(stop, str) else tuple(stop),
        99 if seed is None else seed,
        top is not None,
        top or 0,
    )
    completion = CompletionRequest.model_validate({"prompt": "a", "max_tokens": limit, "logprobs": top, **common})
    assert completion.sampling(99) == expected
    said = {"messages": [{"role": "user", "content": "a"}], "max_completion_tokens": limit, **common}
    chat = ChatRequest.model_validate({**said, "logprobs": top is not None, "top_logprobs": top})
    assert chat.sampling(99) == expected


@pytest.mark.parametrize("name", sorted(NEUTRAL))
def test_values_that_ask_for_nothing_are_taken_and_others_refused(name: str) -> None:
    for value in (*NEUTRAL[name], None):
        CompletionRequest.model_validate({"prompt": "a", name: value})
    with pytest.raises(ValidationError, match=name):
        CompletionRequest.model_validate({"prompt": "a", name: "something else"})


@pytest.mark.parametrize("role", ["tool", "function", "nobody", None, 3])
def test_other_roles_are_refused(role: Any) -> None:
    with pytest.raises(ValidationError):
        ChatRequest.model_validate({"messages": [{"role": role, "content": "a"}]})


@pytest.mark.parametrize(
    "extra",
    [{"content": [{"type": "image_url", "image_url": {"url": "data:"}}]}, {"tool_calls": [{"id": "1"}]}, {"audio": {"id": "1"}}],
    ids=str,
)
def test_what_is_not_text_is_refused(extra: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ChatRequest.model_validate({"messages": [{"role": "assistant", "content": "a", **extra}]})


@given(tokens=st.lists(texts, max_size=8), cut=st.integers(0, 8))
def test_offsets_of_tokens_that_spell_the_text_are_exact(tokens: list[str], cut: int) -> None:
    """Whole or in two pieces."""
    spelled, offsets = Spelled(), []
    for part in (tokens[:cut], tokens[cut:]):
        reply = Generation("".join(part), tokens=tuple(part), logprobs=(-1.0,) * len(part))
        told = spelled.reply(reply)
        assert told
        offsets += told["text_offset"]
    assert offsets == [len("".join(tokens[:index])) for index in range(len(tokens))]


def test_a_token_that_cannot_come_has_openais_number() -> None:
    told = Spelled().reply(Generation("a", tokens=("a",), logprobs=(-math.inf,), top_logprobs=((("b", -0.1),),)))
    assert told
    assert told["token_logprobs"] == [-9999.0]
    assert told["top_logprobs"] == [{"b": -0.1, "a": -9999.0}]


@pytest.mark.parametrize("broken", [math.nan, math.inf])
def test_what_is_no_log_probability_has_no_number(broken: float) -> None:
    """Replays a server that told a broken number as a token that cannot come."""
    reply = Generation("ab", tokens=("a", "b"), logprobs=(broken, -0.5), top_logprobs=((("a", -0.1), ("c", broken)), ()))
    told = Spelled().reply(reply)
    assert told
    assert told["token_logprobs"] == [None, -0.5]
    assert told["top_logprobs"] == [{"a": -0.1, "c": None}, {"b": -0.5}]
    content = chat_logprobs(reply)
    assert content
    assert [entry["logprob"] for entry in content["content"]] == [None, -0.5]
