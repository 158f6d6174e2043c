"""Completions and chat completions, asked by OpenAI's own client, equal what the model gives."""

import asyncio
from typing import Any

import httpx
import openai
import pytest

import gnomon
from gnomon.datasets.messages import conversation
from gnomon.models.local import LocalModel
from gnomon.models.model import Sampling
from gnomon.serve.background import serving
from gnomon.serve.config import ServeConfig
from tests.models.tiny import gpt2_model

from .fake import Echoing

MODEL = "local/llama"


def complete(client: openai.OpenAI, prompt: Any, **options: Any) -> Any:
    return client.completions.create(model=MODEL, prompt=prompt, **options)


def chat(client: openai.OpenAI, *turns: tuple[str, str], **options: Any) -> Any:
    messages: Any = [{"role": role, "content": content} for role, content in turns]
    return client.chat.completions.create(model=MODEL, messages=messages, **options)


def test_a_seed_gives_the_models_own_text(client: openai.OpenAI, local: LocalModel) -> None:
    found = complete(client, "one two", max_tokens=9, seed=4, temperature=0.7, top_p=0.9)
    direct = gnomon.generate(local, ["one two"], Sampling(0.7, 0.9, 9, seed=4))[0]
    assert found.choices[0].text == direct.text
    assert found.choices[0].finish_reason == direct.finish
    assert found.usage.completion_tokens == len(direct.token_ids)
    assert found.usage.prompt_tokens == len(local.tokeniser.encode("one two"))
    assert found.system_fingerprint == local.fingerprint


def test_several_prompts_and_choices_are_the_positions_of_one_call(client: openai.OpenAI, local: LocalModel) -> None:
    prompts = ["one two", "one two", "three"]
    found = complete(client, prompts, max_tokens=6, seed=1, n=2)
    direct = gnomon.generate(local, [prompt for prompt in prompts for _ in range(2)], Sampling(max_tokens=6, seed=1))
    assert [choice.text for choice in found.choices] == [each.text for each in direct]
    assert [choice.index for choice in found.choices] == list(range(6))
    assert len({choice.text for choice in found.choices[:4]}) > 1


def test_chat_is_the_conversation(client: openai.OpenAI, local: LocalModel) -> None:
    found = chat(client, ("developer", "the"), ("user", "one"), max_completion_tokens=7, seed=2, n=3)
    prompt = conversation(("system", "the"), ("user", "one"))
    direct = gnomon.generate(local, [prompt] * 3, Sampling(max_tokens=7, seed=2))
    assert [choice.message.content for choice in found.choices] == [each.text for each in direct]
    assert found.usage.prompt_tokens == len(local.tokeniser.encode(prompt))


def test_an_opened_answer_is_continued(client: openai.OpenAI, local: LocalModel) -> None:
    found = chat(client, ("user", "one"), ("assistant", "the answer is ("), max_tokens=3, temperature=0)
    prompt = conversation(("user", "one"), ("assistant", "the answer is ("))
    assert found.choices[0].message.content == gnomon.generate(local, [prompt], Sampling(0.0, max_tokens=3))[0].text


def test_parts_of_a_message_are_one_text(client: openai.OpenAI) -> None:
    parts: Any = [{"type": "text", "text": "one "}, {"type": "text", "text": "two"}]
    asked: dict[str, Any] = {"model": MODEL, "max_tokens": 5, "seed": 0}
    apart = client.chat.completions.create(messages=[{"role": "user", "content": parts}], **asked)
    assert apart.choices[0].message.content == chat(client, ("user", "one two"), max_tokens=5, seed=0).choices[0].message.content


def test_a_stop_text_ends_the_reply_before_it(client: openai.OpenAI, local: LocalModel) -> None:
    whole = gnomon.generate(local, ["one two"], Sampling(max_tokens=30, seed=5))[0].text
    stop = whole.split()[3]
    for given in (stop, [stop], ["never said", stop]):
        found = complete(client, "one two", max_tokens=30, seed=5, stop=given).choices[0]
        assert found.text == whole.partition(stop)[0]
        assert found.finish_reason == "stop"


def test_requests_without_a_seed_get_one_each_and_say_it(client: openai.OpenAI) -> None:
    """Replays a cache that merged K repeats of one prompt."""
    texts: dict[str, str] = {}
    for _ in range(5):
        answer = client.completions.with_raw_response.create(model=MODEL, prompt="one", max_tokens=12)
        texts[answer.headers["x-gnomon-seed"]] = answer.parse().choices[0].text
    assert len(set(texts.values())) > 1
    assert len(texts) == 5
    for seed, text in texts.items():
        assert complete(client, "one", max_tokens=12, seed=int(seed)).choices[0].text == text


def test_token_ids_are_taken_as_they_are(client: openai.OpenAI, local: LocalModel) -> None:
    ids = local.tokeniser.encode("one two three")
    assert ids[0] == local.tokenizer.bos_token_id
    text = complete(client, "one two three", max_tokens=8, seed=3).choices[0].text
    assert complete(client, ids, max_tokens=8, seed=3).choices[0].text == text
    both = complete(client, [ids, ids[1:]], max_tokens=8, temperature=0)
    assert both.usage.prompt_tokens == len(ids) + len(ids) - 1
    with_start = gnomon.generate(local, ["one two three"], Sampling(0.0, max_tokens=8))[0].text
    assert both.choices[0].text == with_start


def test_logprobs_of_a_reply(client: openai.OpenAI, local: LocalModel) -> None:
    direct = gnomon.generate(local, ["one two"], Sampling(max_tokens=6, seed=4, logprobs=True))[0]
    told = complete(client, "one two", max_tokens=6, seed=4, logprobs=0).choices[0].logprobs
    assert tuple(told.tokens) == direct.tokens
    assert tuple(told.token_logprobs) == direct.logprobs
    talk = gnomon.generate(local, [conversation(("user", "one"))], Sampling(max_tokens=6, seed=4, logprobs=True))[0]
    content = chat(client, ("user", "one"), max_tokens=6, seed=4, logprobs=True).choices[0].logprobs.content
    assert tuple(entry.logprob for entry in content) == talk.logprobs
    assert [bytes(entry.bytes).decode() for entry in content] == list(talk.tokens)


def test_offsets_find_the_tokens_in_the_text() -> None:
    model = gpt2_model()
    with serving(model) as address, openai.OpenAI(base_url=address.url, api_key="none") as client:
        prompt = "The quick brown fox is happy."
        told = client.completions.create(model="local/gpt2", prompt=prompt, max_tokens=0, echo=True, logprobs=0).choices[0]
    assert told.text == prompt
    for token, offset in zip(told.logprobs.tokens, told.logprobs.text_offset, strict=True):
        assert prompt[offset:].startswith(token)
    assert "".join(told.logprobs.tokens) == prompt


def test_waiting_requests_keep_their_own_settings(url: str, local: LocalModel) -> None:
    """Replays a server that ran a batch with the first request's settings."""
    prompts = ["one two three", "four", "the answer is"]
    asked = [(prompt, length, heat) for prompt in prompts for length in (1, 5, 12) for heat in (0.0, 0.5, 1.5)]

    async def together() -> list[str]:
        async with openai.AsyncOpenAI(base_url=url, api_key="none") as client:
            found = await asyncio.gather(
                *(
                    client.completions.create(model=MODEL, prompt=prompt, max_tokens=length, temperature=heat, seed=1)
                    for prompt, length, heat in asked
                )
            )
        return [each.choices[0].text for each in found]

    alone = [gnomon.generate(local, [prompt], Sampling(heat, 1.0, length, seed=1))[0].text for prompt, length, heat in asked]
    assert asyncio.run(together()) == alone


def test_models_are_listed_and_shown(client: openai.OpenAI, local: LocalModel) -> None:
    assert [model.id for model in client.models.list()] == [MODEL]
    assert client.models.retrieve(MODEL).model_dump()["fingerprint"] == local.fingerprint
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("local/other")


def test_scripted_models_answer_too() -> None:
    reference = "scripted/sycophant?rate=0.3"
    with serving(reference) as address, openai.OpenAI(base_url=address.url, api_key="none") as client:
        assert client.models.retrieve(address.model).id == address.model
        found = client.completions.create(model=address.model, prompt="Hello", max_tokens=5, seed=1)
    assert found.choices[0].text == gnomon.generate(reference, ["Hello"], Sampling(max_tokens=5, seed=1))[0].text


@pytest.mark.parametrize(
    ("options", "status", "said"),
    [
        ({"model": "other"}, 404, "is not here"),
        ({"prompt": "one " * 300}, 400, "context"),
        ({"prompt": [1, 2, 9999]}, 400, "9999"),
        ({"prompt": []}, 400, "prompt"),
        ({"prompt": [[]]}, 400, "prompt"),
        ({"prompt": {"a": 1}}, 400, "prompt must be"),
        ({"prompt": None}, 400, "prompt is missing"),
        ({"max_tokens": 0}, 400, "max_tokens"),
        ({"max_tokens": 1 << 40}, 400, "max_tokens"),
        ({"max_tokens": -5}, 400, "max_tokens should be greater than or equal to 0."),
        ({"max_tokens": "many"}, 400, "max_tokens should be a valid integer."),
        ({"n": 100_000}, 400, "n should be less than or equal to 128."),
        ({"prompt": ["a"] * 100, "n": 128}, 400, "4096 choices"),
        ({"stop": 5}, 400, "stop must be a text or a list"),
        ({"stop": {"regex": "x"}}, 400, "stop must be a text or a list"),
        ({"stop_token_ids": [5]}, 400, "stop_token_ids"),
        ({"temperature": -1}, 400, "temperature"),
        ({"temperature": 1e-9}, 400, "temperature"),
        ({"temperature": "hot"}, 400, "temperature"),
        ({"top_p": 1.5}, 400, "top_p"),
        ({"seed": 1 << 70}, 400, "seed"),
        ({"stop": ""}, 400, "stop"),
        ({"stop": ["x"] * 100}, 400, "stop"),
        ({"logprobs": 1000}, 400, "logprobs"),
        ({"best_of": 4}, 400, "best_of"),
        ({"suffix": "end"}, 400, "suffix"),
        ({"frequency_penalty": 0.5}, 400, "frequency_penalty"),
        ({"logit_bias": {"1": 5}}, 400, "logit_bias"),
        ({"tools": [{"type": "function"}]}, 400, "tools"),
        ({"response_format": {"type": "json_object"}}, 400, "response_format"),
        ({"top_k": 5}, 400, "top_k"),
        ({"never_heard_of": 1}, 400, "never_heard_of"),
        ({"stream_options": {"include_usage": True}}, 400, "stream_options"),
    ],
    ids=str,
)
def test_what_cannot_be_done_is_refused_in_a_sentence(url: str, options: dict[str, Any], status: int, said: str) -> None:
    answer = httpx.post(f"{url}/completions", json={"model": MODEL, "prompt": "one", **options})
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert said in error["message"]
    assert error["message"].endswith(".")
    assert error["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"{", b"[]", b"null", b'"text"', b"\xff\xfe", b"[" * 100_000),
        *(b'{"prompt": "a", "temperature": NaN}', b'{"prompt": "a", "top_p": Infinity}', b'{"prompt": 1e999}'),
        *(b'{"prompt": "\\ud800"}', b'{"prompt": ["a", "\\udfff"]}'),
    ],
)
def test_broken_bodies_are_refused(url: str, body: bytes) -> None:
    answer = httpx.post(f"{url}/completions", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["message"]


def test_where_a_body_breaks_is_said(url: str) -> None:
    headers = {"Content-Type": "application/json"}
    answer = httpx.post(f"{url}/completions", content=b'{"prompt": "a"', headers=headers)
    assert answer.json()["error"]["message"] == "The body is not JSON: Expecting ',' delimiter at character 14."


def test_ten_megabytes_are_refused_by_default(url: str) -> None:
    answer = httpx.post(f"{url}/completions", json={"prompt": "a" * 10_500_000})
    assert answer.status_code == 413
    assert "10000000 bytes" in answer.json()["error"]["message"]


def test_what_a_page_of_another_site_can_send_is_refused(url: str) -> None:
    """A form or a fetch without preflight sends text/plain; OpenAI's clients send JSON."""
    answer = httpx.post(f"{url}/completions", content=b'{"prompt": "a"}', headers={"Content-Type": "text/plain"})
    assert answer.status_code == 400
    assert "application/json" in answer.json()["error"]["message"]


def test_the_clients_book_keeping_is_ignored(client: openai.OpenAI) -> None:
    asked = complete(client, "one", max_tokens=3, seed=0, user="me", logit_bias={}, presence_penalty=0, best_of=1)
    assert asked.choices[0].text == complete(client, "one", max_tokens=3, seed=0).choices[0].text
    assert chat(client, ("user", "one"), max_tokens=3, metadata={"a": "b"}, store=False, tools=[]).choices


def test_a_too_long_prompt_has_openais_code(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        chat(client, ("user", "one " * 300))
    assert caught.value.code == "context_length_exceeded"


def test_routes_that_are_not_there(url: str) -> None:
    assert httpx.get(f"{url}/nothing").json()["error"]["message"] == "There is no /v1/nothing here."
    assert httpx.get(f"{url}/completions").status_code == 405


def test_a_failing_model_fails_its_own_request_only() -> None:
    with serving(Echoing(failure=RuntimeError("secret detail"))) as address:
        answer = httpx.post(f"{address.url}/completions", json={"prompt": "one"})
        assert answer.status_code == 500
        assert "RuntimeError" in answer.json()["error"]["message"]
        assert "secret" not in answer.text
        assert httpx.get(f"{address.url}/models").status_code == 200


def test_a_model_has_the_name_that_the_server_was_given() -> None:
    config = ServeConfig(port=0, name="candidate")
    with (
        serving("scripted/honest?accuracy=0.9&seed=2", config) as address,
        openai.OpenAI(base_url=address.url, api_key="none", max_retries=0) as client,
    ):
        assert address.model == "candidate"
        assert [model.id for model in client.models.list()] == ["candidate"]
        reply = client.chat.completions.create(model="candidate", messages=[{"role": "user", "content": "hello"}], max_tokens=4)
        assert reply.model == "candidate"
        with pytest.raises(openai.NotFoundError, match="this server has 'candidate'"):
            client.chat.completions.create(model="scripted/honest", messages=[{"role": "user", "content": "hello"}])
