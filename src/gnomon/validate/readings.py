"""Reads instruments on scripted organisms: the same protocols, runner, record tables and analyses as an audit, in memory."""

from collections.abc import Mapping
from dataclasses import dataclass

from gnomon.measure import catalogue
from gnomon.measure.audit import record
from gnomon.measure.evaluation import Evaluation
from gnomon.models.model import Model
from gnomon.organisms.scripted import ScriptedModel
from gnomon.organisms.scripted.ledger import truth
from gnomon.organisms.scripted.parameters import Parameters
from gnomon.run.progress import Progress
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
