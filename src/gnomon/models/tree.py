"""A forward pass over chunks of a prefix tree: new tokens attend to their own path, wherever in the pool it lies.

A token's numbers depend on its path alone, not on what else is in the chunk or which of its prefix was computed before: keys are
read in the order of the path, sums over values go block by block, and what a query does not see stands behind what it sees. On a
CPU in float32 they are bit for bit the same (asserted by the tests).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from gnomon.models.body import Body, Rule
from gnomon.models.forward import ROWS
from gnomon.models.prefixes import BLOCK, Chunk, Group, Indices

MOST_SCORES = 1 << 24
"""Most attention scores, queries times keys times heads, that are held at a time."""


@dataclass(frozen=True)
class _Indexed:
    """A group's places and what each query does not see, on the device; `partly`: whether some of the head is not seen."""

    head: Tensor
    queries: Tensor
    keys: Tensor
    placed: Tensor
    distance: Tensor
    hidden: Tensor
    partly: bool

    @classmethod
    def of(cls, group: Group, device: torch.device) -> "_Indexed":
        queries, keys = (torch.from_numpy(places) for places in (group.queries, group.keys))
        branch, position = (torch.from_numpy(each) for each in (group.key_branch, group.key_position))
        asking_branch = torch.from_numpy(group.query_branch)[:, :, None]
        asking = torch.from_numpy(group.query_position)[:, :, None]
        head = torch.arange(len(group.head)).expand(len(queries), -1)
        distance = asking - torch.cat([head, position], 1)[:, None]
        of_others = (branch[:, None] != 0) & (branch[:, None] != asking_branch)
        hidden = distance < 0
        hidden[:, :, len(group.head) :] |= of_others
        hidden &= (queries >= 0)[:, :, None]  # what stands for nothing sees everything, so that it is a number
        return cls(
            head=torch.from_numpy(group.head).to(device),
            queries=queries.clamp(min=0).flatten().to(device),
            keys=torch.where(keys < 0, keys[:, :1], keys).flatten().to(device),  # a row's NaN must not reach another
            placed=(queries.flatten() >= 0).nonzero()[:, 0].to(device),
            distance=distance.to(device),
            hidden=hidden.to(device),
            partly=bool(hidden[:, :, : len(group.head)].any()),
        )


@dataclass
class Pass:
    """One forward pass: what to attend to, and the keys and values that it leaves.

    Attributes:
        groups: How the new tokens attend.
        carried: Per layer, keys and values [tokens, heads, width] that the pool begins with.
        pools: Per layer, the keys and values of the whole pool, filled by the pass.
    """

    groups: tuple[_Indexed, ...]
    carried: Sequence[tuple[Tensor, Tensor]]
    pools: list[tuple[Tensor, Tensor]] = field(default_factory=list[tuple[Tensor, Tensor]])

    def attend(self, query: Tensor, key: Tensor, value: Tensor, rule: Rule) -> Tensor:
        """Of `body.Attention`."""
        keys, values = self._pooled(*_apart_if_broken(key, value))
        out = query.new_zeros(*query.shape[:2], value.shape[-1])
        for group in self.groups:
            _attend_group(out, query, keys, values, group, rule)
        return out

    def _pooled(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """The layer's pool, given its new keys and values."""
        layer, fresh = len(self.pools), (key, value)
        if self.carried:
            fresh = torch.cat([self.carried[layer][0], key]), torch.cat([self.carried[layer][1], value])
        self.pools.append(fresh)
        return fresh

    def kept(self, places: Indices) -> list[tuple[Tensor, Tensor]]:
        """Copies of keys and values at places of the pool, per layer."""
        if not len(places) or not self.pools:
            return []
        index = torch.from_numpy(places).to(self.pools[0][0].device)
        return [(keys.index_select(0, index), values.index_select(0, index)) for keys, values in self.pools]


def hidden_states(body: Body, chunk: Chunk, carried: Sequence[tuple[Tensor, Tensor]]) -> tuple[Tensor, Pass]:
    """The last hidden state of every new token, [tokens, hidden], and the pass that computed them.

    Args:
        body: Of a model that takes trees (`tree_probe`).
        chunk: What to compute.
        carried: Keys and values at `chunk.carried` of the pool before, per layer.
    """
    device = body.device
    state = Pass(tuple(_Indexed.of(group, device) for group in chunk.groups), carried)
    tokens, positions = (torch.from_numpy(each).to(device) for each in (chunk.tokens, chunk.positions))
    return body.hidden(tokens, positions, state), state


def _apart_if_broken(key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
    """Values that are not numbers become zero and their keys NaN: whoever sees the token gets NaN, and nobody else.

    What is not seen has weight zero, and zero times NaN is NaN.
    """
    if bool(value.sum().isfinite()):
        return key, value
    broken = ~value.isfinite().flatten(1).all(1)[:, None, None]
    return key.masked_fill(broken, math.nan), value.masked_fill(broken, 0.0)


def _attend_group(out: Tensor, asked: Tensor, keys: Tensor, values: Tensor, group: _Indexed, rule: Rule) -> None:
    """Writes the group's attention to `out` [tokens, heads, width]."""
    rows, places, seen = group.distance.shape
    query = asked.index_select(0, group.queries).unflatten(0, (rows, places)).transpose(1, 2)
    head = tuple(pool.index_select(0, group.head).transpose(0, 1) for pool in (keys, values))
    own = tuple(pool.index_select(0, group.keys).unflatten(0, (rows, -1)).transpose(1, 2) for pool in (keys, values))
    hidden = group.hidden if rule.window is None else group.hidden | (group.distance >= rule.window)
    partly = group.partly or rule.window is not None
    step = max(ROWS, MOST_SCORES // (rows * asked.shape[1] * seen) // ROWS * ROWS)
    attended: list[Tensor] = []
    for begin in range(0, places, step):
        some = slice(begin, begin + step)
        attended.append(_attention(query[:, :, some], head, own, hidden[:, None, some], partly, rule))
    flat = torch.cat(attended, 2).transpose(1, 2).flatten(0, 1)
    out.index_copy_(0, group.queries[group.placed], flat.index_select(0, group.placed))


def _attention(query: Tensor, head: Sequence[Tensor], own: Sequence[Tensor], hidden: Tensor, partly: bool, rule: Rule) -> Tensor:
    """Attention of [rows, heads, queries, width] to a head [key heads, h, width] that all share and to keys of their own.

    Args:
        query: [rows, heads, queries, width].
        head: Keys and values [key heads, h, width].
        own: Keys and values [rows, key heads, k, width].
        hidden: [rows, 1, queries, h + k], what is not seen.
        partly: Whether some of the head is not seen.
        rule: The layer's; its window is in `hidden`.

    Returns:
        [rows, heads, queries, width].
    """
    rows, heads, queries, _ = query.shape
    shared = heads // own[0].shape[1]
    grouped = (query * rule.scale).unflatten(1, (-1, shared)).flatten(2, 3)  # queries of heads that share keys stand together
    length = head[0].shape[1]
    scores = _masked(torch.matmul(grouped, own[0].transpose(-1, -2)), hidden[..., length:], shared, rule)
    if length:
        together = grouped.transpose(0, 1).flatten(1, 2)
        before = torch.bmm(together, head[0].transpose(-1, -2)).unflatten(1, (rows, -1)).transpose(0, 1)
        scores = torch.cat([_masked(before, hidden[..., :length] if partly else None, shared, rule), scores], -1)
    weights = scores.softmax(-1, dtype=torch.float32).to(query.dtype)
    return _weighted(weights, head[1], own[1]).unflatten(2, (shared, queries)).flatten(1, 2)


def _masked(scores: Tensor, hidden: Tensor | None, shared: int, rule: Rule) -> Tensor:
    """Scores [rows, key heads, shared * queries, keys], capped, minus infinity where `hidden` [rows, 1, queries, keys]."""
    scores = rule.capped(scores)
    if hidden is not None:
        scores.unflatten(2, (shared, -1)).masked_fill_(hidden[:, None], -math.inf)
    return scores


def _weighted(weights: Tensor, head: Tensor, own: Tensor) -> Tensor:
    """Sum of values [rows, key heads, queries, width], block by block in the order of the path."""
    rows, heads, queries, _ = weights.shape
    total: Tensor | None = None
    length, width = head.shape[1:]
    for begin in range(0, length, BLOCK):
        part = weights[..., begin : begin + BLOCK].transpose(0, 1).flatten(1, 2)
        each = torch.bmm(part, head[:, begin : begin + BLOCK])
        total = each if total is None else total.add_(each)
    if total is not None:
        total = total.unflatten(1, (rows, queries)).transpose(0, 1).flatten(0, 1)
    values, weighed = own.flatten(0, 1), weights.flatten(0, 1)
    for begin in range(0, own.shape[2], BLOCK):
        each = torch.bmm(weighed[..., length + begin : length + begin + BLOCK], values[:, begin : begin + BLOCK])
        total = each if total is None else total + each
    assert total is not None
    return total.view(rows, heads, queries, width)
