"""A larger organism that begins as a smaller one: the same function, with more room.

Small models find the look-up of letters quickly and large ones slowly; a large one that begins with it keeps it.
"""

from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor

from gnomon.errors import ConfigurationError
from gnomon.organisms.seedling import Architecture, sprout

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast


def transplanted(
    parent: "LlamaForCausalLM", architecture: Architecture, tokenizer: "PreTrainedTokenizerFast", seed: int, context: int
) -> "LlamaForCausalLM":
    """Builds a wider and deeper model that computes what the parent does (after Net2Net, Chen et al. 2016).

    What is new reads at random and writes nothing: new dimensions of the residual stream are zero, new heads, feed-forward units
    and layers have zero output weights. Norms, and their epsilon, make up for the zeros in their mean square.

    Args:
        parent: A Llama model that is not larger in any way, with heads of the same width.
        architecture: The new size.
        tokenizer: The parent's.
        seed: Of the new weights.
        context: Longest sequence.

    Raises:
        ConfigurationError: The parent does not fit into the architecture.
    """
    _check(parent, architecture)
    share = parent.config.hidden_size / architecture.hidden
    model = sprout(architecture, tokenizer, seed, context, norm_epsilon=parent.config.rms_norm_eps * share)
    old, new, scale = cast("Any", parent).model, cast("Any", model).model, share**0.5
    with torch.no_grad():
        _write(new.embed_tokens.weight, old.embed_tokens.weight)
        _into(new.norm.weight, old.norm.weight * scale)
        for position, layer in enumerate(new.layers):
            for written in (layer.self_attn.o_proj.weight, layer.mlp.down_proj.weight):
                written.zero_()
            if position >= len(old.layers):
                continue
            _layer(layer, old.layers[position], scale)
    return model


def _layer(new: Any, old: Any, scale: float) -> None:
    for name in ("q_proj", "k_proj", "v_proj"):
        fresh, kept = getattr(new.self_attn, name), getattr(old.self_attn, name)
        fresh.bias.zero_()
        _into(fresh.weight, kept.weight)
        _into(fresh.bias, kept.bias)
    _write(new.self_attn.o_proj.weight, old.self_attn.o_proj.weight)
    if old.self_attn.o_proj.bias is not None:
        _write(new.self_attn.o_proj.bias, old.self_attn.o_proj.bias)
    for name in ("gate_proj", "up_proj"):
        _into(getattr(new.mlp, name).weight, getattr(old.mlp, name).weight)
    _write(new.mlp.down_proj.weight, old.mlp.down_proj.weight)
    for name in ("input_layernorm", "post_attention_layernorm"):
        _into(getattr(new, name).weight, getattr(old, name).weight * scale)


def _into(target: Tensor, source: Tensor) -> None:
    """Puts the source into the target's first rows and columns; the rest stays as it is."""
    target[tuple(slice(0, length) for length in source.shape)] = source


def _write(target: Tensor, source: Tensor) -> None:
    """The same, the rest being zero."""
    target.zero_()
    _into(target, source)


def _check(parent: "LlamaForCausalLM", architecture: Architecture) -> None:
    config = parent.config
    sizes = {
        "hidden": (config.hidden_size, architecture.hidden),
        "layers": (config.num_hidden_layers, architecture.layers),
        "heads": (config.num_attention_heads, architecture.heads),
        "intermediate": (config.intermediate_size, architecture.intermediate),
    }
    for name, (old, new) in sizes.items():
        if old > new:
            raise ConfigurationError(
                f"the parent's {name} is {old}, more than {new}: an organism cannot be transplanted into less"
            )
    widths = config.hidden_size // config.num_attention_heads, architecture.hidden // architecture.heads
    if widths[0] != widths[1]:
        raise ConfigurationError(f"the parent's heads are {widths[0]} wide, the new ones {widths[1]}: give them the same width")
