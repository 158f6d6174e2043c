"""Logits only where they are needed.

On a CPU the [tokens, vocabulary] tensor costs more than the transformer of a small model, so the output head runs only on the
hidden states that predict a weighted token.
"""

import torch
from torch import Tensor, nn

from gnomon.models.forward import at_positions


class SelectiveLogits(nn.Module):
    """A causal language model that returns logits at chosen positions.

    Holds the model as its only child, so that whatever wraps it (autocast, DDP, FSDP) leaves the user's model as it is.
    """

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model

    def forward(self, ids: Tensor, row: Tensor, column: Tensor) -> Tensor:
        """Logits [n, vocabulary] at the positions (`row`, `column`), each [n], of the ids [rows, longest].

        Ids are padded on the right; causal attention never looks there, so there is no mask.
        """
        return at_positions(self.model, row, column, input_ids=ids, use_cache=False)[: len(row)]


def device_of(model: nn.Module) -> torch.device:
    """Where the model's first parameter lies."""
    return next(model.parameters()).device
