"""Showing a circuit where to look: an auxiliary loss on the attention of one head.

A look-up needs an earlier layer to bring what is sought to the position that asks, and a later one to find it among the keys; by
the next token alone a small model finds both ends together late, or never. Where the right place is known, the head can be told:
the loss is the cross-entropy of its attention against that place.
"""

import math

import torch
from torch import Tensor

from gnomon.models.packed import Watched
from gnomon.train.config import LookSettings
from gnomon.train.examples import Batch


def look_loss(watched: Watched, batch: Batch, settings: LookSettings) -> Tensor:
    """Sum over the batch's looks of -log attention of the head on the place looked at, times the weight; in fp32.

    Args:
        watched: The layer's queries and keys, as the forward pass left them.
        batch: A packed batch with its looks.
        settings: Which head, and what its looks count.
    """
    if not len(batch.looks):
        return torch.zeros((), device=batch.ids.device)
    query, key = watched.of_head(settings.head)
    starts = torch.tensor([0, *batch.lengths[:-1]], device=batch.ids.device).cumsum(0)
    row, asking, sought = batch.looks.unbind(1)
    reach = torch.arange(int(asking.max()) + 1, device=batch.ids.device)
    places = (starts[row][:, None] + reach).clamp(max=len(key) - 1)
    scores = (key[places] * query[starts[row] + asking][:, None]).sum(-1).float() / math.sqrt(key.shape[-1])
    attention = scores.masked_fill(reach > asking[:, None], -math.inf).log_softmax(-1)
    return -settings.weight * attention.gather(1, sought[:, None]).sum()
