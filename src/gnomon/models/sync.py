"""The model interface without `await`, for notebooks and scripts."""

import asyncio
from collections.abc import Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from gnomon.datasets.messages import Prompt
from gnomon.models.model import Generation, Model, Sampling, Score
from gnomon.models.references import open_model

Result = TypeVar("Result")


def score(model: str | Model, requests: Sequence[tuple[Prompt, Sequence[str]]]) -> list[list[Score]]:
    """Scores the continuations of many prefixes at once.

    Example:
        >>> score("organism/base", [("The capital of Bo is", [" Ril", " Tam"])])  # doctest: +SKIP

    Args:
        model: A reference or an open model.
        requests: Pairs of a prefix and its continuations.

    Returns:
        A list of scores per request, in order.
    """
    opened = open_model(model)

    async def all_of_them() -> list[list[Score]]:
        return list(await asyncio.gather(*(opened.score(prefix, continuations) for prefix, continuations in requests)))

    return run(all_of_them())


def generate(model: str | Model, prompts: Sequence[Prompt], sampling: Sampling | None = None) -> list[Generation]:
    """Samples one reply to each prompt.

    Args:
        model: A reference or an open model.
        prompts: Texts or conversations.
        sampling: How (None: `Sampling()`).
    """
    opened = open_model(model)
    return run(opened.generate(prompts, sampling or Sampling()))


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """Runs a coroutine to its end, also where an event loop is running already, as in a notebook."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with ThreadPoolExecutor(1) as executor:
        return executor.submit(asyncio.run, work).result()
