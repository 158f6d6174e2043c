"""Exact log-probabilities of continuations, each distinct prefix token computed once.

The continuations of one request form a row: the tokens that all begin with (the trunk), then each one's own (the branches).
Rows of all waiting requests share their prefixes (`models/prefixes.py`); the output head runs only where a log-probability is
wanted (`models/head.py`). Models whose attention cannot be told what to see score each continuation in a padded sequence.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gnomon.models.attending import PLAIN_KINDS, layer_kinds
from gnomon.models.engine import padded_length
from gnomon.models.forward import as_list, at_positions, padded_count
from gnomon.models.head import Head
from gnomon.models.model import Score
from gnomon.models.predictions import Predicted, from_logits, read_predictions
from gnomon.models.prefixes import Indices, Row, chunks
from gnomon.models.products import PackedWeights
from gnomon.models.tokenisation import Continuation, common_length
from gnomon.models.tree import hidden_states

TOLERANCE = 1e-3
"""Nats by which the tree may differ from plain scoring on the probe, in float32."""

_log = logging.getLogger(__name__)


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
        module: A causal language model for which `honours_trees`.
        head: Its output head.
        most_tokens: New tokens of one forward pass.
        weights: Its weights, packed.
    """

    module: nn.Module
    head: Head
    most_tokens: int
    weights: PackedWeights
    _trunk: Indices = field(default_factory=lambda: np.empty(0, np.int64))
    _kept: Sequence[tuple[Tensor, Tensor]] = ()

    def score(self, rows: Sequence[ScoreRow]) -> Iterator[tuple[int, list[Any]]]:
        """The scores of each row's continuations, or its predictions, with the row's number, as they are computed."""
        kept, self._kept, begun, self._trunk = self._kept, (), self._trunk, np.empty(0, np.int64)
        pool, last = None, self._trunk
        for chunk in chunks([each.row for each in rows], self.most_tokens, begun if kept else self._trunk):
            carried = _chosen(kept, chunk.carried) if pool is None else pool.kept(chunk.carried)
            with self.weights.used():
                hidden, pool = hidden_states(self.module, chunk, carried)
            targets = torch.tensor([token for index in chunk.rows for token in rows[index].targets])
            hidden = hidden[torch.from_numpy(chunk.wanted).to(hidden.device)]
            scored = any(rows[index].top is None for index in chunk.rows)
            logprobs, greedy = map(as_list, self.head.read(hidden, targets.to(hidden.device))) if scored else ([], [])
            begin = 0
            for index, count in zip(chunk.rows, chunk.counts, strict=True):
                some, top = slice(begin, begin + count), rows[index].top
                if top is None:
                    yield index, _split(rows[index], logprobs[some], greedy[some])
                else:
                    yield index, read_predictions(self.head, hidden[some], rows[index].targets, top)
                begin += count
            self._trunk, last = rows[chunk.rows[-1]].row.trunk, chunk.paths[-1]
        if pool is not None:
            self._kept = pool.kept(last)

    def forget(self) -> None:
        """Drops the last path."""
        self._kept, self._trunk = (), np.empty(0, np.int64)


def _chosen(kept: Sequence[tuple[Tensor, Tensor]], places: Indices) -> list[tuple[Tensor, Tensor]]:
    index = torch.from_numpy(places)
    return [(keys[index.to(keys.device)], values[index.to(keys.device)]) for keys, values in kept] if len(places) else []


def score_padded(module: nn.Module, rows: Sequence[ScoreRow], most_tokens: int) -> Iterator[tuple[int, list[Any]]]:
    """The same by a padded sequence per continuation, equally long ones together."""
    scored = [(index, row) for index, row in enumerate(rows) if row.top is None]
    found: dict[int, list[Score | None]] = {index: [None] * len(row.continuations) for index, row in scored}
    alone = [(index, place, each) for index, row in scored for place, each in enumerate(row.continuations)]
    by_length: dict[int, list[tuple[int, int, Continuation]]] = {}
    for one in alone:
        by_length.setdefault(padded_length(len(one[2].ids) - 1), []).append(one)
    for length, members in by_length.items():
        step = max(1, most_tokens // length)
        for begin in range(0, len(members), step):
            some = members[begin : begin + step]
            scores = _score_sequences(module, [each for _, _, each in some], length)
            for (index, place, _), score in zip(some, scores, strict=True):
                found[index][place] = score
    for index, scores in found.items():
        yield index, [score for score in scores if score is not None]
    for index, row in enumerate(rows):
        if row.top is not None:
            yield index, predict_padded(module, row)


def predict_padded(module: nn.Module, row: ScoreRow) -> list[Predicted]:
    """A row's predictions by a forward pass of its own."""
    ids = torch.from_numpy(row.row.trunk)[None].to(next(module.parameters()).device)
    causal: Any = module
    return from_logits(causal(input_ids=ids, use_cache=False).logits[0, row.row.wanted], row.targets, row.top or 0)


def _score_sequences(module: nn.Module, sequences: Sequence[Continuation], length: int) -> list[Score]:
    device = next(module.parameters()).device
    ids = torch.zeros(len(sequences), length, dtype=torch.long)
    for line, each in zip(ids, sequences, strict=True):
        line[: len(each.ids) - 1] = torch.tensor(each.ids[:-1])
    counts = [len(each.ids) - each.start for each in sequences]
    owners = torch.repeat_interleave(torch.arange(len(sequences)), torch.tensor(counts))
    positions = torch.cat([torch.arange(each.start - 1, len(each.ids) - 1) for each in sequences])
    targets = torch.tensor([token for each in sequences for token in each.ids[each.start :]], device=device)
    logits = at_positions(module, owners, positions, input_ids=ids.to(device), use_cache=False)
    logprobs, greedy = _read(logits, targets)
    ends = np.cumsum(counts)
    return [_score(tuple(logprobs[end - n : end]), all(greedy[end - n : end])) for end, n in zip(ends, counts, strict=True)]


def _read(logits: Tensor, targets: Tensor) -> tuple[list[float], list[bool]]:
    """Log-probability of each target and whether no other token is likelier; logits may have padding rows at the end."""
    rows = padded_count(len(targets))
    padded = torch.nn.functional.pad(targets, (0, rows - len(targets)))
    logits = logits.float()
    logprobs = logits.log_softmax(-1).gather(-1, padded[:, None])[:, 0]
    greedy = logits.gather(-1, padded[:, None])[:, 0] >= logits.amax(-1)
    return as_list(logprobs[: len(targets)]), as_list(greedy[: len(targets)])


def _split(row: ScoreRow, logprobs: list[float], greedy: list[bool]) -> list[Score]:
    scores: list[Score] = []
    begin = 0
    for count in row.counts:
        end = begin + count
        scores.append(_score(tuple(logprobs[begin:end]), all(greedy[begin:end])))
        begin = end
    return scores


def _score(logprobs: tuple[float, ...], greedy: bool) -> Score:
    total = sum(logprobs)
    if not float("-inf") < total < float("inf"):
        return Score(None, reason="the model's log-probability is not a finite number")
    return Score(total, logprobs, greedy)


def honours_trees(module: nn.Module, vocabulary: int) -> bool:
    """Whether a tree gives what plain scoring gives: by what the model says of itself, and by trying it on a small one.

    Recurrent models, positions of an attention's own (ALiBi, relative biases), chunked attention and attention sinks fail it.
    """
    head = Head.of(module)
    if head is None or not layer_kinds(module) <= PLAIN_KINDS:
        _log.info("requests share no prefixes: layers of the kinds %s are not scored as a tree", ", ".join(layer_kinds(module)))
        return False
    few = min(vocabulary, 7)
    texts = [[(1, 2, 3, 4, 5, 6), (1, 2, 3, 6, 4, 1, 2), (1, 2, 3, 5, 5, 1)], [(1, 2, 3, 4, 2, 1, 1, 6)], [(4, 4, 1, 5)]]
    made_up = [[Continuation(tuple(token % few for token in ids), 3) for ids in each] for each in texts]
    rows = [plan_row(each) for each in made_up]
    apart = dict(score_padded(module, rows, 64))
    try:
        together = dict(TreeScorer(module, head, 64, PackedWeights(module)).score(rows))
    except (TypeError, ValueError, RuntimeError, AttributeError, KeyError, IndexError) as reason:
        _log.info("requests share no prefixes: the model does not take a tree (%s)", reason)
        return False
    tolerance = TOLERANCE if next(module.parameters()).dtype == torch.float32 else 0.3
    pairs = [(a, b) for index in apart for a, b in zip(apart[index], together[index], strict=True)]
    near = all(a.logprob is not None and b.logprob is not None and abs(a.logprob - b.logprob) < tolerance for a, b in pairs)
    if not near:
        _log.info("requests share no prefixes: this model's attention does not keep the branches of a tree apart")
    return near
