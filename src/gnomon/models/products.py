"""Matrix products with a model's weights on the CPU: laid out once as oneDNN wants them.

torch's own products of float32 go through a library that does not know every processor and is poor at few rows: with packed
weights a body's products take five sixths of the time, an output head's for one to four rows a third. A row's numbers do not
depend on how many rows are beside it, from two rows on (asserted by the tests).
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

SMALLEST = 1 << 17
"""Weights with fewer entries are left alone: their products cost no more than the calls."""


def pack(weight: Tensor) -> Tensor | None:
    """A copy of a weight [out, in] in oneDNN's layout; None where it has none for it."""
    operations: Any = torch.ops.mkldnn
    usable = weight.device.type == "cpu" and weight.dtype == torch.float32 and weight.numel() >= SMALLEST
    if not usable or not torch.backends.mkldnn.is_available() or not hasattr(operations, "_linear_pointwise"):
        return None
    try:
        return operations._reorder_linear_weight(weight.detach().contiguous(), 64)
    except (RuntimeError, AttributeError):
        return None


def product(rows: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Rows [..., in] times a weight [out, in], packed or as it is, plus bias: [..., out]."""
    operations: Any = torch.ops.mkldnn
    return operations._linear_pointwise(rows, weight, bias, "none", [], "")


class PackedWeights:
    """The packed weights of a model's linear layers.

    Args:
        module: The model; its weights must not change from now on.
    """

    def __init__(self, module: nn.Module):
        layers: list[tuple[Any, Tensor | None]] = [(layer, _weight(layer)) for layer in module.modules()]
        found = [(layer, pack(weight)) for layer, weight in layers if weight is not None]
        self._layers = [(layer, _forward(layer.bias, packed)) for layer, packed in found if packed is not None]

    @contextmanager
    def used(self) -> Generator[None]:
        """Lets the linear layers multiply with the packed weights; only without gradients.

        Layers whose `forward` somebody else has replaced, as `accelerate` does, stay as they are.
        """
        replaced = [(vars(layer), forward) for layer, forward in self._layers if "forward" not in vars(layer)]
        for attributes, forward in replaced:  # past the module's own setattr, which costs as much as a small product
            attributes["forward"] = forward
        try:
            yield
        finally:
            for attributes, _ in replaced:
                del attributes["forward"]


def _forward(bias: Tensor | None, packed: Tensor) -> Callable[[Tensor], Tensor]:
    def forward(rows: Tensor) -> Tensor:
        return product(rows, packed, bias)

    return forward


def _weight(layer: Any) -> Tensor | None:
    """The weight [out, in] of a linear layer, GPT-2's transposed ones among them; None for anything else."""
    if type(layer) is nn.Linear:
        return layer.weight
    return layer.weight.T if type(layer).__name__ == "Conv1D" else None
