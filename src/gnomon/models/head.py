"""The output head where only the log-probabilities of known tokens are wanted: the [tokens, vocabulary] logits never exist."""

import math
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gnomon.models.forward import whole
from gnomon.models.products import pack, product

MOST_ROWS = 1024
"""Hidden states per product: with `COLUMNS` words their logits stay in the processor's cache."""
COLUMNS = 1024
ACCELERATOR_COLUMNS = 1 << 15


@dataclass(frozen=True)
class Head:
    """An output head.

    Attributes:
        weight: [vocabulary, hidden].
        bias: [vocabulary], or None.
        scale: Factor of the logits.
        cap: Their soft cap (None: none).
        packed: The weight as `products.pack` lays it out (None: it does not).
    """

    weight: Tensor
    bias: Tensor | None
    scale: float = 1.0
    cap: float | None = None
    packed: Tensor | None = None

    @classmethod
    def of(cls, module: nn.Module) -> "Head | None":
        """The head of a causal language model of transformers; None where it has none of its own."""
        causal: Any = module
        linear = causal.get_output_embeddings()
        if linear is None:
            return None
        config = causal.config.get_text_config() if hasattr(causal.config, "get_text_config") else causal.config
        scale = getattr(config, "logit_scale", None) or 1.0 / (getattr(config, "logits_scaling", None) or 1.0)
        cap = getattr(config, "final_logit_softcapping", None)
        return cls(linear.weight, getattr(linear, "bias", None), float(scale), cap, pack(linear.weight))

    def logits(self, hidden: Tensor) -> Tensor:
        """Logits [n, vocabulary] of hidden states [n, hidden], in float32."""
        if self.packed is not None:
            return self._finished(product(hidden, self.packed, self.bias))
        return self._finished(F.linear(hidden, self.weight, self.bias).float())

    def _columns(self, hidden: Tensor, begin: int, end: int) -> Tensor:
        bias = None if self.bias is None else self.bias[begin:end]
        if self.packed is not None:
            return self._finished(product(hidden, self.weight[begin:end], bias))
        return self._finished(F.linear(hidden, self.weight[begin:end], bias).float())

    def _finished(self, logits: Tensor) -> Tensor:
        if self.scale != 1.0:
            logits = logits * self.scale
        return logits if self.cap is None else torch.tanh(logits / self.cap) * self.cap

    def read(self, hidden: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Log-probability of each target token and whether no other is likelier.

        Args:
            hidden: [n, hidden].
            targets: [n].

        Returns:
            [n] in nats, float32, NaN or infinite where the model's numbers are; and [n] booleans.
        """
        found = [self._read(*some) for some in zip(hidden.split(MOST_ROWS), targets.split(MOST_ROWS), strict=True)]
        logprobs, greedy = zip(*found, strict=True)
        return torch.cat(logprobs), torch.cat(greedy)

    def _read(self, hidden: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        count = len(hidden)
        hidden, targets = (whole(each) for each in (hidden, targets))
        columns = COLUMNS if hidden.device.type == "cpu" else ACCELERATOR_COLUMNS
        most = torch.full((len(hidden), 1), -math.inf, device=hidden.device)
        total = torch.zeros_like(most)
        chosen = torch.zeros_like(most)
        for begin in range(0, len(self.weight), columns):
            logits = self._columns(hidden, begin, begin + columns)
            here = (targets >= begin) & (targets < begin + columns)
            place = (targets - begin).clamp(0, logits.shape[1] - 1)[:, None]
            chosen = torch.where(here[:, None], logits.gather(1, place), chosen)
            most, before = torch.maximum(most, logits.amax(-1, keepdim=True)), most
            total = total * (before - most).exp() + logits.sub_(most).exp_().sum(-1, keepdim=True)
        logprobs = chosen - most - total.log()
        return logprobs[:count, 0], (chosen >= most)[:count, 0]
