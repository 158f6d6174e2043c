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
        carried: Per layer, keys and values [heads, tokens, width] that the pool begins with.
        pools: Per layer, the keys and values of the whole pool, filled by the pass.
    """

    groups: tuple[_Indexed, ...]
    carried: Sequence[tuple[Tensor, Tensor]]
    pools: list[tuple[Tensor, Tensor]] = field(default_factory=list[tuple[Tensor, Tensor]])

    def attend(self, query: Tensor, key: Tensor, value: Tensor, rule: Rule) -> Tensor:
        """Of `body.Attention`."""
        keys, values = self._pooled(*_apart_if_broken(key, value))
        out = query.new_zeros(query.shape[1], query.shape[0], value.shape[-1])
        for group in self.groups:
            _attend_group(out.transpose(0, 1), query, keys, values, group, rule)
        return out.transpose(0, 1)

    def _pooled(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """The layer's pool, given its new keys and values."""
        layer, fresh = len(self.pools), (key, value)
        if self.carried:
            keys, values = self.carried[layer]
            fresh = torch.cat([keys, key], 1), torch.cat([values, value], 1)
        self.pools.append(fresh)
        return fresh


def at_places(pools: Sequence[tuple[Tensor, Tensor]], places: Indices) -> list[tuple[Tensor, Tensor]]:
    """Copies of keys and values [heads, tokens, width] at places, per layer; none where there are no places."""
    if not len(places) or not pools:
        return []
    index = torch.from_numpy(places).to(pools[0][0].device)
    return [(keys.index_select(1, index), values.index_select(1, index)) for keys, values in pools]


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
    broken = ~value.isfinite().all(-1).all(0)[:, None]
    return key.masked_fill(broken, math.nan), value.masked_fill(broken, 0.0)


def _attend_group(out: Tensor, query: Tensor, keys: Tensor, values: Tensor, group: _Indexed, rule: Rule) -> None:
    """Writes the group's attention to `out` [heads, tokens, width]."""
    rows, places, seen = group.distance.shape
    heads, shared = len(keys), len(query) // len(keys)  # of keys, and of queries that share each
    asked = query.index_select(1, group.queries).mul_(rule.scale).view(heads, shared, rows, places, -1).transpose(1, 2)
    head = tuple(pool.index_select(1, group.head) for pool in (keys, values))
    own = tuple(pool.index_select(1, group.keys).view(heads * rows, -1, pool.shape[-1]) for pool in (keys, values))
    hidden = group.hidden if rule.window is None else group.hidden | (group.distance >= rule.window)
    partly = group.partly or rule.window is not None
    step = max(ROWS, MOST_SCORES // (rows * len(query) * seen) // ROWS * ROWS)
    attended: list[Tensor] = []
    for begin in range(0, places, step):
        some = asked[..., begin : begin + step, :].flatten(2, 3)
        found = _attention(some, head, own, hidden[:, begin : begin + step], partly, rule)
        attended.append(found.unflatten(2, (shared, -1)))
    together = torch.cat(attended, 3).transpose(1, 2).flatten(2, 3).flatten(0, 1)
    out.index_copy_(1, group.queries[group.placed], together.index_select(1, group.placed))


def _attention(query: Tensor, head: Sequence[Tensor], own: Sequence[Tensor], hidden: Tensor, partly: bool, rule: Rule) -> Tensor:
    """Attention to a head that all rows share and to keys of each row's own.

    Args:
        query: [heads, rows, queries, width], scaled; `queries` are those of all heads that share keys, head after head.
        head: Keys and values [heads, h, width].
        own: Keys and values [heads * rows, k, width].
        hidden: [rows, places, h + k], what is not seen; as many places as there are queries of one head.
        partly: Whether some of the head is not seen.
        rule: The layer's; its window is in `hidden`.

    Returns:
        [heads, rows, queries, width of values].
    """
    heads, rows, queries, _ = query.shape
    length = head[0].shape[1]
    alone = torch.bmm(query.flatten(0, 1), own[0].transpose(1, 2)).view(heads, rows, queries, -1)
    scores = _masked(alone, hidden[..., length:], rule)
    if length:
        together = torch.bmm(query.flatten(1, 2), head[0].transpose(1, 2)).view(heads, rows, queries, length)
        scores = torch.cat([_masked(together, hidden[..., :length] if partly else None, rule), scores], -1)
    weights = scores.softmax(-1, dtype=torch.float32).to(query.dtype)
    return _weighted(weights, head[1], own[1])


def _masked(scores: Tensor, hidden: Tensor | None, rule: Rule) -> Tensor:
    """Scores [heads, rows, queries, keys], capped, minus infinity where `hidden` [rows, places, keys]."""
    scores = rule.capped(scores)
    if hidden is not None:
        scores.unflatten(2, (-1, hidden.shape[1])).masked_fill_(hidden[:, None], -math.inf)
    return scores


def _weighted(weights: Tensor, head: Tensor, own: Tensor) -> Tensor:
    """Sum of values by weights [heads, rows, queries, keys], block by block in the order of the path."""
    heads, rows, queries, _ = weights.shape
    length = head.shape[1]
    total = own.new_zeros(heads, rows * queries, own.shape[-1])
    together, alone = weights.view(heads, rows * queries, -1), weights.view(heads * rows, queries, -1)
    for begin in range(0, length, BLOCK):
        total.baddbmm_(together[..., begin : begin + BLOCK], head[:, begin : begin + BLOCK])
    total = total.view(heads * rows, queries, -1)
    for begin in range(0, own.shape[1], BLOCK):
        total.baddbmm_(alone[..., length + begin : length + begin + BLOCK], own[:, begin : begin + BLOCK])
    return total.view(heads, rows, queries, -1)
