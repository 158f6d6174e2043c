"""Exact log-probabilities of continuations, each distinct prefix token computed once.

The continuations of one request form a row: the tokens that all begin with (the trunk), then each one's own (the branches).
Rows of all waiting requests share their prefixes (`models/prefixes.py`); the output head runs only where a log-probability is
wanted (`models/head.py`). Whether a model takes this, is found out by `tree_probe.py`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gnomon.models.body import Body
from gnomon.models.forward import as_list
from gnomon.models.head import Head
from gnomon.models.model import Score
from gnomon.models.predictions import read_predictions
from gnomon.models.prefixes import Indices, Row, chunks
from gnomon.models.tokenisation import Continuation, common_length
from gnomon.models.tree import at_places, hidden_states


@dataclass(frozen=True)
class ScoreRow:
    """One request.

    Attributes:
        row: Trunk, branches and the places that predict, continuation after continuation.
        targets: The tokens that they predict.
        counts: How many of them belong to each continuation.
        continuations: The request itself.
        top: With how many of the likeliest tokens each target is to be told as a prediction (None: the continuations' scores).
    """

    row: Row
    targets: tuple[int, ...]
    counts: tuple[int, ...]
    continuations: tuple[Continuation, ...]
    top: int | None = None

    @property
    def size(self) -> int:
        """Tokens of trunk and branches."""
        return len(self.row.trunk) + sum(map(len, self.row.branches))


def plan_row(continuations: Sequence[Continuation], top: int | None = None) -> ScoreRow:
    """Lays continuations of one prefix out in one row. Each must have at least one scored token, with one before it."""
    fed = [continuation.ids[:-1] for continuation in continuations]
    trunk = fed[0]
    for other in fed[1:]:
        trunk = trunk[: common_length(trunk, other)]
    branches: list[Indices] = []
    wanted: list[int] = []
    offset = 0
    for ids, continuation in zip(fed, continuations, strict=True):
        predicting = range(continuation.start - 1, len(ids))
        wanted += [index if index < len(trunk) else index + offset for index in predicting]
        if own := ids[len(trunk) :]:
            branches.append(np.array(own, np.int64))
            offset += len(own)
    return ScoreRow(
        row=Row(np.array(trunk, np.int64), tuple(branches), np.array(wanted, np.int64)),
        targets=tuple(token for each in continuations for token in each.ids[each.start :]),
        counts=tuple(len(each.ids) - each.start for each in continuations),
        continuations=tuple(continuations),
        top=top,
    )


@dataclass
class TreeScorer:
    """Scores rows as one prefix tree; the last path stays, so that the next call goes on from it.

    Attributes:
        body: Of a causal language model that takes trees (`tree_probe`).
        head: Its output head.
        most_tokens: New tokens of one forward pass.
    """

    body: Body
    head: Head
    most_tokens: int
    _trunk: Indices = field(default_factory=lambda: np.empty(0, np.int64))
    _kept: Sequence[tuple[Tensor, Tensor]] = ()

    def score(self, rows: Sequence[ScoreRow]) -> Iterator[list[tuple[int, list[Any]]]]:
        """The scores of each row's continuations, or its predictions, with the row's number; pass by pass."""
        kept, self._kept, begun, self._trunk = self._kept, (), self._trunk, np.empty(0, np.int64)
        pool, last = None, self._trunk
        for chunk in chunks([each.row for each in rows], self.most_tokens, begun if kept else self._trunk):
            carried = at_places(kept if pool is None else pool.pools, chunk.carried)
            hidden, pool = hidden_states(self.body, chunk, carried)
            targets = torch.tensor([token for index in chunk.rows for token in rows[index].targets])
            hidden = hidden[torch.from_numpy(chunk.wanted).to(hidden.device)]
            scored = any(rows[index].top is None for index in chunk.rows)
            logprobs, greedy = map(as_list, self.head.read(hidden, targets.to(hidden.device))) if scored else ([], [])
            found: list[tuple[int, list[Any]]] = []
            begin = 0
            for index, count in zip(chunk.rows, chunk.counts, strict=True):
                some, top = slice(begin, begin + count), rows[index].top
                if top is None:
                    found.append((index, _split(rows[index], logprobs[some], greedy[some])))
                else:
                    found.append((index, read_predictions(self.head, hidden[some], rows[index].targets, top)))
                begin += count
            yield found
            self._trunk, last = rows[chunk.rows[-1]].row.trunk, chunk.paths[-1]
        if pool is not None:
            self._kept = at_places(pool.pools, last)

    def forget(self) -> None:
        """Drops the last path."""
        self._kept, self._trunk = (), np.empty(0, np.int64)


def _split(row: ScoreRow, logprobs: list[float], greedy: list[bool]) -> list[Score]:
    scores: list[Score] = []
    begin = 0
    for count in row.counts:
        end = begin + count
        scores.append(score_of(tuple(logprobs[begin:end]), all(greedy[begin:end])))
        begin = end
    return scores


def score_of(logprobs: tuple[float, ...], greedy: bool) -> Score:
    """The score of these log-probabilities; none where they are not finite."""
    total = sum(logprobs)
    if not float("-inf") < total < float("inf"):
        return Score(None, reason="the model's log-probability is not a finite number")
    return Score(total, logprobs, greedy)
