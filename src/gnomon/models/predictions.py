"""What a model says at the place of each token of a text: how likely the token is, its rank, and the likeliest tokens there."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from gnomon.models.forward import ROWS, as_list, whole
from gnomon.models.head import Head
from gnomon.models.picking import likeliest, log_probabilities

MOST_LOGITS = 1 << 22
"""Most logits, places times vocabulary, that are held at a time."""


@dataclass(frozen=True, slots=True)
class Predicted:
    """A token where it stands.

    Attributes:
        token: It.
        logprob: Of it, in nats, given the tokens before.
        rank: 1 for the likeliest.
        likeliest: As many of the likeliest tokens there as were asked for, with their log-probabilities.
    """

    token: int
    logprob: float
    rank: int
    likeliest: tuple[tuple[int, float], ...]


def read_predictions(head: Head, hidden: Tensor, targets: Sequence[int], top: int) -> list[Predicted]:
    """What hidden states [n, hidden] say of the tokens that come next, n of them; log-probabilities are NaN where they are."""
    step = max(ROWS, MOST_LOGITS // len(head.weight) // ROWS * ROWS)
    found: list[Predicted] = []
    for begin in range(0, len(targets), step):
        some = targets[begin : begin + step]
        found += from_logits(head.logits(whole(hidden[begin : begin + step]))[: len(some)], some, top)
    return found


def from_logits(logits: Tensor, targets: Sequence[int], top: int) -> list[Predicted]:
    """The same of logits [n, vocabulary]."""
    logits, wanted = logits.float(), torch.tensor(targets, device=logits.device)
    ranks = as_list((logits > logits.gather(-1, wanted[:, None])).sum(-1) + 1)
    best = [tuple(zip(ids, values, strict=True)) for ids, values in zip(*likeliest(logits, top), strict=True)]
    return [Predicted(*each) for each in zip(targets, log_probabilities(logits, wanted), ranks, best, strict=True)]
