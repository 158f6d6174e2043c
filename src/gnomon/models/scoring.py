"""Exact log-probabilities of continuations: several continuations of one prefix in one row of one forward pass.

A row holds the tokens that all continuations begin with (the trunk), then each continuation's own tokens (the branches). In the
attention mask a branch sees the trunk and itself, and its positions go on from the trunk's, so each token is seen as in a
sequence of its own. One-token continuations have no branch at all: their logits lie at the trunk's last token. The output head
runs only at positions whose logits are wanted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from gnomon.models.forward import as_list, at_positions, padded_count
from gnomon.models.model import Score
from gnomon.models.tokenisation import Continuation, common_length


@dataclass(frozen=True)
class ScoreRow:
    """One row of a batch.

    Attributes:
        tokens: Trunk and branches.
        trunk: Length of the trunk.
        branches: Lengths of the branches that have tokens.
        wanted: Row indices of the positions that predict, continuation after continuation.
        targets: The tokens that they predict.
        counts: How many of them belong to each continuation.
    """

    tokens: tuple[int, ...]
    trunk: int
    branches: tuple[int, ...]
    wanted: tuple[int, ...]
    targets: tuple[int, ...]
    counts: tuple[int, ...]


def plan_row(continuations: Sequence[Continuation]) -> ScoreRow:
    """Lays continuations of one prefix out in one row. Each must have at least one scored token, with one before it."""
    fed = [continuation.ids[:-1] for continuation in continuations]
    trunk = fed[0]
    for other in fed[1:]:
        trunk = trunk[: common_length(trunk, other)]
    tokens = list(trunk)
    branches: list[int] = []
    wanted: list[int] = []
    for ids, continuation in zip(fed, continuations, strict=True):
        offset = len(tokens) - len(trunk)
        predicting = range(continuation.start - 1, len(ids))
        wanted += [index if index < len(trunk) else index + offset for index in predicting]
        branch = ids[len(trunk) :]
        tokens += branch
        if branch:
            branches.append(len(branch))
    return ScoreRow(
        tokens=tuple(tokens),
        trunk=len(trunk),
        branches=tuple(branches),
        wanted=tuple(wanted),
        targets=tuple(token for each in continuations for token in each.ids[each.start :]),
        counts=tuple(len(each.ids) - each.start for each in continuations),
    )


def is_tree(row: ScoreRow) -> bool:
    """Whether the row needs a mask of its own: with one branch at most it is a plain sequence."""
    return len(row.branches) > 1


def score_rows(module: nn.Module, rows: Sequence[ScoreRow], length: int) -> list[list[Score]]:
    """Scores rows, all of them trees or none.

    Args:
        module: A causal language model.
        rows: The batch.
        length: What to pad to; at least the longest row.

    Returns:
        For each row a score per continuation, in order.
    """
    device = next(module.parameters()).device
    ids = torch.zeros(len(rows), length, dtype=torch.long)
    for index, row in enumerate(rows):
        ids[index, : len(row.tokens)] = torch.tensor(row.tokens)
    extra: dict[str, Any] = _tree_inputs(module, rows, length) if is_tree(rows[0]) else {}
    owners = torch.tensor([index for index, row in enumerate(rows) for _ in row.wanted])
    positions = torch.tensor([position for row in rows for position in row.wanted])
    targets = torch.tensor([token for row in rows for token in row.targets], device=device)
    logits = at_positions(module, owners, positions, input_ids=ids.to(device), use_cache=False, **extra)
    logprobs, greedy = _read(logits, targets)
    return _split(rows, logprobs, greedy)


def _tree_inputs(module: nn.Module, rows: Sequence[ScoreRow], length: int) -> dict[str, Tensor]:
    """Additive mask `[rows, 1, length, length]` and positions `[rows, length]`."""
    parameter = next(module.parameters())
    mask = torch.empty(len(rows), 1, length, length, dtype=parameter.dtype)
    positions = torch.arange(length).repeat(len(rows), 1)
    causal = torch.ones(length, length, dtype=torch.bool).tril()
    for index, row in enumerate(rows):
        allowed = causal.clone()
        begin = row.trunk
        for branch in row.branches:
            end = begin + branch
            allowed[end:, begin:end] = False
            positions[index, begin:end] = torch.arange(row.trunk, row.trunk + branch)
            begin = end
        positions[index, begin:] = 0
        mask[index, 0] = torch.where(allowed, 0.0, torch.finfo(parameter.dtype).min)
    return {"attention_mask": mask.to(parameter.device), "position_ids": positions.to(parameter.device)}


def _read(logits: Tensor, targets: Tensor) -> tuple[list[float], list[bool]]:
    """Log-probability of each target and whether no other token is likelier; logits may have padding rows at the end."""
    rows = padded_count(len(targets))
    padded = torch.nn.functional.pad(targets, (0, rows - len(targets)))
    logits = logits.float()
    logprobs = logits.log_softmax(-1).gather(-1, padded[:, None])[:, 0]
    greedy = logits.gather(-1, padded[:, None])[:, 0] >= logits.amax(-1)
    return as_list(logprobs[: len(targets)]), as_list(greedy[: len(targets)])


def _split(rows: Sequence[ScoreRow], logprobs: list[float], greedy: list[bool]) -> list[list[Score]]:
    scores: list[list[Score]] = []
    begin = 0
    for row in rows:
        scores.append([])
        for count in row.counts:
            end = begin + count
            scores[-1].append(_score(tuple(logprobs[begin:end]), all(greedy[begin:end])))
            begin = end
    return scores


def _score(logprobs: tuple[float, ...], greedy: bool) -> Score:
    total = sum(logprobs)
    if not float("-inf") < total < float("inf"):
        return Score(None, reason="the model's log-probability is not a finite number")
    return Score(total, logprobs, greedy)
