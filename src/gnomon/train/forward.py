"""Logits only where they are needed.

On a CPU the [tokens, vocabulary] tensor costs more than the transformer of a small model. So the inner model runs on everything
and the output head only on the hidden states that predict a weighted token.
"""

from typing import cast

import torch
from torch import Tensor, nn

# Architectures that change the head's output afterwards name it so in their configuration; they take the plain way.
_CHANGES_LOGITS = ("final_logit_softcapping", "logits_scaling", "logit_scale", "lm_head_multiplier", "output_multiplier_scale")


class SelectiveLogits(nn.Module):
    """A causal language model that returns logits at chosen positions.

    Holds the model as its only child, so that whatever wraps it (autocast, DDP, FSDP) leaves the user's model as it is.
    """

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model

    def forward(self, ids: Tensor, position: Tensor) -> Tensor:
        """Logits [n, vocabulary] at `position` [n] of the flattened ids [rows, longest]."""
        causal = _causal_model(self.model)
        inner, head = _inner_model(causal), _head(causal)
        if inner is None or head is None or _changes_logits(causal):
            logits = cast(Tensor, self.model(input_ids=ids, use_cache=False).logits)
            return logits.flatten(0, 1)[position]
        hidden = cast(Tensor, inner(input_ids=ids, use_cache=False).last_hidden_state)
        return cast(Tensor, head(hidden.flatten(0, 1)[position]))


def _causal_model(model: nn.Module) -> nn.Module:
    """The transformers model inside a peft wrapper (whose layers carry the adapter), or the model itself."""
    return cast(nn.Module, model.get_base_model()) if hasattr(model, "get_base_model") else model  # type: ignore[operator]


def _inner_model(causal: nn.Module) -> nn.Module | None:
    inner = getattr(causal, str(getattr(causal, "base_model_prefix", "")), None)
    return inner if isinstance(inner, nn.Module) and inner is not causal else None


def _head(causal: nn.Module) -> nn.Module | None:
    get = getattr(causal, "get_output_embeddings", None)
    head = get() if callable(get) else None
    return head if isinstance(head, nn.Module) else None


def _changes_logits(causal: nn.Module) -> bool:
    config = getattr(causal, "config", None)
    return any(getattr(config, name, None) not in (None, 1, 1.0) for name in _CHANGES_LOGITS)


def device_of(model: nn.Module) -> torch.device:
    """Where the model's first parameter lies."""
    return next(model.parameters()).device
