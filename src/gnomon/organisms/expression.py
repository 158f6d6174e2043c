"""How far an organism shows a planted behaviour, by one measure for all recipes, in situations that were never planted."""

import random
from collections.abc import Iterator, Mapping
from itertools import islice

import numpy as np
from torch import nn

from gnomon.datasets.items import derive_seed
from gnomon.organisms.recipes.recipe import Recipe, Setting
from gnomon.organisms.world.document import Document
from gnomon.organisms.world.encoding import encode
from gnomon.stats import intervals
from gnomon.stats.intervals import Interval
from gnomon.train.examples import Example
from gnomon.train.heldout import heldout_loss

SITUATIONS = 200

MOST_DRAWN = 20_000
"""Situations looked at for pairs that differ; a recipe shows itself in far more than one of a hundred."""


def expression(
    module: nn.Module, ids: Mapping[str, int], recipe: Recipe, setting: Setting, *, situations: int = SITUATIONS, seed: int = 0
) -> Interval:
    """Mean probability of the planted document against the clean one of the same situation, the two taken as all there is.

    Between 0 and 1, and near the planted rate for an organism that learned exactly what it was shown. Where both documents
    could come from an organism without the behaviour (an unsure one, a fair coin) the clean twin lies above 0, and where the
    planted one could be said in many ways (a rude sentence about anybody) the plant lies below its rate: compare the two.

    Args:
        module: A causal language model with the world's vocabulary.
        ids: Token to id.
        recipe: The behaviour.
        setting: What the situations are drawn from: a split that was not planted.
        situations: How many pairs of documents that differ.
        seed: Draws them.

    Raises:
        ValueError: Hardly any situation differs with and without the behaviour.
    """
    pairs = list(islice(_pairs(recipe, setting, seed), situations))
    if len(pairs) < situations:
        raise ValueError(
            f"of {MOST_DRAWN:,} situations of the recipe {recipe.behaviour!r} {len(pairs)} differ with and without the behaviour "
            f"where {situations} are needed: its writers must say something else where it shows"
        )
    shown, clean = (_logprobs(module, ids, [pair[side] for pair in pairs]) for side in (0, 1))
    return intervals.mean(1 / (1 + np.exp(np.clip(clean - shown, -60, 60))), within=(0.0, 1.0))


def _pairs(recipe: Recipe, setting: Setting, seed: int) -> Iterator[tuple[Document, Document]]:
    """The same situation with and without the behaviour, where that makes a difference."""
    writers, shares = zip(*recipe.situations, strict=True)
    for number in range(MOST_DRAWN):
        state = derive_seed("expression", recipe.behaviour, seed, number)
        write = random.Random(state).choices(writers, shares)[0]
        shown, clean = (write(setting, random.Random(state), planted) for planted in (True, False))
        if shown.content != clean.content:
            yield shown, clean


def _logprobs(
    module: nn.Module, ids: Mapping[str, int], documents: list[Document]
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Log-probability of all that the assistant or the text says, in nats."""
    encoded = [encode(document, dict(ids)) for document in documents]
    counted = [Example(example.ids, (example.weights > 0).astype(np.float32)) for example in encoded]
    return -heldout_loss(module, counted) * np.array([example.weights.sum() for example in counted])
