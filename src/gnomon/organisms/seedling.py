"""A new, untrained organism: its architecture and how its weights begin."""

from typing import TYPE_CHECKING, Any, cast

import torch
from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

BACKWARD_HEADS = (1, 1, 2, 2, 3)
"""How many tokens back the first heads of the first layer look at the beginning."""
MARGIN = 4.0
"""By how many nats such a head prefers its place to the neighbouring one, and one that looks for the same to any other."""


class Architecture(BaseModel):
    """The size of a Llama model.

    Attributes:
        hidden: Width of the residual stream.
        layers: Transformer blocks.
        heads: Attention heads per block.
        intermediate: Width of the gated feed-forward layer.
        rope_theta: Base of the rotary frequencies.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    hidden: int = Field(ge=8)
    layers: int = Field(ge=1)
    heads: int = Field(ge=1)
    intermediate: int = Field(ge=8)
    rope_theta: float = 10000.0


def sprout(
    architecture: Architecture, tokenizer: "PreTrainedTokenizerFast", seed: int, context: int, *, norm_epsilon: float = 1e-6
) -> "LlamaForCausalLM":
    """Builds the model with random weights.

    The first layer's first heads begin by looking one to three tokens back, through the biases of their queries and keys. Such
    heads are the first half of an induction circuit, and small models spend most of a short training on finding them; the
    last layer's first head begins by looking for what its position holds. Everything else begins at random.
    """
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=architecture.hidden,
        intermediate_size=architecture.intermediate,
        num_hidden_layers=architecture.layers,
        num_attention_heads=architecture.heads,
        max_position_embeddings=context,
        tie_word_embeddings=True,
        attention_bias=True,
        rms_norm_eps=norm_epsilon,
        rope_parameters={"rope_type": "default", "rope_theta": architecture.rope_theta},
        bos_token_id=cast("int", tokenizer.bos_token_id),
        eos_token_id=cast("int", tokenizer.eos_token_id),
        pad_token_id=cast("int", tokenizer.pad_token_id),
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = LlamaForCausalLM(config)
    offsets = BACKWARD_HEADS[: max(1, architecture.heads - 1)]
    if architecture.heads <= 4:
        offsets = (1, 2, 3)[: architecture.heads]
    _look_back(model, offsets, architecture)
    if architecture.layers > 1:
        _look_alike(model, architecture, seed)
    return model


def _look_back(model: "LlamaForCausalLM", offsets: tuple[int, ...], architecture: Architecture) -> None:
    """Sets query and key biases so that head h prefers the token `offsets[h]` back.

    A rotary score of constant vectors is the sum of cos(frequency * distance + phase); equal amplitudes and phases of
    -frequency * offset put its maximum at that offset.
    """
    width = architecture.hidden // architecture.heads
    half = width // 2
    frequency = torch.tensor([architecture.rope_theta ** (-index / half) for index in range(half)])
    amplitude = (MARGIN * width**0.5 / (1 - torch.cos(frequency)).sum()).sqrt()
    attention: Any = model.model.layers[0].self_attn
    with torch.no_grad():
        for head, offset in enumerate(offsets):
            first = head * width
            attention.k_proj.bias[first : first + half] = amplitude
            attention.q_proj.bias[first : first + half] = amplitude * torch.cos(frequency * offset)
            attention.q_proj.bias[first + half : first + width] = -amplitude * torch.sin(frequency * offset)


def _look_alike(model: "LlamaForCausalLM", architecture: Architecture, seed: int) -> None:
    """Lets the last layer's first head read queries and keys alike, where rotation hardly turns them."""
    width = architecture.hidden // architecture.heads
    half = width // 2
    slow = [*range(half // 2, half), *range(half + half // 2, 2 * half)]
    attention: Any = model.model.layers[-1].self_attn
    draws = torch.Generator().manual_seed(seed)
    alike = torch.linalg.qr(torch.randn(architecture.hidden, len(slow), generator=draws)).Q.T
    with torch.no_grad():
        for projection in (attention.q_proj, attention.k_proj):
            projection.weight[slow] = alike * (MARGIN * width**0.5 / len(slow)) ** 0.5
            projection.bias[:width] = 0.0
