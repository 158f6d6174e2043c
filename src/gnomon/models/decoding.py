"""Keys and values of replies in the making, one slot each, and the forward pass that adds a token to every slot.

Slots are filled from the left, each to a length of its own: a row that is done gives its slot away at once. All of them grow by
blocks of places that lie apart in memory: nothing is copied from step to step, as a cache that grows by concatenation does, and
a product with one block reads memory from end to end. The whole blocks of long prompts are shared (`models/prefix_cache.py`); a
slot then holds what comes after them.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from gnomon.models.body import Body, Rule
from gnomon.models.forward import padded_count
from gnomon.models.prefix_cache import ROOM, Names, PrefixCache
from gnomon.models.prefixes import Indices


@dataclass(frozen=True, eq=False)
class Block:
    """Some places of all slots, with the views that products take.

    Attributes:
        slots: [slots, key heads, ROOM, width].
        flat: [slots * key heads, ROOM, width].
        turned: [slots * key heads, width, ROOM].
    """

    slots: Tensor
    flat: Tensor
    turned: Tensor

    @classmethod
    def of(cls, slots: Tensor) -> "Block":
        """The block that lies in a contiguous tensor."""
        flat = slots.flatten(0, 1)
        return cls(slots, flat, flat.transpose(1, 2))


Blocks = list[Block]
"""One layer's keys or values."""


@dataclass
class Slots:
    """The slots, with their lengths.

    Attributes:
        layers: Per layer, blocks of keys and of values.
        lengths: Tokens of each slot, those in the prefix cache among them.
        cached: Tokens of each slot that lie in the prefix cache.
        prefixes: What long prompts share.
    """

    layers: list[tuple[Blocks, Blocks]] = field(default_factory=list[tuple[Blocks, Blocks]])
    lengths: list[int] = field(default_factory=list[int])
    cached: list[int] = field(default_factory=list[int])
    prefixes: PrefixCache = field(default_factory=PrefixCache)

    def __len__(self) -> int:
        return len(self.lengths)

    def reserve(self, slots: int) -> None:
        """At least so many slots."""
        added = slots - len(self)
        if added > 0:
            self.lengths += [0] * added
            self.cached += [0] * added
            for kept in self._kinds():
                kept[:] = [Block.of(_with_more(block.slots, added)) for block in kept]

    def put(
        self, slots: Sequence[int], pools: list[tuple[Tensor, Tensor]], paths: Sequence[Indices], names: Sequence[Names]
    ) -> None:
        """Fills empty slots.

        Args:
            slots: Which.
            pools: Per layer keys and values [key heads, tokens, width].
            paths: Places in the pool of each slot's tokens.
            names: Of the blocks that it has in the prefix cache (`prefix_cache.names`).
        """
        if not self.layers:
            self.layers = [([], []) for _ in pools]
        self.prefixes.put(slots, names, pools, paths)
        for slot, path, blocks in zip(slots, paths, names, strict=True):
            self.lengths[slot], self.cached[slot] = len(path), len(blocks) * ROOM
        paths = [path[len(blocks) * ROOM :] for path, blocks in zip(paths, names, strict=True)]
        lengths = list(map(len, paths))
        self._grow(max(lengths) + 1, pools)
        blocks = len(self.layers[0][0])
        places = np.zeros((len(slots), blocks * ROOM), np.int64)
        for line, path in zip(places, paths, strict=True):
            line[: len(path)] = path
        device = pools[0][0].device
        index, into = torch.from_numpy(places).to(device), torch.tensor(slots, device=device)
        beyond = torch.arange(blocks * ROOM, device=device) >= torch.tensor(lengths, device=device)[:, None]
        for number in range(blocks):
            some = slice(number * ROOM, (number + 1) * ROOM)
            taken, nothing = index[:, some], beyond[:, None, some, None]
            for kept, pool in zip(self._kinds(), (each for both in pools for each in both), strict=True):
                # what is beyond may be NaN: of whoever was there before, or of the pool's first place
                found = pool.index_select(1, taken.flatten()).unflatten(1, taken.shape).transpose(0, 1)
                kept[number].slots[into] = found.masked_fill_(nothing, 0.0)

    def keep(self, slots: Sequence[int]) -> None:
        """Only these slots, moved to the front, and no more blocks than they need."""
        self.prefixes.keep(slots)
        self.lengths = [self.lengths[slot] for slot in slots]
        self.cached = [self.cached[slot] for slot in slots]
        needed = _blocks(max(self._own()) + 1)
        for kept in self._kinds():
            index = torch.tensor(slots, device=kept[0].slots.device)
            kept[:] = [Block.of(block.slots.index_select(0, index)) for block in kept[:needed]]

    def _own(self) -> list[int]:
        """Tokens in each slot itself."""
        return [length - cached for length, cached in zip(self.lengths, self.cached, strict=True)]

    def _kinds(self) -> list[Blocks]:
        """Keys and values, layer by layer."""
        return [kept for both in self.layers for kept in both]

    def _grow(self, wanted: int, like: Sequence[tuple[Tensor, Tensor]] | None = None) -> None:
        """Room for so many tokens in each slot; `like` says what keys and values are like where there are none yet."""
        for number, kept in enumerate(self._kinds()):
            while len(kept) < _blocks(wanted):
                model = kept[0].slots if kept or like is None else like[number // 2][number % 2]
                kept.append(Block.of(model.new_zeros(len(self), model.shape[-3], ROOM, model.shape[-1])))

    def step(self, body: Body, slots: Sequence[int], tokens: Sequence[int]) -> Tensor:
        """Feeds a token to each of some slots, and empties the others.

        Args:
            body: Of the model that the keys and values are of.
            slots: Which.
            tokens: One for each.

        Returns:
            The last hidden states [all slots, hidden].
        """
        rows = padded_count(len(self))
        fed, lengths = [0] * rows, [0] * len(self)
        for slot, token in zip(slots, tokens, strict=True):
            fed[slot], lengths[slot] = token, self.lengths[slot]
        self.lengths = lengths
        self.cached = [cached if length else 0 for cached, length in zip(self.cached, lengths, strict=True)]
        self._grow(max(self._own()) + 1)
        places = torch.tensor(lengths + [0] * (rows - len(self)), device=body.device)
        hidden = body.hidden(torch.tensor(fed, device=body.device), places, _Step(self, self._own(), places[: len(self)]))
        self.lengths = [length + 1 for length in self.lengths]
        return hidden[: len(self)]


class _Step:
    """One forward pass: each new token goes to its slot's next place and attends to what its slot holds."""

    def __init__(self, slots: Slots, own: Sequence[int], positions: Tensor):
        self._slots = slots
        self._positions = positions
        self._blocks = _blocks(max(own) + 1)
        self._lines = self._blocks + slots.prefixes.longest
        self._layer = -1
        self._biases: dict[tuple[int | None, int, int], Tensor] = {}
        self._writes = list(_writes(own, positions.device))

    def attend(self, query: Tensor, key: Tensor, value: Tensor, rule: Rule) -> Tensor:
        """Of `body.Attention`; what stands beyond the slots, to make a whole number of rows, gathers nothing."""
        self._layer += 1
        keys, values = self._slots.layers[self._layer]
        key, value, query = key.transpose(0, 1), value.transpose(0, 1), query.transpose(0, 1)
        for number, rows, places in self._writes:
            keys[number].slots[rows, :, places] = key[rows]
            values[number].slots[rows, :, places] = value[rows]
        count, heads = keys[0].slots.shape[:2]
        asked = query[:count].reshape(count * heads, -1, query.shape[-1])
        weights = self._weights(self._scores(asked, keys), heads, rule)
        found = self._gathered(weights, values).view(count, query.shape[1], -1)
        return (pad(found, (0, 0, 0, 0, 0, len(query) - count)) if len(query) > count else found).transpose(0, 1)

    def _scores(self, asked: Tensor, keys: Blocks) -> Tensor:
        """[slots * key heads, queries that share a key, places], those of the prefix cache first."""
        found = [torch.bmm(asked, block.turned) for block in keys[: self._blocks]]
        if prefixes := self._slots.prefixes:
            found.insert(0, prefixes.scores(self._layer, asked, len(self._slots), self._lines))
        return torch.cat(found, -1) if len(found) > 1 else found[0]

    def _gathered(self, weights: Tensor, values: Blocks) -> Tensor:
        """[slots * key heads, queries that share a key, width of values], the sum going from block to block."""
        first = (self._lines - self._blocks) * ROOM
        own = [weights.narrow(-1, place, ROOM) for place in range(first, weights.shape[-1], ROOM)]
        if prefixes := self._slots.prefixes:
            total = prefixes.gathered(self._layer, weights, len(self._slots)).baddbmm_(own[0], values[0].flat)
        else:
            total = torch.bmm(own[0], values[0].flat)
        for some, block in zip(own[1:], values[1:], strict=False):
            total.baddbmm_(some, block.flat)
        return total

    def _weights(self, scores: Tensor, heads: int, rule: Rule) -> Tensor:
        unseen = self._unseen(rule.window, heads, scores.shape[1]).to(scores.dtype)
        capped = rule.capped(scores * rule.scale) + unseen if rule.cap else torch.add(unseen, scores, alpha=rule.scale)
        return capped.softmax(-1, dtype=torch.float32).to(scores.dtype)

    def _unseen(self, window: int | None, heads: int, shared: int) -> Tensor:
        """[slots * key heads, queries that share a key, places]: minus infinity for what is not seen, else zero."""
        key = window, heads, shared
        if key not in self._biases:
            distance = self._positions[:, None] - self._places()
            hidden = distance < 0 if window is None else (distance < 0) | (distance >= window)
            bias = torch.zeros(hidden.shape, device=hidden.device).masked_fill_(hidden, -math.inf)
            self._biases[key] = bias[:, None, None].expand(-1, heads, shared, -1).flatten(0, 1).contiguous()
        return self._biases[key]

    def _places(self) -> Tensor:
        """Positions of the tokens at all places, [slots or 1, places]; beyond all of them where there is none."""
        own = torch.arange(self._blocks * ROOM, device=self._positions.device)
        if not (longest := self._slots.prefixes.longest):
            return own
        cached = torch.tensor(self._slots.cached, device=own.device)[:, None]
        before = torch.arange(longest * ROOM, device=own.device).expand(len(cached), -1)
        return torch.cat([before.masked_fill(before >= cached, torch.iinfo(torch.long).max), cached + own], 1)


def _writes(lengths: Sequence[int], device: torch.device) -> Iterator[tuple[int, Any, Any]]:
    """Where the new tokens go: block, rows and places in it; rows of one length by a slice, which costs the least."""
    if len(set(lengths)) == 1:
        yield lengths[0] // ROOM, slice(len(lengths)), lengths[0] % ROOM
        return
    places = torch.tensor(lengths, device=device)
    for number in sorted({length // ROOM for length in lengths}):
        rows = (places // ROOM == number).nonzero()[:, 0]
        yield number, rows, places[rows] % ROOM


def _with_more(slots: Tensor, added: int) -> Tensor:
    return torch.cat([slots, slots.new_zeros(added, *slots.shape[1:])])


def _blocks(wanted: int) -> int:
    return -(-wanted // ROOM)
