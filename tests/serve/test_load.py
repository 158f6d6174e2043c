"""Many clients for a while: nothing is lost or mixed up, and the memory does not grow."""

import asyncio
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from gnomon.models.model import Sampling
from gnomon.serve.background import serving
from tests.models.tiny import WORDS, llama_model

from .test_process import process
from .test_stream import eventually

CLIENTS = 64
REQUESTS = 2000
SHARED = "The capital of one is two. " * 12
"""A beginning of some prompts' length, which others have too."""
MOST_GROWTH = 96 * 2**20
"""Bytes between a first storm and the last: the allocator keeps what the largest batches once needed, in steps of up to 80 MB.
That no request is kept, is asserted by the engine's tests."""


def memory(url: str) -> float:
    lines = httpx.get(f"{url.removesuffix('/v1')}/metrics").text.splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith("process_resident_memory_bytes"))


async def storm(url: str, model: str, prompts: list[str], **options: Any) -> list[str]:
    """The replies to all prompts, every third one streamed, from 64 clients."""
    replies = [""] * len(prompts)
    waiting = iter(enumerate(prompts))

    async def ask(client: openai.AsyncOpenAI) -> None:
        for index, prompt in waiting:
            asked: dict[str, Any] = {"model": model, "prompt": prompt, "seed": index, **options}
            if index % 3:
                replies[index] = (await client.completions.create(**asked)).choices[0].text
            else:
                async for chunk in await client.completions.create(stream=True, **asked):
                    replies[index] += chunk.choices[0].text if chunk.choices else ""

    async with openai.AsyncOpenAI(base_url=url, api_key="none", timeout=600, max_retries=0) as client:
        await asyncio.gather(*(ask(client) for _ in range(CLIENTS)))
    return replies


async def answered(client: openai.AsyncOpenAI, model: str, index: int) -> Any:
    """What a client gets for the request of this number: every kind of them in turn, all with a seed."""
    text = f"Say the number {index}. {SHARED if index % 2 else ''}"
    asked: dict[str, Any] = {"model": model, "seed": index, "max_tokens": 8}
    match index % 5:
        case 0:
            scored = await client.completions.create(prompt=text, echo=True, logprobs=2, **asked | {"max_tokens": 0})
            logprobs = scored.choices[0].logprobs
            return scored.choices[0].text, logprobs.tokens, logprobs.token_logprobs, logprobs.top_logprobs
        case 1:
            said = (await client.completions.create(prompt=text, echo=True, logprobs=2, **asked)).choices[0]
            return said.text, said.logprobs.tokens, said.logprobs.token_logprobs, said.finish_reason
        case 2:
            turns: Any = [{"role": "user", "content": text}]
            choices = (await client.chat.completions.create(messages=turns, n=2, logprobs=True, **asked)).choices
            return [(c.message.content, [each.logprob for each in c.logprobs.content], c.finish_reason) for c in choices]
        case 3:
            turns = [{"role": "user", "content": text}]
            pieces = await client.chat.completions.create(messages=turns, stream=True, **asked)
            return "".join([chunk.choices[0].delta.content or "" async for chunk in pieces])
        case _:
            chunks = await client.completions.create(prompt=text, stream=True, echo=True, **asked)
            return "".join([chunk.choices[0].text async for chunk in chunks])


async def mixed_storm(url: str, model: str, numbers: Sequence[int], clients: int = CLIENTS) -> dict[int, Any]:
    """The answers to the requests of these numbers, from so many clients with connections of their own."""
    answers: dict[int, Any] = {}
    waiting = iter(numbers)

    async def ask() -> None:
        async with openai.AsyncOpenAI(base_url=url, api_key="none", timeout=600, max_retries=0) as client:
            for index in waiting:
                answers[index] = await answered(client, model, index)

    await asyncio.gather(*(ask() for _ in range(clients)))
    return answers


def leave_in_mid_stream(url: str, count: int) -> None:
    """So many clients begin to read a long stream and go."""
    asked = {"prompt": ["one"] * 4, "max_tokens": 400, "n": 4, "seed": 0, "stream": True}
    for _ in range(count):
        with httpx.stream("POST", f"{url}/completions", json=asked, timeout=60) as answer:
            lines = answer.iter_lines()
            assert next(lines).startswith("data: ")


def counted(url: str, name: str) -> float:
    lines = httpx.get(f"{url.removesuffix('/v1')}/metrics").text.splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith(f"{name} "))


@pytest.mark.slow
def test_a_storm_of_every_kind_gets_what_each_request_gets_alone_and_leaves_nothing_behind() -> None:
    numbers = range(REQUESTS)
    with process("organism/base") as (server, url):
        model = httpx.get(f"{url}/models").json()["data"][0]["id"]
        first = asyncio.run(mixed_storm(url, model, numbers[: REQUESTS // 2]))
        before, begun = memory(url), time.perf_counter()
        answers = asyncio.run(mixed_storm(url, model, numbers))
        took, after = time.perf_counter() - begun, memory(url)
        leave_in_mid_stream(url, 8)
        eventually(lambda: counted(url, "gnomon_rows") == 0 and counted(url, "gnomon_requests_in_flight") == 1)
        alone = asyncio.run(mixed_storm(url, model, numbers[::4], clients=1))
        peak = 1024 * float(Path(f"/proc/{server.pid}/status").read_text().partition("VmHWM:")[2].split()[0])
    figures = {"requests/s": REQUESTS / took} | {
        name: round(size / 2**20) for name, size in {"MB before": before, "after": after, "peak": peak}.items()
    }
    print(json.dumps(figures))
    assert sorted(answers) == list(numbers)
    assert {index: answers[index] for index in alone} == alone
    assert {index: answers[index] for index in first} == first
    assert after - before < MOST_GROWTH, json.dumps(figures)


@pytest.mark.slow
def test_a_storm_gets_the_models_own_texts() -> None:
    model = llama_model()
    prompts = [" ".join(WORDS[10 + int(digit)] for digit in str(1000 + index)) for index in range(REQUESTS)]
    with serving(model) as address:
        replies = asyncio.run(storm(address.url, address.model, prompts, max_tokens=6))

    async def alone() -> list[str]:
        found = [model.generate([prompt], Sampling(max_tokens=6, seed=index)) for index, prompt in enumerate(prompts)]
        return [reply[0].text for reply in await asyncio.gather(*found)]

    assert replies == asyncio.run(alone())
