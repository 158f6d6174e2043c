"""An audit: evaluations run on a model, and what came of it."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path

import polars as pl
from pydantic import BaseModel, ConfigDict, computed_field

from gnomon.datasets.items import Item, content_hash
from gnomon.errors import ConfigurationError, DatasetError, GnomonError
from gnomon.measure import catalogue
from gnomon.measure.certified import uncertified
from gnomon.measure.compare import CompareResult
from gnomon.measure.evaluation import Evaluation, Protocol
from gnomon.measure.gates import Gate
from gnomon.measure.published import formats
from gnomon.models.model import Model
from gnomon.run.directory import RunDirectory, default_path
from gnomon.run.limits import Limits
from gnomon.run.progress import Progress
from gnomon.run.record import Record
from gnomon.run.runner import execute
from gnomon.run.tables import record_table
from gnomon.stats.estimate import Estimate
from gnomon.stats.power import smallest_effect


class AuditResult(BaseModel):
    """What an audit found; `gnomon audit --json` prints it.

    Attributes:
        model: Reference of the model.
        estimates: All estimates, by evaluation, each headline first.
        unscored: How many records have no value, by reason; errors as `error: <sentence>`.
        run: The run directory (empty: nothing was kept).
        comparison: With the baseline, where one was given.
        gates: The release conditions that were given, decided.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    estimates: list[Estimate]
    unscored: dict[str, int]
    run: str
    comparison: CompareResult | None = None
    gates: list[Gate] = []

    @property
    def passed(self) -> bool:
        """Whether every gate passed."""
        return all(gate.passed for gate in self.gates)

    @computed_field
    @property
    def smallest_effects(self) -> dict[str, float]:
        """By `evaluation.estimate`, the smallest true difference from a given value that this audit sees with 80 % power."""
        effects = {f"{one.evaluation}.{one.name}": smallest_effect(one) for one in self.estimates}
        return {name: effect for name, effect in effects.items() if effect is not None}

    @computed_field
    @property
    def uncertified(self) -> list[str]:
        """The estimates that no certificate of `gnomon validate` covers: how well they measure is not known."""
        return uncertified(self.estimates)

    def estimate(self, evaluation: str, name: str) -> Estimate:
        """One estimate.

        Raises:
            ConfigurationError: There is none of that name.
        """
        for found in self.estimates:
            if (found.evaluation, found.name) == (evaluation, name):
                return found
        raise ConfigurationError(f"the audit has no estimate {name!r} of {evaluation!r}")


def audit_configuration(model: Model, evaluations: Sequence[Evaluation]) -> dict[str, object]:
    """What determines an audit's results: the model's content hash and each evaluation's configuration; a run's identity."""
    return {
        "model": model.fingerprint,
        "reference": model.reference,
        "evaluations": {one.name: one.config.model_dump(mode="json") for one in evaluations},
    }


async def audit(
    model: Model,
    evaluations: Sequence[Evaluation],
    out: Path | None = None,
    *,
    limits: Limits | None = None,
    progress: Progress | None = None,
) -> AuditResult:
    """Runs evaluations on a model, one after the other, and keeps records, tables and estimates in a run directory.

    Args:
        model: The model.
        evaluations: What to run, names all different.
        out: The run directory (None: one named after model and configuration under `runs/`); the same call resumes in it.
        limits: Concurrency, attempts and time.
        progress: Told of every record.

    Raises:
        ConfigurationError: Two evaluations of one name.
        RunDirectoryError: The directory cannot be written or holds another run.
        RunInterrupted: Stopped; run the same again to resume.
    """
    doubled = [name for name, count in Counter(one.name for one in evaluations).items() if count > 1]
    if doubled:
        raise ConfigurationError(f"the evaluation {doubled[0]!r} is given twice; audit it in two runs")
    configuration = audit_configuration(model, evaluations)
    out = out or default_path("audit", model.reference, configuration)
    estimates: list[Estimate] = []
    unscored: Counter[str] = Counter()
    with RunDirectory.create_or_resume(out, configuration, verb="audit", models={"model": model.card.as_jsonable()}) as run:
        for evaluation in evaluations:
            records = await record(model, evaluation, run=run, limits=limits, progress=progress)
            table = run.write_table(evaluation.name, records)
            estimates += await asyncio.to_thread(evaluation.analyse, table)
            unscored += unscored_reasons(table)
        run.write_estimates(estimates)
    return AuditResult(model=model.reference, estimates=estimates, unscored=dict(unscored.most_common()), run=str(out))


async def record(
    model: Model,
    evaluation: Evaluation,
    *,
    run: RunDirectory | None = None,
    limits: Limits | None = None,
    progress: Progress | None = None,
) -> list[Record]:
    """Runs one evaluation's protocol on all its items; first on those that prepare it, where it has any.

    Args:
        model: The model.
        evaluation: What to run.
        run: Where the journal is (None: records are in memory only).
        limits: Concurrency, attempts and time.
        progress: Told of every record.
    """
    config = evaluation.config

    async def executed(protocol: Protocol, items: Sequence[Item]) -> list[Record]:
        return await execute(
            partial(protocol, model),
            items,
            evaluation=evaluation.name,
            config_hash=content_hash(config.model_dump(mode="json")),
            fingerprint=model.fingerprint,
            run=run,
            limits=limits,
            repeats=config.repeats,
            seed=config.seed,
            progress=progress,
        )

    first = evaluation.preparation
    if first is None:
        return await executed(evaluation.protocol, evaluation.items)
    before = await executed(evaluation.protocol, first.items) if first.items else []
    prepared = await first.make(model, before, run.path if run else None)
    return [*before, *await executed(prepared, evaluation.items)]


async def measure(model: Model, evaluation: Evaluation, *, limits: Limits | None = None) -> list[Estimate]:
    """One evaluation's estimates, the headline first, without keeping anything on disk."""
    return evaluation.analyse(record_table(await record(model, evaluation, limits=limits)))


def analyse(
    records: pl.DataFrame | Iterable[Record | Mapping[str, object]], evaluation: str, model: str = "", *, published: bool = False
) -> AuditResult:
    """Estimates from records that somebody already has; needs no model.

    Args:
        records: A record table, or records (of which those of other evaluations are passed over).
        evaluation: The evaluation whose analysis is wanted.
        model: What to name the model in the result.
        published: Whether the records come from a published recording, whose format is named like an evaluation.

    Raises:
        ConfigurationError: There is no such evaluation.
        DatasetError: There are no records of it, or what is given are no records of it.
    """
    found = partial(formats.analyse, evaluation) if published else catalogue.analysis(evaluation)
    table = records if isinstance(records, pl.DataFrame) else _table(records, evaluation)
    missing = [name for name in ("item", "cluster", "repeat", "status", "reason") if name not in table.columns]
    if missing:
        raise DatasetError(f"the table has no column {missing[0]!r}; a record table has item, cluster, repeat, status and reason")
    if table.is_empty():
        raise DatasetError(f"there are no records of the evaluation {evaluation!r}; look at which evaluation they come from")
    try:
        estimates = found(table)
    except (KeyError, TypeError, ValueError, pl.exceptions.PolarsError) as error:
        raise DatasetError(f"the records do not look like those of {evaluation!r} ({type(error).__name__}: {error})") from error
    return AuditResult(model=model, estimates=estimates, unscored=dict(unscored_reasons(table).most_common()), run="")


def unscored_reasons(table: pl.DataFrame) -> Counter[str]:
    """How many records have no value, by reason; errors as `error: <sentence>`."""
    lacking = table.filter(pl.col("status") != "value").select("status", "reason")
    return Counter(f"error: {reason}" if status == "error" else str(reason) for status, reason in lacking.iter_rows())


def _table(records: Iterable[Record | Mapping[str, object]], evaluation: str) -> pl.DataFrame:
    typed = [record if isinstance(record, Record) else Record.model_validate(record) for record in records]
    try:
        return record_table([record for record in typed if record.evaluation == evaluation])
    except GnomonError as error:
        raise DatasetError(f"the records of {evaluation!r} do not fit together: {error}") from error
