"""Many clients for a while: nothing is lost or mixed up, and the memory does not grow."""

import asyncio
import json
from typing import Any

import httpx
import openai
import pytest

from gnomon.models.model import Sampling
from gnomon.serve.background import serving
from tests.models.tiny import WORDS, llama_model

from .test_process import process

CLIENTS = 64
REQUESTS = 2000
MOST_GROWTH = 24 * 2**20
"""Bytes between a quarter of the requests and the last; a request that leaked its prompt, reply and pieces would cost more."""


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


@pytest.mark.slow
def test_a_storm_of_clients_gets_its_own_answers_and_leaves_nothing_behind() -> None:
    prompts = [f"Say the number {index}." for index in range(REQUESTS)]
    with process("organism/base-30k") as (_, url):
        model = httpx.get(f"{url}/models").json()["data"][0]["id"]
        quarter = asyncio.run(storm(url, model, prompts[: REQUESTS // 4], max_tokens=8, echo=True))
        after_quarter = memory(url)
        rest = asyncio.run(storm(url, model, prompts, max_tokens=8, echo=True))
        at_end = memory(url)
    assert quarter == rest[: len(quarter)]
    assert all(reply.startswith(prompt) for reply, prompt in zip(rest, prompts, strict=True))
    assert len(set(rest)) == REQUESTS
    assert at_end - after_quarter < MOST_GROWTH, json.dumps({"after a quarter": after_quarter, "at the end": at_end})


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
