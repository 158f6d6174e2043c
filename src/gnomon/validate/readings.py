"""Reads instruments on scripted organisms: the same protocols, runner, record tables and analyses as an audit, in memory.

Seeds are independent of one another, so they are read side by side on all cores.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import joblib

from gnomon.datasets.items import derive_seed
from gnomon.measure import catalogue
from gnomon.measure.audit import record
from gnomon.measure.evaluation import Evaluation
from gnomon.models.model import Model
from gnomon.models.sync import run
from gnomon.organisms.scripted import ScriptedModel
from gnomon.organisms.scripted.ledger import truth
from gnomon.organisms.scripted.parameters import POLICY_NAMES, Parameters, PolicyName
from gnomon.run.progress import Progress
from gnomon.run.record import Record
from gnomon.run.tables import record_table
from gnomon.stats.estimate import Estimate
from gnomon.validate.instruments import Sweep

Estimates = Mapping[str, Estimate]
"""By name `evaluation.estimate`."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the instruments of a sweep read on one organism, beside what is true of it.

    Attributes:
        dose: The organism's rate (None: the clean twin).
        estimates: What was read.
        true: What its ledger says.
    """

    dose: float | None
    estimates: Estimates
    true: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class SeedReadings:
    """What a sweep reads with one seed.

    Attributes:
        twin: The clean twin.
        doses: The organism at each dose.
        others: By other policy, an organism with that behaviour at full dose (empty where they were not wanted).
        records: What was recorded, in bare outline: status and reason.
    """

    twin: Reading
    doses: tuple[Reading, ...]
    others: Mapping[str, Reading]
    records: tuple[Record, ...]


def neighbours(sweep: Sweep) -> list[PolicyName]:
    """The behaviours that must not move the sweep's instruments."""
    return [name for name in POLICY_NAMES if name not in ("honest", sweep.organism)]


def read_seeds(sweep: Sweep, seeds: Sequence[int], *, others: Sequence[int], workers: int) -> Iterator[SeedReadings]:
    """Reads a sweep with each seed, in order.

    Args:
        sweep: Organism, doses and evaluation.
        seeds: Each draws the questions, the organism's knowledge and where its behaviour strikes.
        others: The seeds with which the other behaviours are read too.
        workers: Processes; with one, everything happens in this one.
    """
    tasks = (joblib.delayed(_read_seed)(sweep, seed, seed in others) for seed in seeds)
    parallel: Any = joblib.Parallel(n_jobs=min(workers, len(seeds)), return_as="generator")
    return cast(Iterator[SeedReadings], parallel(tasks))


def _read_seed(sweep: Sweep, seed: int, others: bool) -> SeedReadings:
    evaluation = built(sweep, seed)
    outline = _Outline()

    async def everything() -> SeedReadings:
        twin = await read_organism(evaluation, sweep.twin(seed), outline)
        # Readings at different doses are independent.
        organisms = [sweep.dosed(place, derive_seed("dose", seed, place)) for place in range(len(sweep.doses))]
        doses = [await read_organism(evaluation, organism, outline) for organism in organisms]
        named = {name: sweep.neighbour(name, seed) for name in neighbours(sweep)} if others else {}
        beside = {name: await read_organism(evaluation, organism, outline) for name, organism in named.items()}
        return SeedReadings(twin, tuple(doses), beside, tuple(outline.records))

    return run(everything())


class _Outline:
    """Keeps of each record what a progress bar shows, for the process that has one."""

    def __init__(self) -> None:
        self.records: list[Record] = []

    def start(self, evaluation: str, total: int, kept: Sequence[Record]) -> None:
        """The other process says so."""

    def advance(self, records: Sequence[Record]) -> None:
        """Status and reason, without what was said and measured."""
        self.records += [each.model_copy(update={"values": {}, "transcript": []}) for each in records]

    def finish(self) -> None:
        """The other process says so."""


def built(sweep: Sweep, seed: int) -> Evaluation:
    """The sweep's evaluation with the questions of a seed."""
    return catalogue.build(sweep.evaluation, seed=seed, **sweep.options)


async def read_organism(evaluation: Evaluation, parameters: Parameters, progress: Progress | None = None) -> Reading:
    """Reads an evaluation on a scripted organism."""
    dose = None if parameters.policy == "honest" else parameters.rate
    return Reading(dose, await read_model(evaluation, ScriptedModel(parameters), progress), truth(parameters))


async def read_model(evaluation: Evaluation, model: Model, progress: Progress | None = None) -> Estimates:
    """Reads an evaluation on any model."""
    records = await record(model, evaluation)
    if progress:
        progress.advance(records)
    return {f"{one.evaluation}.{one.name}": one for one in evaluation.analyse(record_table(records))}
