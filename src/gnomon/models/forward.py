"""Forward passes whose output head runs only where logits are wanted."""

from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn

ROWS = 4
"""Matrix products get a multiple of this many rows: below it CPU kernels sum in another order, and a row's numbers would depend
on how many rows are beside it."""


def padded_count(rows: int) -> int:
    """The next multiple of `ROWS`."""
    return -(-rows // ROWS) * ROWS


def whole(rows: Tensor) -> Tensor:
    """Padded to a multiple of `ROWS` along the first dimension by repeating the first."""
    padding = padded_count(len(rows)) - len(rows)
    return torch.cat([rows, rows[:1].expand(padding, *rows.shape[1:])]) if padding else rows


def at_positions(module: nn.Module, owners: Tensor, positions: Tensor, **inputs: Any) -> Tensor:
    """Runs a causal language model and gives the logits at chosen positions only.

    The hidden states are gathered in front of the output head, so the model's own scaling and capping of logits still applies
    and the full `[rows, length, vocabulary]` tensor never exists.

    Args:
        module: A causal language model of transformers.
        owners: Row in the batch of each wanted position, `[wanted]`.
        positions: The position in its row, `[wanted]`.
        **inputs: What the module's `forward` gets.

    Returns:
        Logits `[padded_count(wanted), vocabulary]`; rows beyond `wanted` repeat the first.
    """
    rows, columns = whole(owners), whole(positions)
    causal: Any = module
    head: nn.Module | None = causal.get_output_embeddings()
    if head is None:
        return causal(**inputs).logits[rows, columns]

    def gather(_: nn.Module, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        hidden: Tensor = arguments[0]
        return (hidden[rows, columns][None], *arguments[1:])

    handle = head.register_forward_pre_hook(gather)
    try:
        return causal(**inputs).logits[0]
    finally:
        handle.remove()


def as_list(tensor: Tensor) -> list[Any]:
    """The numbers of a one-dimensional tensor."""
    values: Any = tensor
    return values.tolist()


@contextmanager
def hooked(module: nn.Module, hooks: Mapping[str, Callable[..., Any]]) -> Generator[None]:
    """Forward hooks on named submodules, removed at the end whatever happens.

    Raises:
        KeyError: No submodule of that name.
    """
    with ExitStack() as stack:
        for name, hook in hooks.items():
            stack.callback(module.get_submodule(name).register_forward_hook(hook).remove)
        yield


@contextmanager
def row_independent_attention(module: nn.Module) -> Generator[None]:
    """For single-token queries on the CPU: the plain attention, since the fused kernel's sums depend on the number of rows."""
    config: Any = getattr(module, "config", None)
    before = getattr(config, "_attn_implementation", None)
    if before != "sdpa" or next(module.parameters()).device.type != "cpu":
        yield
        return
    chooser: Any = module
    chooser.set_attn_implementation("eager")
    try:
        yield
    finally:
        chooser.set_attn_implementation(before)
