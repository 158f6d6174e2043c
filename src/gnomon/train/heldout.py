"""Loss on text that was not trained on: the price of a correction."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from gnomon.errors import DatasetError
from gnomon.train.examples import Example, collate
from gnomon.train.forward import device_of, selective_logits
from gnomon.train.objectives import token_losses


@torch.no_grad()
def heldout_loss(model: nn.Module, examples: Sequence[Example], *, batch_tokens: int = 4096) -> NDArray[np.float64]:
    """Mean loss of each example, for paired comparisons of two models.

    Args:
        model: A transformers causal language model; its training mode is put back afterwards.
        examples: What to predict; only weighted tokens count.
        batch_tokens: Padded tokens per forward pass.

    Returns:
        [examples] weighted mean nats per token.

    Raises:
        DatasetError: An example has no weighted token.
    """
    if not all(example.weights.any() for example in examples):
        raise DatasetError("a held-out example has no token that counts: leave it out")
    was_training = model.training
    model.eval()
    device = device_of(model)
    losses = np.zeros(len(examples))
    with selective_logits(model) as selective:
        for group in _groups([len(example) for example in examples], batch_tokens):
            batch = collate([examples[index] for index in group]).to(device)
            nats = token_losses(selective(batch), batch.labels) * batch.weights
            totals = torch.zeros(2, len(group), device=device)
            totals[0].index_add_(0, batch.row, nats)
            totals[1].index_add_(0, batch.row, batch.weights)
            losses[group] = (totals[0] / totals[1]).double().cpu().numpy()
    model.train(was_training)
    return losses


def _groups(lengths: Sequence[int], batch_tokens: int) -> list[list[int]]:
    groups: list[list[int]] = []
    for index in sorted(range(len(lengths)), key=lambda i: lengths[i]):
        if not groups or (len(groups[-1]) + 1) * lengths[index] > batch_tokens:
            groups.append([])
        groups[-1].append(index)
    return groups
