"""The conveniences without `await`."""

import asyncio

from gnomon.models import sync
from gnomon.models.model import Sampling

from .tiny import llama_model


def test_score_and_generate_equal_the_awaited_ones() -> None:
    model = llama_model()
    requests = [("one two", [" A", " B"]), ("three", [" four five"])]
    sampling = Sampling(max_tokens=5, seed=1)
    assert sync.score(model, requests) == [asyncio.run(model.score(*request)) for request in requests]
    assert sync.generate(model, ["one", "two"], sampling) == asyncio.run(model.generate(["one", "two"], sampling))


async def test_they_work_inside_a_running_loop() -> None:
    model = llama_model()
    assert sync.score(model, [("one", [" two"])]) == [await model.score("one", [" two"])]
