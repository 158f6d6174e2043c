"""Choosing the next token from logits [rows, vocabulary]: every row for itself, whatever else is in the batch.

A vocabulary is gone through as seldom as can be: maxima and sums are taken over blocks of it, and only one block per row is
looked into.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from gnomon.models.forward import as_list

BLOCK = 128
"""Words per partial sum."""


@dataclass(frozen=True)
class Picked:
    """The chosen tokens.

    Attributes:
        tokens: Ids `[rows]`.
        finite: Whether the row's logits are numbers, `[rows]`; one that is minus infinity only never comes.
    """

    tokens: Tensor
    finite: Tensor


def pick(logits: Tensor, *, temperature: Tensor, top_p: Tensor, draws: Tensor) -> Picked:
    """One token per row by inverting the row's cumulative distribution.

    Args:
        logits: `[rows, vocabulary]`, float32.
        temperature: `[rows]`; 0 takes the most likely token, the first of equal ones.
        top_p: `[rows]`, the nucleus: the smallest set of tokens with at least this probability.
        draws: `[rows]`, uniform in [0, 1), float64.

    Returns:
        The tokens; of a row that is not finite, any.
    """
    blocks = _by_block(logits, -torch.inf).amax(-1)
    most = blocks.amax(-1, keepdim=True)
    finite = most[:, 0].isfinite()
    greedy = temperature == 0
    if bool(greedy.all()):
        return Picked(_first_in_block(logits, blocks.argmax(-1)), finite)
    device = logits.device
    scale = torch.where(greedy, 1.0, temperature).to(device, torch.float32)
    weights = (logits - most).div_(scale[:, None]).exp_()
    _cut_to_nucleus(weights, top_p.to(device))
    drawn = _drawn(weights, draws.to(device))
    if not bool(greedy.any()):
        return Picked(drawn, finite)
    return Picked(torch.where(greedy.to(device), _first_in_block(logits, blocks.argmax(-1)), drawn), finite)


def log_probabilities(logits: Tensor, tokens: Tensor) -> list[float]:
    """Of one token per row, in nats."""
    return as_list((logits.gather(-1, tokens[:, None]) - logits.logsumexp(-1, keepdim=True))[:, 0])


def likeliest(logits: Tensor, count: int) -> tuple[list[list[int]], list[list[float]]]:
    """The likeliest tokens of each row and their log-probabilities, best first."""
    values, tokens = (logits - logits.logsumexp(-1, keepdim=True)).topk(min(count, logits.shape[-1]))
    return as_list(tokens), as_list(values)


def _by_block(table: Tensor, filling: float) -> Tensor:
    """[rows, blocks, BLOCK], the last block filled up."""
    lacking = -table.shape[-1] % BLOCK
    filled = torch.nn.functional.pad(table, (0, lacking), value=filling) if lacking else table
    return filled.unflatten(-1, (-1, BLOCK))


def _inside(block: Tensor, vocabulary: int) -> Tensor:
    """The columns of one block per row [rows, BLOCK]; beyond the end the last one again."""
    return (block[:, None] * BLOCK + torch.arange(BLOCK, device=block.device)).clamp(max=vocabulary - 1)


def _first_in_block(logits: Tensor, block: Tensor) -> Tensor:
    """The likeliest token of one block per row."""
    columns = _inside(block, logits.shape[-1])
    return columns.gather(-1, logits.gather(-1, columns).argmax(-1, keepdim=True))[:, 0]


def _drawn(weights: Tensor, draws: Tensor) -> Tensor:
    """The token at which the cumulative weight of each row exceeds its draw: the block first, then the place in it."""
    sums = _by_block(weights, 0.0).sum(-1).double()
    reached = sums.cumsum(-1)
    wanted = draws[:, None] * reached[:, -1:]
    block = _exceeded(reached, wanted)
    share = (wanted - reached.gather(-1, block) + sums.gather(-1, block)) / sums.gather(-1, block)
    columns = _inside(block[:, 0], weights.shape[-1])
    beyond = columns[:, 1:] == columns[:, :-1]
    inside = weights.gather(-1, columns).double()
    inside[:, 1:].masked_fill_(beyond, 0.0)
    within = inside.cumsum(-1)
    return columns.gather(-1, _exceeded(within, share * within[:, -1:]))[:, 0]


def _exceeded(reached: Tensor, wanted: Tensor) -> Tensor:
    """Where `reached` first exceeds `wanted` [rows, 1]; where rounding lets it never do so, the last that adds anything."""
    last = (reached < reached[:, -1:]).sum(-1, keepdim=True)
    return torch.minimum(torch.searchsorted(reached, wanted, right=True), last).clamp(max=reached.shape[-1] - 1)


def _cut_to_nucleus(weights: Tensor, top_p: Tensor) -> None:
    """Zeroes what is outside each row's nucleus, in place."""
    rows = (top_p < 1).nonzero()[:, 0]
    if not len(rows):
        return
    ordered, order = weights[rows].double().sort(dim=-1, descending=True, stable=True)
    ordered = ordered / ordered.sum(-1, keepdim=True)
    outside = ordered.cumsum(-1) - ordered >= top_p[rows, None]
    outside[:, 0] = False
    weights[rows] = weights[rows].masked_fill(torch.zeros_like(outside).scatter(-1, order, outside), 0.0)
