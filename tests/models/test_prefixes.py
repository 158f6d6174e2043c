"""What is planned: every place once, in order, and nothing that another row has."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gnomon.models.prefixes import BLOCK, Chunk, Indices, Row, chunks, shared_length

tokens = st.lists(st.integers(0, 2), min_size=1, max_size=90).map(lambda ids: np.array(ids, np.int64))


@st.composite
def rows(draw: st.DrawFn) -> list[Row]:
    made: list[Row] = []
    stems = draw(st.lists(tokens, min_size=1, max_size=3))
    for _ in range(draw(st.integers(1, 8))):
        stem = draw(st.sampled_from(stems))
        trunk = np.concatenate([stem[: draw(st.integers(1, len(stem)))], *draw(st.lists(tokens, max_size=1))])
        branches = tuple(draw(st.lists(tokens, max_size=3)))
        places = len(trunk) + sum(map(len, branches))
        wanted = draw(st.lists(st.integers(0, places - 1), min_size=1, max_size=6))
        made.append(Row(trunk, branches, np.array(wanted)))
    return made


def walked(planned: list[Chunk], before: Indices) -> tuple[list[np.ndarray], dict[int, list[tuple[int, ...]]]]:
    """The pool's paths by chunk (which tokens lead to each place), and what leads to each wanted place by row."""
    paths: list[tuple[int, ...]] = [tuple(before[: place + 1].tolist()) for place in range(len(before))]
    wanted: dict[int, list[tuple[int, ...]]] = {}
    for chunk in planned:
        carried = [paths[place] for place in chunk.carried]
        paths = carried + [()] * len(chunk.tokens)
        for group in chunk.groups:
            for row in range(len(group.queries)):
                places = [*group.head, *group.keys[row]]
                attributes = [(0, place) for place in range(len(group.head))]
                attributes += list(zip(group.key_branch[row], group.key_position[row], strict=True))
                asking = zip(group.queries[row], group.query_branch[row], group.query_position[row], strict=True)
                for query, branch, position in asking:
                    if query < 0:
                        continue
                    seen = [
                        (at, place)
                        for place, (of, at) in zip(places, attributes, strict=True)
                        if place >= 0 and of in (0, branch) and at <= position
                    ]
                    assert [at for at, _ in seen] == list(range(position + 1))
                    assert seen[-1][1] == query + len(carried)
                    assert chunk.positions[query] == position
                    assert not paths[query + len(carried)], "computed twice"
                    paths[query + len(carried)] = tuple(
                        int(chunk.tokens[place - len(carried)]) if place >= len(carried) else carried[place][-1]
                        for _, place in seen
                    )
        begin = 0
        for row, count in zip(chunk.rows, chunk.counts, strict=True):
            some = chunk.wanted[begin : begin + count]
            wanted[row] = [paths[place + len(carried)] for place in some]
            begin += count
    return paths, wanted


@given(rows(), st.sampled_from([1, 40, 150, 10_000]), tokens)
def test_every_wanted_place_is_reached_by_its_own_path(asked: list[Row], most_tokens: int, before: Indices) -> None:
    planned = list(chunks(asked, most_tokens, before))
    _, wanted = walked(planned, before)
    for number, row in enumerate(asked):
        sequence = [tuple(row.trunk[: place + 1].tolist()) for place in range(len(row.trunk))]
        for branch in row.branches:
            sequence += [(*row.trunk.tolist(), *branch[: place + 1].tolist()) for place in range(len(branch))]
        assert wanted[number] == [sequence[place] for place in row.wanted]


@given(rows())
def test_one_chunk_computes_each_distinct_trunk_token_once(asked: list[Row]) -> None:
    (chunk,) = chunks(asked, 10_000, np.empty(0, np.int64))
    prefixes = {tuple(row.trunk[: place + 1].tolist()) for row in asked for place in range(len(row.trunk))}
    branches = sum(len(branch) for row in asked for branch in row.branches)
    queries = sum(int((group.queries >= 0).sum()) for group in chunk.groups)
    assert queries == len(prefixes) + branches
    assert len(chunk.tokens) - queries in range(4)
    assert all(len(group.head) % BLOCK == 0 and group.keys.shape[1] % BLOCK == 0 for group in chunk.groups)
    assert all(group.queries.shape[1] % 4 == 0 for group in chunk.groups)


@given(rows(), st.integers(1, 60))
def test_chunks_keep_to_their_size(asked: list[Row], most_tokens: int) -> None:
    for chunk in chunks(asked, most_tokens, np.empty(0, np.int64)):
        assert len(chunk.tokens) <= most_tokens + 3 or len(chunk.rows) == 1


@given(tokens, tokens)
def test_shared_length(one: Indices, other: Indices) -> None:
    length = shared_length(one, other)
    assert one[:length].tolist() == other[:length].tolist()
    assert length in (len(one), len(other)) or one[length] != other[length]
