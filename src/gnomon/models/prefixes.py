"""Which tokens of many rows have to be computed: each distinct prefix token once.

Rows are sorted by their trunks, so that what a row shares with any other it shares with its neighbour. A row owns the tokens of
its trunk that the row before does not have, and its branches; the rest of its trunk lies in the rows before, and an index says
where. The sorted rows are cut into chunks, each one forward pass. What the first row of a chunk shares with the last one of the
chunk before is carried over as keys and values.

    carried | own tokens of row 0 | own tokens of row 1 | ...        the pool that attention reads from, per layer
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gnomon.models.forward import ROWS, padded_count

Indices = NDArray[np.int64]

BLOCK = 32
"""Keys per step of the sum over values; heads that several rows share end at multiples of it."""
SHORTEST_HEAD = 64
"""Fewer shared tokens than this are copied for each row."""
WORTH_SHARING = 4096
"""Copies of keys that a shared head must save: an attention call of its own costs as much as to copy about so many."""
SIMILAR = 0.7
"""Rows whose own tokens or keys are fewer than this share of their group's most attend in another group."""


@dataclass(frozen=True)
class Row:
    """A trunk and branches that continue it, none of which sees another.

    Attributes:
        trunk: Tokens.
        branches: Tokens of each branch.
        wanted: Places whose predictions are wanted, in the order trunk, first branch, second branch ...
    """

    trunk: Indices
    branches: tuple[Indices, ...]
    wanted: Indices


@dataclass(frozen=True)
class Group:
    """Rows whose queries attend in one call: all of them to a shared head, each to keys of its own.

    A key is seen by the queries of its own branch and, if it is on the trunk (branch 0), by all; never by earlier positions.

    Attributes:
        head: [h] places in the pool, h a multiple of `BLOCK` or 0.
        queries: [rows, q] places among the new tokens, padded with -1; q a multiple of `ROWS`.
        keys: [rows, k] places in the pool, padded with -1; k a multiple of `BLOCK`.
        query_branch, query_position: [rows, q].
        key_branch, key_position: [rows, k].
    """

    head: Indices
    queries: Indices
    keys: Indices
    query_branch: Indices
    query_position: Indices
    key_branch: Indices
    key_position: Indices


@dataclass(frozen=True)
class Chunk:
    """One forward pass.

    Attributes:
        rows: Numbers of its rows, as they were given.
        tokens: [n] the new tokens, n a multiple of `ROWS`.
        positions: [n].
        carried: Places in the pool of the chunk before that the pool begins with; how many, is `len(carried)`.
        groups: How the new tokens attend.
        wanted: Places among the new tokens whose predictions are wanted, row after row.
        counts: How many of them belong to each row.
        paths: Places in the pool of each row's trunk.
    """

    rows: tuple[int, ...]
    tokens: Indices
    positions: Indices
    carried: Indices
    groups: tuple[Group, ...]
    wanted: Indices
    counts: tuple[int, ...]
    paths: tuple[Indices, ...]


@dataclass(frozen=True)
class _Placed:
    """A row in its chunk: how much it shares with the row before, and where in the pool trunk and branches lie."""

    row: Row
    shared: int
    trunk: Indices
    branches: tuple[Indices, ...]

    @property
    def keys(self) -> int:
        return len(self.trunk) + sum(map(len, self.branches))

    @property
    def queries(self) -> int:
        return self.keys - self.shared


def chunks(rows: Sequence[Row], most_tokens: int, before: Indices) -> Iterator[Chunk]:
    """Sorts the rows and cuts them into forward passes.

    Args:
        rows: What to compute.
        most_tokens: New tokens of a pass; one row at the least.
        before: A trunk whose keys and values are there: the pool before the first chunk.
    """
    order = sorted(range(len(rows)), key=lambda index: rows[index].trunk.tolist())
    begin, path = 0, np.arange(len(before))
    while begin < len(order):
        first = rows[order[begin]]
        kept = min(shared_length(before, first.trunk), int(first.wanted.min(initial=len(first.trunk))))
        carried = path[:kept]
        end, placed = _fill(rows, order, begin, before, kept, most_tokens)
        yield _chunk(order[begin:end], placed, carried)
        begin, before, path = end, rows[order[end - 1]].trunk, placed[-1].trunk


def shared_length(one: Indices, other: Indices) -> int:
    """Length of the common beginning."""
    length = min(len(one), len(other))
    differs = one[:length] != other[:length]
    return int(differs.argmax()) if differs.any() else length


def _fill(
    rows: Sequence[Row], order: Sequence[int], begin: int, before: Indices, carried: int, most_tokens: int
) -> tuple[int, list[_Placed]]:
    """Places rows from `begin` on until the chunk is full; gives where the next one begins."""
    placed: list[_Placed] = []
    used, trunk, path = 0, before, np.arange(carried)
    for end in range(begin, len(order)):
        row = rows[order[end]]
        shared = carried if end == begin else shared_length(trunk, row.trunk)
        if (earliest := int(row.wanted.min(initial=len(row.trunk)))) < carried:
            shared = min(shared, earliest)  # hidden states are not carried over
        lengths = [len(row.trunk) - shared, *map(len, row.branches)]
        if placed and used + sum(lengths) > most_tokens:
            return end, placed
        starts = carried + used + np.concatenate([[0], np.cumsum(lengths)])
        own, *branches = (np.arange(start, start + length) for start, length in zip(starts, lengths, strict=False))
        path = np.concatenate([path[:shared], own])
        placed.append(_Placed(row, shared, path, tuple(branches)))
        used, trunk = used + sum(lengths), row.trunk
    return len(order), placed


def _chunk(numbers: Sequence[int], placed: Sequence[_Placed], carried: Indices) -> Chunk:
    tokens = np.concatenate([part for each in placed for part in (each.row.trunk[each.shared :], *each.row.branches)])
    positions = np.concatenate([part for each in placed for part in _positions(each)])
    padding = padded_count(len(tokens)) - len(tokens)
    where = [np.concatenate([each.trunk, *each.branches])[each.row.wanted] - len(carried) for each in placed]
    return Chunk(
        rows=tuple(numbers),
        tokens=np.pad(tokens, (0, padding)),
        positions=np.pad(positions, (0, padding)),
        carried=carried,
        groups=tuple(_groups(placed, len(carried))),
        wanted=np.concatenate(where),
        counts=tuple(map(len, where)),
        paths=tuple(each.trunk for each in placed),
    )


def _positions(each: _Placed) -> Iterator[Indices]:
    length = len(each.trunk)
    yield np.arange(each.shared, length)
    for branch in each.branches:
        yield np.arange(length, length + len(branch))


def _groups(placed: Sequence[_Placed], carried: int) -> Iterator[Group]:
    """Runs of rows that share a long head attend to it together; all others are copied their keys."""
    alone: list[_Placed] = []
    for run, head in _runs([each for each in placed if each.queries]):
        if head * (len(run) - 1) >= WORTH_SHARING:
            for members in _similar(run, head):
                yield _group(members, run[0].trunk[:head], carried)
        else:
            alone += run
    for members in _similar(alone, 0):
        yield _group(members, np.empty(0, np.int64), carried)


def _runs(placed: Sequence[_Placed]) -> Iterator[tuple[list[_Placed], int]]:
    """Neighbours whose paths begin alike, with the length of that beginning, cut to whole blocks."""
    run: list[_Placed] = []
    head = 0
    for each in placed:
        common = min(shared_length(run[-1].trunk, each.trunk), each.shared) if run else 0
        common -= common % BLOCK
        if run and common >= SHORTEST_HEAD and (len(run) == 1 or min(head, common) >= 0.5 * head):
            head = common if len(run) == 1 else min(head, common)
            run.append(each)
            continue
        if run:
            yield run, head
        run, head = [each], 0
    if run:
        yield run, head


def _similar(placed: Sequence[_Placed], head: int) -> Iterator[list[_Placed]]:
    """The rows in groups of about equally many queries and keys."""
    members: list[_Placed] = []
    most_queries = most_keys = 0
    for each in sorted(placed, key=lambda each: (-each.keys, -each.queries)):
        near = each.keys - head >= SIMILAR * most_keys and SIMILAR * most_queries <= each.queries <= most_queries / SIMILAR
        if members and not near:
            yield members
            members = []
        if not members:
            most_keys, most_queries = each.keys - head, each.queries
        members.append(each)
    if members:
        yield members


def _group(members: Sequence[_Placed], head: Indices, carried: int) -> Group:
    fields: list[list[Indices]] = [[] for _ in range(6)]
    for each in members:
        lengths = [len(each.trunk), *map(len, each.branches)]
        places = np.concatenate([each.trunk, *each.branches])
        branch = np.repeat(np.arange(len(lengths)), lengths)
        position = np.concatenate([np.arange(lengths[0]), *(lengths[0] + np.arange(length) for length in lengths[1:])])
        asks, answers = slice(each.shared, None), slice(len(head), None)
        for field, values in zip(
            fields,
            (places[asks] - carried, places[answers], branch[asks], position[asks], branch[answers], position[answers]),
            strict=True,
        ):
            field.append(values)
    queries, keys, query_branch, query_position, key_branch, key_position = fields
    return Group(
        head=head,
        queries=_padded(queries, ROWS),
        keys=_padded(keys, BLOCK),
        query_branch=_padded(query_branch, ROWS),
        query_position=_padded(query_position, ROWS),
        key_branch=_padded(key_branch, BLOCK),
        key_position=_padded(key_position, BLOCK),
    )


def _padded(parts: Sequence[Indices], multiple: int) -> Indices:
    """[rows, longest], the longest rounded up, -1 where nothing stands."""
    longest = max(map(len, parts))
    padded = np.full((len(parts), longest + -longest % multiple), -1)
    for line, part in zip(padded, parts, strict=True):
        line[: len(part)] = part
    return padded
