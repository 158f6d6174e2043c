"""Logits only where they are needed, and no work on padding.

On a CPU the [tokens, vocabulary] tensor costs more than the transformer of a small model, so the output head runs only on the
hidden states that predict a weighted token. Examples are packed into one row where the model allows it (`models/packed.py`).
"""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from gnomon.errors import ConfigurationError
from gnomon.models.forward import at_positions
from gnomon.models.packed import Watched, packed_attention, packed_inputs, packs
from gnomon.train.examples import Batch


class SelectiveLogits(nn.Module):
    """A causal language model that returns logits at the positions of a batch that predict a weighted token.

    Holds the model as its only child, so that whatever wraps it (autocast, DDP, FSDP) leaves the user's model as it is.

    Attributes:
        packed: Whether examples are packed into one row; otherwise they are padded.
        watched: A layer whose queries and keys are kept, where examples are packed.
    """

    def __init__(self, model: nn.Module, pad_id: int = 0, *, packed: bool = False, watched: Watched | None = None):
        super().__init__()
        self.model = model
        self.pad_id = pad_id
        self.packed = packed
        self.watched = watched

    def forward(self, batch: Batch) -> Tensor:
        """Logits [n, vocabulary] of the batch's n weighted tokens."""
        wanted = len(batch.row)
        if self.packed:
            starts = torch.tensor([0, *batch.lengths[:-1]], device=batch.ids.device).cumsum(0)
            places = starts[batch.row] + batch.column
            inputs = packed_inputs(batch.ids, batch.lengths, self.watched)
            return at_positions(self.model, torch.zeros_like(places), places, **inputs)[:wanted]
        # Padded on the right, where causal attention never looks: there is no mask.
        sequences = list(torch.split(batch.ids, list(batch.lengths)))
        ids = nn.utils.rnn.pad_sequence(sequences, batch_first=True, padding_value=self.pad_id)
        return at_positions(self.model, batch.row, batch.column, input_ids=ids, use_cache=False)[:wanted]


@contextmanager
def selective_logits(model: nn.Module, pad_id: int = 0, watched: int | None = None) -> Generator[SelectiveLogits]:
    """The model with packed examples where it allows them, padded ones otherwise; its attention is put back at the end.

    Args:
        model: A causal language model.
        pad_id: Any valid token id.
        watched: A layer whose queries and keys are to be kept, counted from the end where negative.

    Raises:
        ConfigurationError: A layer shall be watched, and the model's examples cannot be packed.
    """
    if not packs(model):
        if watched is not None:
            raise ConfigurationError("this model's examples cannot be packed, so no head of it can be shown where to look")
        yield SelectiveLogits(model, pad_id)
        return
    causal: Any = model
    layer = None if watched is None else Watched(watched % causal.config.num_hidden_layers)
    with packed_attention(model):
        yield SelectiveLogits(model, pad_id, packed=True, watched=layer)


def device_of(model: nn.Module) -> torch.device:
    """Where the model's first parameter lies."""
    return next(model.parameters()).device
