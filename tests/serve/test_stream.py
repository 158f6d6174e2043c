"""Answers piece by piece, and what happens when nobody listens any more."""

import asyncio
import contextlib
import json
import threading
import time
from collections.abc import Callable
from typing import Any

import httpx
import openai
import pytest

import gnomon
from gnomon.models.local import LocalModel
from gnomon.models.model import Sampling
from gnomon.serve.background import serving
from gnomon.serve.config import ServeConfig

from .fake import Echoing, Streaming


def events(answer: httpx.Response) -> list[Any]:
    """The chunks of a stream, which must end properly."""
    lines = [line.removeprefix("data: ") for line in answer.text.split("\n\n") if line]
    assert lines[-1] == "[DONE]"
    return [json.loads(line) for line in lines[:-1]]


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_the_pieces_are_the_completion(client: openai.OpenAI, local: LocalModel) -> None:
    options: dict[str, Any] = {"model": "local/llama", "prompt": ["one two", "three"], "max_tokens": 9, "seed": 4, "n": 2}
    texts = ["", "", "", ""]
    finished: dict[int, str] = {}
    for chunk in client.completions.create(stream=True, **options):
        for choice in chunk.choices:
            texts[choice.index] += choice.text
            if choice.finish_reason:
                finished[choice.index] = choice.finish_reason
    whole = client.completions.create(**options)
    assert texts == [choice.text for choice in whole.choices]
    assert finished == {choice.index: choice.finish_reason for choice in whole.choices}
    direct = gnomon.generate(local, ["one two", "one two", "three", "three"], Sampling(max_tokens=9, seed=4))
    assert texts == [each.text for each in direct]


def test_the_pieces_are_the_chat_completion(client: openai.OpenAI) -> None:
    options: dict[str, Any] = {
        "model": "local/llama",
        "messages": [{"role": "user", "content": "one"}],
        "max_tokens": 8,
        "seed": 1,
        "logprobs": True,
    }
    chunks = list(client.chat.completions.create(stream=True, stream_options={"include_usage": True}, **options))
    whole = client.chat.completions.create(**options)
    said = [chunk.choices[0] for chunk in chunks if chunk.choices]
    assert "".join(choice.delta.content or "" for choice in said) == whole.choices[0].message.content
    assert said[0].delta.role == "assistant"
    assert said[-1].finish_reason == whole.choices[0].finish_reason
    told = [entry.logprob for choice in said for entry in choice.logprobs.content]
    assert told == [entry.logprob for entry in whole.choices[0].logprobs.content]
    assert chunks[-1].usage == whole.usage


def test_a_streaming_model_is_heard_word_by_word() -> None:
    model = Streaming(waits=True)
    with serving(model) as address, openai.OpenAI(base_url=address.url, api_key="none") as client:
        stream = client.completions.create(model=model.reference, prompt="a b c", stream=True, logprobs=2)
        first = next(stream).choices[0]
        assert first.text == "a"
        assert first.finish_reason is None
        assert first.logprobs.top_logprobs == [{"a": -0.5, "not a": -1.5}]
        assert not model.finished  # the second word is not said yet
        release(model)
        rest = [chunk.choices[0] for chunk in stream]
    assert [choice.text for choice in rest] == [" b", " c"]
    assert [choice.logprobs.text_offset for choice in rest] == [[2], [4]]
    assert [choice.finish_reason for choice in rest] == [None, "stop"]


def test_choices_are_streamed_side_by_side() -> None:
    model = Streaming()
    with serving(model) as address:
        asked = {"prompt": ["a b c", "d e", "f"], "stream": True, "echo": True}
        chunks = events(httpx.post(f"{address.url}/completions", json=asked))
    texts: dict[int, str] = {}
    for chunk in chunks:
        choice = chunk["choices"][0]
        texts[choice["index"]] = texts.get(choice["index"], "") + choice["text"]
    assert texts == {0: "a b ca b c", 1: "d ed e", 2: "ff"}


def test_only_an_echo_is_streamed_too(client: openai.OpenAI) -> None:
    asked: dict[str, Any] = {"model": "local/llama", "prompt": "one two", "echo": True, "max_tokens": 0, "logprobs": 0}
    chunks = list(client.completions.create(stream=True, **asked))
    assert "".join(chunk.choices[0].text for chunk in chunks) == "one two"
    assert chunks[0].choices[0].logprobs.tokens == ["one", "two"]
    assert chunks[-1].choices[0].finish_reason == "length"


def test_what_fails_before_the_first_piece_has_its_status() -> None:
    with serving(Echoing(failure=gnomon.errors.RateLimited("Too many; wait 7 s.", 7.0))) as address:
        answer = httpx.post(f"{address.url}/completions", json={"prompt": "a b", "stream": True})
    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "7"


def test_what_fails_later_is_an_event() -> None:
    model = Streaming(failure=gnomon.errors.DeterministicFailure("The model broke."))
    with serving(model) as address, openai.OpenAI(base_url=address.url, api_key="none", max_retries=0) as client:
        stream = client.completions.create(model=model.reference, prompt="a b c", stream=True)
        assert next(stream).choices[0].text == "a"
        with pytest.raises(openai.APIError, match="The model broke"):
            next(stream)
        assert httpx.get(f"{address.url}/models").status_code == 200


@pytest.mark.parametrize("choices", [1, 3])
def test_a_client_that_leaves_a_stream_ends_the_work(choices: int) -> None:
    model = Streaming(waits=True)
    with serving(model) as address:
        asked = {"prompt": ["a b c"] * choices, "stream": True}
        with httpx.stream("POST", f"{address.url}/completions", json=asked) as answer:
            lines = answer.iter_lines()
            assert next(lines).startswith("data: ")
            assert not model.given_up
        eventually(lambda: len(model.given_up) == choices)
        assert not model.finished


def test_a_client_that_leaves_leaves_no_row_in_the_engine(url: str, client: openai.OpenAI) -> None:
    """Every way to leave; who asks afterwards gets the right answer."""
    asked = {"model": "local/llama", "prompt": "one two", "max_tokens": 9, "seed": 4}
    before = client.completions.create(**asked).choices[0].text
    long = {"prompt": ["one"] * 8, "n": 4, "max_tokens": 250, "seed": 0}
    texts = [[index % 30, index // 30, *[7] * 200] for index in range(900)]
    scored = {"prompt": texts, "echo": True, "max_tokens": 0, "logprobs": 5}
    with httpx.stream("POST", f"{url}/completions", json={**long, "stream": True}) as answer:
        lines = answer.iter_lines()
        assert next(lines).startswith("data: ")
    for body in (long, scored):
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(f"{url}/completions", json=body, timeout=httpx.Timeout(10, read=0.02))
    metrics = f"{url.removesuffix('/v1')}/metrics"
    eventually(lambda: "gnomon_rows 0.0" in (told := httpx.get(metrics).text) and "gnomon_requests_in_flight 1.0" in told)
    assert client.completions.create(**asked).choices[0].text == before


@pytest.mark.parametrize("stream", [True, False], ids=["before the first piece", "not streamed"])
def test_a_client_that_leaves_while_waiting_ends_the_work(stream: bool) -> None:
    model = Echoing(waits=True)
    with serving(model) as address:
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(f"{address.url}/completions", json={"prompt": "a b", "stream": stream}, timeout=0.5)
        eventually(lambda: model.given_up == ["a b"])
        counted = httpx.get(f"{address.url.removesuffix('/v1')}/metrics").text
    assert "gnomon_abandoned_total 1.0" in counted


def test_a_slow_reader_holds_back_its_own_stream_only() -> None:
    """The queue of pieces is bounded, so a client that does not read does not fill the memory."""
    model = Streaming()
    long = " ".join(["word"] * 200_000)
    with serving(model) as address:
        with httpx.stream("POST", f"{address.url}/completions", json={"prompt": long, "stream": True}) as answer:
            lines = answer.iter_lines()
            assert next(lines)
            assert httpx.post(f"{address.url}/completions", json={"prompt": "a b"}).status_code == 200
            assert model.finished == ["a b"]
        eventually(lambda: model.given_up == [long])


def test_a_server_that_stops_gives_up_what_takes_longer_than_its_grace() -> None:
    model = Echoing(waits=True)
    with serving(model, ServeConfig(port=0, grace=1)) as address:
        asking = threading.Thread(target=left_alone, args=(address.url,))
        asking.start()
        eventually(lambda: model.asked == ["a"])
    assert model.given_up == ["a"]
    asking.join()


def release(model: Echoing) -> None:
    eventually(lambda: model.go is not None)
    loop: asyncio.AbstractEventLoop = model.go._loop  # the server's
    loop.call_soon_threadsafe(model.go.set)


def left_alone(url: str) -> None:
    """Asks, and is given no answer, or a failure."""
    with contextlib.suppress(httpx.HTTPError):
        assert httpx.post(f"{url}/completions", json={"prompt": "a"}).status_code >= 500
