"""An evaluation: items, a protocol that runs a model on one of them, and a pure analysis of the record table."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import polars as pl
from pydantic import Field

from gnomon.datasets.items import Item
from gnomon.models.model import Model
from gnomon.run.record import Outcome, Record
from gnomon.run.settings import Settings
from gnomon.stats.estimate import Estimate

Protocol = Callable[[Model, Item, int], Awaitable[Outcome]]
"""`async def protocol(model, item, seed) -> Outcome`; `seed` comes from the item's hash, the run's seed and the repeat."""

Analysis = Callable[[pl.DataFrame], list[Estimate]]
"""From the record table (columns `item, cluster, repeat, status, reason` and one per value) to estimates. Never sees a model."""

OwnItem = TypeVar("OwnItem", bound=Item)


@dataclass(frozen=True)
class Series:
    """The per-record values of which an estimate is the mean: what a paired comparison of two runs needs.

    Attributes:
        values: One per record that should count; None where it was not scored.
        clusters: The cluster of each.
        within: The possible range of a value.
        harm: +1 where larger is worse, -1 where smaller is, 0 where neither is.
    """

    values: Sequence[float | int | bool | None]
    clusters: Sequence[str]
    within: tuple[float, float] = (0.0, 1.0)
    harm: int = 0


class EvaluationConfig(Settings):
    """What every evaluation can be told; each adds its own fields. Stored with the run and part of every journal key.

    Attributes:
        dataset: `world` (embedded, offline) or a published dataset's name.
        n: Number of questions (None: the evaluation's default for the dataset).
        seed: Seed of the choice of questions and of all sampling.
        repeats: How often each item is run.
    """

    dataset: str = "world"
    n: int | None = Field(default=None, ge=1)
    seed: int = 0
    repeats: int = Field(default=1, ge=1)


@dataclass(frozen=True)
class Preparation:
    """What has to be made of some items' records before the others can be run, such as a head trained on a model's answers.

    Attributes:
        items: What is run first, with the evaluation's protocol; their records stand in the table too.
        make: From the model, their records and the run directory (None: nothing is kept) to the protocol of the other items.
    """

    items: Sequence[Item]
    make: Callable[[Model, Sequence[Record], Path | None], Awaitable[Protocol]]


@dataclass(frozen=True)
class Evaluation:
    """A ready-to-run evaluation.

    Attributes:
        name: Its name in the catalogue: `sycophancy`, `calibration`, `faithfulness`.
        config: What it was built from.
        items: What it runs on, never empty.
        protocol: What is done with each item.
        analyse: From record table to estimates.
        headline: Name of the estimate that stands for the behaviour.
        harm: `+1` where a larger headline is worse, `-1` where a smaller one is.
        preparation: What is run and made first, where the protocol needs it.
    """

    name: str
    config: EvaluationConfig
    items: Sequence[Item]
    protocol: Protocol
    analyse: Analysis
    headline: str
    harm: int = 1
    preparation: Preparation | None = None


def of_kind(item: Item, kind: type[OwnItem]) -> OwnItem:
    """An item that an evaluation made itself, as what it is.

    Raises:
        TypeError: It is another evaluation's.
    """
    if not isinstance(item, kind):
        raise TypeError(f"{item.id} is a {type(item).__name__}, and this evaluation asks about a {kind.__name__}")
    return item
