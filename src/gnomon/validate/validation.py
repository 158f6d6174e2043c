"""`gnomon validate`: certificates of the instruments, agreement on grown organisms, and the failures of real tools replayed."""

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import joblib
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from gnomon.errors import ConfigurationError
from gnomon.run.directory import RunDirectory
from gnomon.run.progress import Progress
from gnomon.run.source import code_hash
from gnomon.validate.certificates import ENOUGH_NULLS, Certificate, certify
from gnomon.validate.grown import Agreement, grown_agreement
from gnomon.validate.instruments import Sweep, chosen
from gnomon.validate.readings import SeedReadings, built, neighbours, read_seeds
from gnomon.validate.replays import Replay, replay_all

CROSS_TALK_SEEDS = 10
"""In each round, how many seeds also read organisms with another behaviour."""
ROUNDS = 3

_CERTIFICATES = TypeAdapter(list[Certificate])
_log = logging.getLogger(__name__)


class ValidationResult(BaseModel):
    """What `gnomon validate --json` prints.

    Attributes:
        passed: Whether every certificate passed, every replayed failure was flagged, and no grown organism contradicts.
        certificates: One per instrument.
        replays: One per failure of a real tool.
        grown: What the instruments read on grown organisms whose planted rate is recorded (empty: none is shipped).
        seeds: Seeds per dose.
        run: The run directory (None: nothing was kept).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    passed: bool
    certificates: list[Certificate]
    replays: list[Replay]
    grown: list[Agreement] = []
    seeds: int
    run: str | None = None


def configuration(instruments: Sequence[str] | None, seeds: int, seed: int) -> dict[str, Any]:
    """What determines a validation's certificates, gnomon's code included: a run's identity and the name of its directory.

    Raises:
        ConfigurationError: No such instrument, or no seeds.
    """
    if seeds < 1:
        raise ConfigurationError(f"seeds is {seeds}; at least 1 is needed")
    names = [name for _, some in chosen(instruments) for name in some]
    return {"instruments": names, "seeds": seeds, "seed": seed, "code": code_hash()}


async def validate(
    instruments: Sequence[str] | None = None,
    *,
    seeds: int = 40,
    seed: int = 0,
    out: Path | None = None,
    progress: Progress | None = None,
    replays: bool = True,
    grown: bool = True,
    workers: int | None = None,
) -> ValidationResult:
    """Certifies instruments on organisms of known behaviour and replays the failures of real tools.

    Args:
        instruments: Names such as `sycophancy.agreement`, or whole evaluations such as `sycophancy` (None: all).
        seeds: Seeds per dose; each draws other questions and another organism. Fewer than about 30 cannot certify. Where they
            decide nothing, as many more are read, up to three times.
        seed: The first seed.
        out: The run directory (None: nothing is kept); the same call by the same code takes up a validation that was stopped
            there.
        progress: Told of the records as they are read.
        replays: Whether to replay the failures.
        grown: Whether to read the shipped grown organisms.
        workers: Processes that read organisms side by side (None: one per core).

    Raises:
        ConfigurationError: No such instrument, or no seeds.
        RunDirectoryError: `out` cannot be written, or holds a validation by other code or with other options.
    """
    identity = configuration(instruments, seeds, seed)
    wanted = chosen(instruments)
    run = RunDirectory.create_or_resume(out, identity, verb="validate") if out else None
    try:
        certificates: list[Certificate] = []
        for sweep, names in wanted:
            certificates += await _kept_sweep(
                run, sweep, names, range(seed, seed + seeds), progress, workers or joblib.cpu_count()
            )
        replayed = await replay_all() if replays else []
        agreements = await grown_agreement(list({sweep.evaluation for sweep, _ in wanted}), progress) if grown else []
        result = ValidationResult(
            passed=all(one.passed for one in certificates)
            and all(one.flagged for one in replayed)
            and all(one.agrees for one in agreements),
            certificates=certificates,
            replays=replayed,
            grown=agreements,
            seeds=seeds,
            run=str(run.path) if run else None,
        )
        if run:
            run.write_json("validation.json", result.model_dump(mode="json"))
        return result
    finally:
        if run:
            run.close()


async def _kept_sweep(
    run: RunDirectory | None,
    sweep: Sweep,
    names: Sequence[str],
    seeds: Sequence[int],
    progress: Progress | None,
    workers: int,
) -> list[Certificate]:
    """The certificates of a sweep, from the run's directory where an earlier call finished it."""
    if run is None:
        return await certify_sweep(sweep, names, seeds, progress, workers=workers)
    kept = f"certificates/{sweep.name.replace(' ', '_')}.json"
    if (run.path / kept).is_file():
        try:
            return _CERTIFICATES.validate_json((run.path / kept).read_bytes())
        except ValidationError:
            _log.warning("%s is broken; its instruments are certified anew", run.path / kept)
    certificates = await certify_sweep(sweep, names, seeds, progress, workers=workers)
    run.write_json(kept, _CERTIFICATES.dump_python(certificates, mode="json"))
    return certificates


async def certify_sweep(
    sweep: Sweep, names: Sequence[str], seeds: Sequence[int], progress: Progress | None = None, *, workers: int = 1
) -> list[Certificate]:
    """The certificates of the instruments that share a sweep.

    Where the readings decide nothing (a slope that is not known well enough, a coverage beside the band that may be chance), as
    many more are taken, up to `ROUNDS` times; after too few seeds to certify anything it is left at that.

    Args:
        sweep: Organism, doses and evaluation.
        names: The instruments wanted.
        seeds: Of the first round, one after another.
        progress: Told of the records.
        workers: Processes that read side by side.
    """
    read: list[SeedReadings] = []
    rounds = ROUNDS if len(seeds) >= ENOUGH_NULLS else 1
    certificates: list[Certificate] = []
    for number in range(rounds):
        begin = seeds[0] + number * len(seeds)
        more = range(begin, begin + len(seeds))
        others = more[:CROSS_TALK_SEEDS]
        if progress:
            organisms = len(more) * (len(sweep.doses) + 1) + len(others) * len(neighbours(sweep))
            total = organisms * len(built(sweep, begin).items)
            progress.start(f"certifying {sweep.name}{f', round {number + 1}' if number else ''}", total, [])
        try:
            for found in read_seeds(sweep, more, others=others, workers=workers):
                read.append(found)
                if progress:
                    progress.advance(found.records)
                await asyncio.sleep(0)  # an interrupt is noticed between seeds
        finally:
            if progress:
                progress.finish()
        pairs = {name: [(one.others[name], one.twin) for one in read if one.others] for name in neighbours(sweep)}
        doses = [dose for one in read for dose in one.doses]
        certificates = [certify(name, sweep.organism, doses, [one.twin for one in read], pairs) for name in names]
        if all(one.verdict != "cannot tell" for one in certificates):
            break
    return certificates
