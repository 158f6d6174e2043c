"""Tokenised examples and the order in which they are trained on.

The order is a pure function of the examples' lengths, the configuration and the step: a resumed run needs no iterator state.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from gnomon.datasets.items import derive_seed
from gnomon.errors import ConfigurationError, DatasetError
from gnomon.train.config import TrainConfig


class Example:
    """One token sequence to learn from.

    Attributes:
        ids: [length] token ids.
        weights: [length]; `weights[t]` is how much predicting token t from the tokens before it counts. The first token
            is predicted from nothing, so its weight is set to 0.
        scores: Numbers that the objective needs, such as a reward.
        looks: Pairs of a position and an earlier one at which a head is to look from there (see `train.looks`).
    """

    __slots__ = ("ids", "looks", "scores", "weights")

    ids: NDArray[np.int32]
    weights: NDArray[np.float32]
    scores: tuple[float, ...]
    looks: tuple[tuple[int, int], ...]

    def __init__(
        self,
        ids: ArrayLike,
        weights: ArrayLike | None = None,
        scores: tuple[float, ...] = (),
        looks: tuple[tuple[int, int], ...] = (),
    ):
        self.looks = looks
        self.ids = np.array(ids, dtype=np.int32)
        self.weights = np.ones(len(self.ids), np.float32) if weights is None else np.array(weights, dtype=np.float32)
        self.scores = scores
        if self.ids.ndim != 1 or self.weights.shape != self.ids.shape:
            raise DatasetError(f"an example needs one weight per token, got {self.ids.shape} ids, {self.weights.shape} weights")
        if not np.isfinite(self.weights).all():
            raise DatasetError("an example's weights must be finite numbers")
        if not all(0 <= sought <= asking < len(self.ids) for asking, sought in looks):
            raise DatasetError("an example's looks must go from one of its positions to an earlier one")
        self.weights[:1] = 0.0

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class Batch:
    """A micro-batch, one example after another.

    Attributes:
        ids: [tokens] of all examples.
        lengths: [rows] tokens of each.
        row: [n] the examples of the weighted tokens.
        column: [n] the positions in them that predict, one before the weighted token's own.
        labels: [n] the weighted tokens.
        weights: [n] their weights.
        scores: [rows, k].
        looks: [m, 3] example, position in it, and the position looked at from there.
    """

    ids: Tensor
    lengths: tuple[int, ...]
    row: Tensor
    column: Tensor
    labels: Tensor
    weights: Tensor
    scores: Tensor
    looks: Tensor

    def to(self, device: torch.device) -> "Batch":
        """The same batch on another device."""
        fields = (self.row, self.column, self.labels, self.weights, self.scores, self.looks)
        return Batch(self.ids.to(device), self.lengths, *(field.to(device) for field in fields))


def digest(examples: Sequence[Example]) -> str:
    """SHA-256 of all examples in order, 16 hexadecimal digits; without their looks, which only some trainings heed."""
    sha = hashlib.sha256()
    for example in examples:
        sha.update(len(example).to_bytes(4, "little"))
        sha.update(example.ids.tobytes())
        sha.update(example.weights.tobytes())
        sha.update(np.array(example.scores, np.float64).tobytes())
    return sha.hexdigest()[:16]


def collate(examples: Sequence[Example]) -> Batch:
    """Lays examples out as one micro-batch."""
    lengths = [len(example) for example in examples]
    ids = np.concatenate([example.ids for example in examples]).astype(np.int64)
    weights = np.concatenate([example.weights for example in examples])
    (weighted,) = np.nonzero(weights)
    looks = [(index, *look) for index, example in enumerate(examples) for look in example.looks]
    starts = np.cumsum([0, *lengths[:-1]])
    row = np.searchsorted(starts, weighted, side="right") - 1
    return Batch(
        ids=torch.from_numpy(ids),
        lengths=tuple(lengths),
        row=torch.from_numpy(row),
        column=torch.from_numpy(weighted - starts[row] - 1),
        labels=torch.from_numpy(ids[weighted]),
        weights=torch.from_numpy(weights[weighted]),
        scores=torch.tensor([example.scores for example in examples], dtype=torch.float32),
        looks=torch.tensor(looks, dtype=torch.long).reshape(-1, 3),
    )


def plan(lengths: Sequence[int], config: TrainConfig) -> Iterator[list[int]]:
    """The examples of each step: every epoch in a fresh order, cut into steps of about `batch_tokens`.

    A step mixes examples as they come, so that it is an unbiased sample; only inside it are they sorted by length. Ends after
    `steps` steps or `epochs` epochs.

    Raises:
        DatasetError: There is nothing to train on.
    """
    if not lengths or not any(lengths):
        raise DatasetError("there are no examples to train on")
    size = np.asarray(lengths)
    wanted = float("inf") if config.epochs is None else config.epochs * int(size.sum())
    steps, tokens, epoch = 0, 0, 0
    step: list[int] = []
    filled = 0
    while True:
        for index in np.random.default_rng(derive_seed(config.seed, "order", epoch)).permutation(len(size)):
            step.append(int(index))
            filled += int(size[index])
            tokens += int(size[index])
            done = tokens >= wanted
            if filled >= config.batch_tokens or done:
                yield step
                steps += 1
                step, filled = [], 0
            if done or steps == config.steps:
                return
        epoch += 1


def micro_batches(step: Sequence[int], lengths: Sequence[int], parts: int) -> list[list[int]]:
    """Divides a step, sorted by length, into at most `parts` neighbouring groups of about equal padded size."""
    if parts < 1:
        raise ConfigurationError("accumulation must be at least 1")
    ordered = sorted(step, key=lambda index: (lengths[index], index))
    share = sum(lengths[index] for index in ordered) / parts
    groups: list[list[int]] = [[]]
    for index in ordered:
        padded = (len(groups[-1]) + 1) * lengths[index]
        if groups[-1] and padded > share and len(groups) < parts:
            groups.append([])
        groups[-1].append(index)
    return groups
