"""Keys and values of long prompts, in blocks that are kept once for all slots whose prompts begin with them.

Samples of one prompt, and prompts with the same examples or system text in front, read what they share once per step, in one
product for all of them. A product of one row and one of several differ in their last bits, those of a multiple of four rows do
not: so the blocks of a long prompt are read by at least four rows, whether somebody shares them or not, and a row's numbers do
not depend on its company.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import groupby

import numpy as np
import torch
from torch import Tensor

from gnomon.models.forward import ROWS
from gnomon.models.prefixes import Indices

ROOM = 64
"""Tokens of a block."""
LONG = 4 * ROOM
"""Shorter prompts have no blocks here: their keys are copied for each slot."""

Layers = list[tuple[Tensor, Tensor]]
"""Per layer, keys and values."""
Names = tuple[bytes, ...]
"""Of a prompt's blocks: the same where all tokens up to a block's end are the same."""


def cached(length: int) -> int:
    """How many tokens of a prompt of so many lie in the cache."""
    return length // ROOM * ROOM if length >= LONG else 0


def names(prompt: Sequence[int]) -> Names:
    """The names of a prompt's blocks."""
    made: list[bytes] = []
    tokens, before = np.array(prompt[: cached(len(prompt))], np.int64), b""
    for block in tokens.reshape(-1, ROOM):
        before = blake2b(before + block.tobytes(), digest_size=16).digest()
        made.append(before)
    return tuple(made)


@dataclass(eq=False)
class _Block:
    """Some tokens of a prompt.

    Attributes:
        number: Which block of the prompt.
        readers: Slots whose prompts have it.
        width: How many may read it where it lies (0: it lies nowhere yet).
        place: Its place on the group of that width.
    """

    number: int
    readers: list[int] = field(default_factory=list[int])
    width: int = 0
    place: int = -1


@dataclass
class _Group:
    """Blocks that up to so many slots read.

    Attributes:
        layers: Keys [places, key heads, width, ROOM], as products take them, and values [places, key heads, ROOM, width].
        blocks: What lies at each place.
    """

    layers: Layers = field(default_factory=Layers)
    blocks: list[_Block | None] = field(default_factory=list[_Block | None])

    def put(self, blocks: Sequence[_Block], layers: Layers) -> None:
        """Puts blocks with their keys and values to free places, and makes as many as are lacking."""
        free = [place for place, block in enumerate(self.blocks) if block is None][: len(blocks)]
        lacking = len(blocks) - len(free)
        free += range(len(self.blocks), len(self.blocks) + lacking)
        self.blocks += [None] * lacking
        for place, block in zip(free, blocks, strict=True):
            self.blocks[place], block.place = block, place
        if len(free) == len(self.blocks):
            self.layers = layers
            return
        into = torch.tensor(free, device=layers[0][0].device)
        for number, (both, fresh) in enumerate(zip(self.layers, layers, strict=True)):
            grown = [torch.cat([each, each.new_zeros(lacking, *each.shape[1:])]) if lacking else each for each in both]
            self.layers[number] = (grown[0].index_copy_(0, into, fresh[0]), grown[1].index_copy_(0, into, fresh[1]))


@dataclass(frozen=True)
class _Index:
    """Where the rows of a group's products come from and go to; the first dimension of each is places * key heads * rows.

    Attributes:
        queries: Rows of the queries.
        scores: Rows of the table of scores, ROOM entries each.
        weights: Rows of the table of weights, whose lines are longer.
        sums: Rows of the table of sums, block number by block number.
    """

    queries: Tensor
    scores: Tensor
    weights: Tensor
    sums: Tensor


class PrefixCache:
    """The blocks of all slots."""

    def __init__(self) -> None:
        self._blocks: dict[bytes, _Block] = {}
        self._names: dict[int, Names] = {}
        self._groups: dict[int, _Group] = {}
        self._indices: dict[tuple[int, ...], list[tuple[_Group, _Index]]] = {}

    def __len__(self) -> int:
        return len(self._blocks)

    @property
    def longest(self) -> int:
        """Blocks of the longest prompt."""
        return max(map(len, self._names.values()), default=0)

    def lacking(self, wanted: Iterable[bytes]) -> set[bytes]:
        """Those blocks that are not there."""
        return {name for name in wanted if name not in self._blocks}

    def put(self, slots: Sequence[int], given: Sequence[Names], pools: Layers, paths: Sequence[Indices]) -> None:
        """Notes what slots read now, and takes from a pool (keys and values [key heads, tokens, width]) what is not there yet."""
        self.leave(slots)
        self._indices.clear()
        fresh: dict[bytes, Indices] = {}
        for slot, prompt, path in zip(slots, given, paths, strict=True):
            if not prompt:
                continue
            self._names[slot] = prompt
            for number, name in enumerate(prompt):
                if name not in self._blocks:
                    self._blocks[name] = _Block(number)
                    fresh[name] = path[number * ROOM : (number + 1) * ROOM]
                self._blocks[name].readers.append(slot)
        touched = [self._blocks[name] for name in dict.fromkeys(name for prompt in given for name in prompt)]
        narrow = [block for block in touched if 0 < block.width < _width(block)]
        new = [self._blocks[name] for name in fresh]
        for width, blocks in _by_width(narrow):
            self._place(width, blocks, self._lifted(blocks))
        for width, blocks in _by_width(new):
            wanted = {id(block) for block in blocks}
            places = [place for name, place in fresh.items() if id(self._blocks[name]) in wanted]
            self._place(width, blocks, _cut(pools, np.concatenate(places)))

    def leave(self, slots: Iterable[int]) -> None:
        """Slots are empty; blocks that nobody reads any more are given up."""
        for slot in slots:
            for name in self._names.pop(slot, ()):
                self._indices.clear()
                block = self._blocks[name]
                block.readers.remove(slot)
                if not block.readers:
                    self._groups[block.width].blocks[block.place] = None
                    del self._blocks[name]

    def keep(self, slots: Sequence[int]) -> None:
        """Only these slots, under new numbers; every block moves to the group that fits it."""
        self.leave([slot for slot in self._names if slot not in set(slots)])
        self._indices.clear()
        renamed = {slot: number for number, slot in enumerate(slots)}
        self._names = {renamed[slot]: prompt for slot, prompt in self._names.items()}
        for block in self._blocks.values():
            block.readers = [renamed[slot] for slot in block.readers]
        before = [(width, blocks, self._lifted(blocks)) for width, blocks in _by_width(list(self._blocks.values()))]
        self._groups = {}
        for width, blocks, layers in before:
            self._place(width, blocks, layers)

    def scores(self, layer: int, asked: Tensor, slots: int, lines: int) -> Tensor:
        """Scores of queries with all blocks of their prompts.

        Args:
            layer: Which.
            asked: [slots * key heads, queries that share a key, width].
            slots: How many there are.
            lines: Blocks of the longest line of weights, those of the slots themselves among them.

        Returns:
            [slots * key heads, queries that share a key, longest * ROOM], zero where there is no block.
        """
        shared = asked.shape[1]
        heads = len(asked) // slots
        table = asked.new_zeros((slots + 1) * heads * shared * self.longest, ROOM)
        rows = asked.flatten(0, 1)
        for group, index in self._read(slots, heads, shared, lines):
            keys = group.layers[layer][0].flatten(0, 1)
            found = torch.bmm(rows.index_select(0, index.queries).view(len(keys), -1, rows.shape[-1]), keys)
            table.index_copy_(0, index.scores, found.view(-1, ROOM))
        return table.view((slots + 1) * heads, shared, -1)[:-heads]

    def gathered(self, layer: int, weights: Tensor, slots: int) -> Tensor:
        """Sums of values by weights, block after block of each prompt.

        Args:
            layer: Which.
            weights: [slots * key heads, queries that share a key, places], the blocks' places first.
            slots: How many there are.

        Returns:
            [slots * key heads, queries that share a key, width of values].
        """
        shared = weights.shape[1]
        heads, lines = len(weights) // slots, weights.shape[2] // ROOM
        rows = weights.view(-1, ROOM)
        every = (slots + 1) * heads * shared
        sums: Tensor | None = None
        for group, index in self._read(slots, heads, shared, lines):
            values = group.layers[layer][1].flatten(0, 1)
            found = torch.bmm(rows.index_select(0, index.weights).view(len(values), -1, ROOM), values)
            if sums is None:
                sums = weights.new_zeros(self.longest * every, values.shape[-1])
            sums.index_copy_(0, index.sums, found.view(-1, values.shape[-1]))
        assert sums is not None
        first, *others = sums.view(self.longest, every, -1)[:, : -heads * shared]
        for each in others:
            first.add_(each)
        return first.view(slots * heads, shared, -1)

    def _read(self, slots: int, heads: int, shared: int, lines: int) -> list[tuple[_Group, _Index]]:
        """The groups on which something lies, with where their rows come from."""
        key = slots, heads, shared, lines
        if key not in self._indices:
            used = [(width, group) for width, group in sorted(self._groups.items()) if any(group.blocks)]
            self._indices[key] = [(group, self._index(width, group, *key)) for width, group in used]
        return self._indices[key]

    def _index(self, width: int, group: _Group, slots: int, heads: int, shared: int, lines: int) -> _Index:
        readers = np.full((len(group.blocks), width), slots)  # one slot more than there are takes what is nobody's
        numbers = np.zeros((len(group.blocks), 1, 1, 1), np.int64)
        for place, block in enumerate(group.blocks):
            if block is not None:
                readers[place, : len(block.readers)], numbers[place] = block.readers, block.number

        def rows(of: Indices) -> Indices:
            """[places, key heads, readers, queries that share a key]."""
            return (of[:, None, :, None] * heads + np.arange(heads)[:, None, None]) * shared + np.arange(shared)

        into, out_of = rows(readers), rows(np.minimum(readers, slots - 1))
        device = group.layers[0][0].device
        every = (slots + 1) * heads * shared
        queries, scores, weights, sums = (
            torch.from_numpy(np.ascontiguousarray(each).reshape(-1)).to(device)
            for each in (out_of, into * self.longest + numbers, out_of * lines + numbers, numbers * every + into)
        )
        return _Index(queries, scores, weights, sums)

    def _place(self, width: int, blocks: Sequence[_Block], layers: Layers) -> None:
        for block in blocks:
            block.width = width
        self._groups.setdefault(width, _Group()).put(blocks, layers)

    def _lifted(self, blocks: list[_Block]) -> Layers:
        """The keys and values of blocks, whose places are free now; the blocks are sorted by the groups they come from."""
        blocks.sort(key=lambda block: block.width)
        groups = [(self._groups[width], list(some)) for width, some in groupby(blocks, key=lambda block: block.width)]
        for group, some in groups:
            for block in some:
                group.blocks[block.place] = None

        def taken(layer: int, kind: int) -> Tensor:
            kept = [(group.layers[layer][kind], [block.place for block in some]) for group, some in groups]
            return torch.cat([tensor[torch.tensor(places, device=tensor.device)] for tensor, places in kept])

        return [(taken(layer, 0), taken(layer, 1)) for layer in range(len(groups[0][0].layers))]


def _width(block: _Block) -> int:
    """Readers that the group of a block should have room for."""
    return max(ROWS, 1 << (len(block.readers) - 1).bit_length())


def _by_width(blocks: Sequence[_Block]) -> Iterator[tuple[int, list[_Block]]]:
    for width in sorted({_width(block) for block in blocks}):
        yield width, [block for block in blocks if _width(block) == width]


def _cut(pools: Layers, places: Indices) -> Layers:
    """Blocks of a pool, as a group keeps them."""
    index = torch.from_numpy(places).to(pools[0][0].device)

    def blocks(pool: Tensor) -> Tensor:
        """[blocks, key heads, ROOM, width]."""
        return pool.index_select(1, index).unflatten(1, (-1, ROOM)).transpose(0, 1)

    return [(blocks(keys).transpose(2, 3).contiguous(), blocks(values).contiguous()) for keys, values in pools]
