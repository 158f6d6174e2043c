"""Activations that transformers writes out in several operations, in one."""

from typing import Any

from torch import nn

WRITTEN_OUT = ("NewGELUActivation", "FastGELUActivation")
"""GELU by its hyperbolic tangent in five passes over memory: a quarter of a small GPT-2's time on a CPU."""


def fuse_activations(module: nn.Module) -> int:
    """Replaces them in place by the kernel of the same function; gives how many."""
    found = [
        (parent, name)
        for parent in module.modules()
        for name, child in parent.named_children()
        if type(child).__name__ in WRITTEN_OUT
    ]
    for parent, name in found:
        replacement: Any = nn.GELU(approximate="tanh")
        setattr(parent, name, replacement)
    return len(found)
