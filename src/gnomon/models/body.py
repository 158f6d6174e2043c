"""A causal language model below its output head, run on tokens of many sequences at once with an attention of our own.

What is asked of a model of transformers: that it reads position ids, calls its attention through transformers' interface, and
hands keyword arguments that it does not know through to it. `tree_probe` finds out by trying.
"""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from gnomon.models.attending import register
from gnomon.models.products import PackedWeights
from gnomon.models.traced import Attend, TracedPass

NAME = "gnomon"


@dataclass(frozen=True)
class Rule:
    """How a layer attends.

    Attributes:
        scale: Factor of the scores.
        window: How many tokens are seen, the asking one among them (None: all before).
        cap: Soft cap of the scores (None: none).
    """

    scale: float
    window: int | None = None
    cap: float | None = None

    def capped(self, scores: Tensor) -> Tensor:
        """The scores under the soft cap."""
        return scores if self.cap is None else torch.tanh(scores / self.cap) * self.cap


class Attention(Protocol):
    """One forward pass: it is asked layer by layer."""

    def attend(self, query: Tensor, key: Tensor, value: Tensor, rule: Rule) -> Tensor:
        """What the new tokens gather.

        Args:
            query: [heads, tokens, width].
            key: [key heads, tokens, width].
            value: [key heads, tokens, width of values].
            rule: The layer's.

        Returns:
            [heads, tokens, width of values].
        """
        ...


@dataclass(frozen=True, repr=False)
class Body:
    """A model with what its passes need.

    Attributes:
        module: A causal language model of transformers, in evaluation mode.
        weights: Its weights, packed.
        device: Where they lie.
        configs: The configurations that its layers read.
    """

    module: nn.Module
    weights: PackedWeights
    device: torch.device
    configs: tuple[Any, ...]

    @classmethod
    def of(cls, module: nn.Module) -> "Body":
        """The body of a model whose weights do not change from now on."""
        register(NAME, _attend)
        found = [getattr(each, "config", None) for each in module.modules()]
        configs = {id(config): config for config in found if hasattr(config, "_attn_implementation_internal")}
        return cls(module, PackedWeights(module), next(module.parameters()).device, tuple(configs.values()))

    def hidden(self, tokens: Tensor, positions: Tensor, attention: Attention) -> Tensor:
        """The last hidden states [tokens, hidden] of tokens [tokens] at positions [tokens]."""
        return self._traced(tokens, positions, attention.attend)

    @cached_property
    def _traced(self) -> TracedPass:
        causal: Any = self.module
        return TracedPass(self._by_modules, causal.base_model, causal.get_input_embeddings().weight.shape[0])

    def _by_modules(self, tokens: Tensor, positions: Tensor, attend: Attend) -> Tensor:
        causal: Any = self.module
        with self._attending(), self.weights.used():
            out = causal.base_model(
                input_ids=tokens[None],
                position_ids=positions[None],
                attention_mask=tokens.new_zeros(1, 1, 1, 1),  # of four dimensions: transformers makes none of its own
                use_cache=False,
                asked=attend,
            )
        return out.last_hidden_state[0]

    @contextmanager
    def _attending(self) -> Generator[None]:
        """As `attending`, without the search for configurations, which costs as much as a small model's step."""
        before = [config._attn_implementation_internal for config in self.configs]
        for config in self.configs:
            config._attn_implementation_internal = NAME
        try:
            yield
        finally:
            for config, name in zip(self.configs, before, strict=True):
                config._attn_implementation_internal = name


def _attend(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    asked: Attend,
    scaling: float | None = None,
    sliding_window: int | None = None,
    softcap: float | None = None,
    **_: Any,
) -> tuple[Tensor, None]:
    rule = Rule(query.shape[-1] ** -0.5 if scaling is None else scaling, sliding_window, softcap)
    return asked(query[0], key[0], value[0], rule).transpose(0, 1)[None], None
