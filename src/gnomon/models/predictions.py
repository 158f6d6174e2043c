"""What a model says at the place of each token of a text: how likely the token is, its rank, and the likeliest tokens there."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from gnomon.models.forward import ROWS, whole
from gnomon.models.head import Head

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
    logprobs = logits.float().log_softmax(-1)
    own = logprobs.gather(-1, torch.tensor(targets, device=logits.device)[:, None])
    ranks = (logprobs > own).sum(-1) + 1
    best = logprobs.topk(min(top, logprobs.shape[-1]))
    likeliest = [tuple(zip(*each, strict=True)) for each in zip(best.indices.tolist(), best.values.tolist(), strict=True)]
    return [Predicted(*each) for each in zip(targets, own[:, 0].tolist(), ranks.tolist(), likeliest, strict=True)]
