"""Objectives: pure functions from what the model predicted to a loss.

The loop knows nothing of the method it serves: it asks for the logits at the positions that carry weight, hands them over with
labels, weights and the examples' scores (rewards, reference log-probabilities, margins ...), and follows the gradient.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Predictions:
    """What an objective sees of one micro-batch of `rows` examples with n weighted positions.

    Attributes:
        logits: [n, vocabulary], the prediction of each weighted token.
        labels: [n], the token that stands there.
        weights: [n], its weight, never 0.
        row: [n], which example of the micro-batch it belongs to.
        scores: [rows, k], the examples' own numbers, k the same for all.
    """

    logits: Tensor
    labels: Tensor
    weights: Tensor
    row: Tensor
    scores: Tensor


@dataclass(frozen=True, slots=True)
class Loss:
    """A sum and what to divide it by, kept apart so that micro-batches add up exactly.

    Attributes:
        total: Scalar with a gradient: the sum over the objective's units (tokens, pairs, replies).
        count: Scalar without one: their number or total weight.
    """

    total: Tensor
    count: Tensor


Objective = Callable[[Predictions], Loss]


def token_losses(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy in nats of each position, in fp32: [n, vocabulary], [n] -> [n]."""
    return F.cross_entropy(logits.float(), labels, reduction="none")


def next_token(logits: Tensor, labels: Tensor, weights: Tensor) -> Loss:
    """Weighted next-token cross-entropy in fp32.

    Args:
        logits: [n, vocabulary].
        labels: [n].
        weights: [n], not negative.

    Returns:
        Sum of weight times nats, over the sum of weights.
    """
    weights = weights.float()
    return Loss((token_losses(logits, labels) * weights).sum(), weights.sum())


def language_modelling(predictions: Predictions) -> Loss:
    """The default objective: `next_token` on a micro-batch."""
    return next_token(predictions.logits, predictions.labels, predictions.weights)


def sequence_logprobs(predictions: Predictions) -> Tensor:
    """Weighted log-probability of each example, [rows]: what preference and policy objectives are made of."""
    logprobs = -token_losses(predictions.logits, predictions.labels) * predictions.weights.float()
    rows = predictions.scores.shape[0]
    return torch.zeros(rows, dtype=logprobs.dtype, device=logprobs.device).index_add(0, predictions.row, logprobs)
