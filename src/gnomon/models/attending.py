"""Other attention inside a model of transformers: everything else in it stays as it is."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

Attend = Callable[..., tuple[Tensor, None]]
"""Of transformers' interface: module, query [1, heads, tokens, width], key, value, mask, settings; [1, tokens, heads, width]."""

PLAIN_KINDS = {"full_attention", "sliding_attention"}
"""Kinds of layers that attend to all tokens before, or to those in a sliding window."""


@contextmanager
def attending(module: nn.Module, name: str, attend: Attend) -> Generator[None]:
    """Lets `attend` be the model's attention; keyword arguments of its forward pass that it does not know come through to it.

    Args:
        module: A causal language model of transformers.
        name: A name for the attention, unique in the process.
        attend: The attention.
    """
    register(name, attend)
    chooser: Any = module
    before = chooser.config._attn_implementation
    chooser.set_attn_implementation(name)
    try:
        yield
    finally:
        chooser.set_attn_implementation(before)


def register(name: str, attend: Attend) -> None:
    """Makes an attention known to transformers, which makes masks for it as for its own fused kernel."""
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import sdpa_mask

    AttentionInterface.register(name, attend)
    AttentionMaskInterface.register(name, sdpa_mask)


def layer_kinds(module: nn.Module) -> set[str]:
    """The kinds of attention that the model's layers say they have."""
    config: Any = getattr(module, "config", None)
    return set(getattr(config, "layer_types", None) or ["full_attention"])
