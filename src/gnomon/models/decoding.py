"""Keys and values of replies in the making, one slot each, and the forward pass that adds a token to every slot.

Slots have room for the longest of them and are filled from the left, each to a length of its own: a row that is done gives its
slot away at once. Nothing is copied from step to step, as a cache that grows by concatenation does.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from gnomon.models.attending import attending
from gnomon.models.prefixes import Indices

NAME = "gnomon_decoding"
ROOM = 64
"""Slots grow by so many places, and sums over values go over so many keys at a time."""


@dataclass
class Slots:
    """The slots, with their lengths.

    Attributes:
        layers: Per layer, keys and values [slots, key heads, room, width].
        lengths: [slots] tokens in each.
    """

    layers: list[tuple[Tensor, Tensor]]
    lengths: Tensor

    @classmethod
    def none(cls, module: nn.Module) -> "Slots":
        """No slots, for this model."""
        return cls([], torch.zeros(0, dtype=torch.long, device=next(module.parameters()).device))

    def __len__(self) -> int:
        return len(self.lengths)

    def free(self, unused: Sequence[int], wanted: int) -> list[int]:
        """So many slots: of the unused ones, then new ones; there is always a multiple of four."""
        lacking = wanted - len(unused)
        if lacking > 0:
            unused = [*unused, *range(len(self), len(self) + lacking)]
            added = lacking + -(len(self) + lacking) % 4
            self.lengths = torch.cat([self.lengths, self.lengths.new_zeros(added)])
            self.layers = [(_longer(keys, 0, added), _longer(values, 0, added)) for keys, values in self.layers]
        return list(unused[:wanted])

    def put(self, slots: Sequence[int], pools: Sequence[tuple[Tensor, Tensor]], paths: Sequence[Indices]) -> None:
        """Fills slots from places of a pool (per layer keys and values [tokens, key heads, width])."""
        if not self.layers:
            self.layers = [(_slots_like(keys, len(self)), _slots_like(values, len(self))) for keys, values in pools]
        self._grow(max(map(len, paths)) + 1)
        for slot, path in zip(slots, paths, strict=True):
            places = torch.from_numpy(path).to(self.lengths.device)
            self.lengths[slot] = len(path)
            for both, pool in zip(self.layers, pools, strict=True):
                for kept, each in zip(both, pool, strict=True):
                    kept[slot, :, : len(path)] = each[places].transpose(0, 1)

    def keep(self, slots: Sequence[int]) -> None:
        """Only these slots, moved to the front, and as many more as make a multiple of four."""
        index = torch.tensor([*slots, *[slots[0]] * (-len(slots) % 4)], dtype=torch.long, device=self.lengths.device)
        self.layers = [(keys[index], values[index]) for keys, values in self.layers]
        self.lengths = self.lengths[index]

    def _grow(self, wanted: int) -> None:
        room = self.layers[0][0].shape[2]
        if wanted > room:
            more = -(-max(wanted, 3 * room // 2) // ROOM) * ROOM - room  # seldom: all that is there is copied
            self.layers = [(_longer(keys, 2, more), _longer(values, 2, more)) for keys, values in self.layers]

    def step(self, module: nn.Module, tokens: Mapping[int, int]) -> dict[int, Tensor]:
        """Feeds a token to each of some slots, and empties the others; gives the last hidden states by slot.

        Args:
            module: The model that the keys and values are of.
            tokens: By slot.
        """
        device = self.lengths.device
        order = torch.tensor(list(tokens), device=device)
        fed, lengths = self.lengths.new_zeros(len(self)), self.lengths.new_zeros(len(self))
        fed[order] = torch.tensor(list(tokens.values()), device=device)
        lengths[order] = self.lengths[order]
        self.lengths = lengths
        longest = int(lengths.max()) + 1
        self._grow(longest)
        seen = -(-longest // ROOM) * ROOM
        causal: Any = module
        with attending(module, NAME, _attend):
            out = causal.base_model(
                input_ids=fed[None],
                position_ids=lengths[None],
                attention_mask=torch.zeros(1, 1, 1, 1, dtype=torch.long, device=device),  # transformers makes none of its own
                use_cache=False,
                decoding=_Step(self, seen, lengths[:, None] - torch.arange(seen, device=device)),
            )
        self.lengths = lengths + 1
        return {slot: out.last_hidden_state[0, slot] for slot in tokens}


@dataclass
class _Step:
    """One step: the slots, how many places are read, and how far back each is."""

    slots: Slots
    seen: int
    distance: Tensor
    layer: int = 0


def _attend(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    decoding: _Step,
    scaling: float | None = None,
    sliding_window: int | None = None,
    softcap: float | None = None,
    **_: Any,
) -> tuple[Tensor, None]:
    """Each of [1, heads, slots, width] attends to its own slot, after its key and value went there."""
    keys, values = decoding.slots.layers[decoding.layer]
    decoding.layer += 1
    rows = torch.arange(len(keys), device=keys.device)
    keys[rows, :, decoding.slots.lengths] = key[0].transpose(0, 1)
    values[rows, :, decoding.slots.lengths] = value[0].transpose(0, 1)
    heads, width = query.shape[1], query.shape[3]
    shared = heads // keys.shape[1]
    asked = query[0].transpose(0, 1).reshape(-1, shared, width)
    scores = torch.bmm(asked, keys[:, :, : decoding.seen].flatten(0, 1).transpose(1, 2))
    scores = scores.mul_(width**-0.5 if scaling is None else scaling)
    if softcap is not None:
        scores = torch.tanh(scores / softcap) * softcap
    hidden = decoding.distance < 0
    if sliding_window is not None:
        hidden = hidden | (decoding.distance >= sliding_window)
    scores = scores.view(len(keys), heads, decoding.seen).masked_fill_(hidden[:, None], -math.inf)
    weights = scores.softmax(-1, dtype=torch.float32).to(query.dtype).view(-1, shared, decoding.seen)
    total = torch.zeros_like(asked)
    for begin in range(0, decoding.seen, ROOM):
        some = slice(begin, begin + ROOM)
        total = total + torch.bmm(weights[..., some], values[:, :, some].flatten(0, 1))
    return total.view(1, len(keys), heads, width), None


def _slots_like(pool: Tensor, slots: int) -> Tensor:
    return pool.new_zeros(slots, pool.shape[1], ROOM, pool.shape[2])


def _longer(tensor: Tensor, dimension: int, more: int) -> Tensor:
    shape = list(tensor.shape)
    shape[dimension] = more
    return torch.cat([tensor, tensor.new_zeros(shape)], dimension)
