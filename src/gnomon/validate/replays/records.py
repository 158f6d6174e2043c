"""Failures between a protocol's outcome and an estimate: crashes, refusals, NaN, repeats, retries."""

import tempfile
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from gnomon.datasets import templates
from gnomon.datasets.items import ChoiceItem, Item
from gnomon.datasets.messages import conversation
from gnomon.errors import DeterministicFailure, TransientFailure
from gnomon.measure.audit import unscored_reasons
from gnomon.models.model import Sampling
from gnomon.organisms.scripted import open_scripted
from gnomon.organisms.world import world
from gnomon.run import journal
from gnomon.run.directory import RunDirectory
from gnomon.run.limits import Limits
from gnomon.run.record import Outcome, Record
from gnomon.run.runner import execute
from gnomon.run.tables import record_table
from gnomon.stats.estimate import Estimate
from gnomon.stats.estimators import estimate_mean, estimate_rate
from gnomon.validate.replays.replay import Replay

Rate = Callable[[Sequence[bool | None]], Estimate]
Mean = Callable[[Sequence[float | None]], Estimate]
Execute = Callable[..., Awaitable[list[Record]]]


def _rate(values: Sequence[bool | None]) -> Estimate:
    return estimate_rate(values, evaluation="replay", name="harmful")


def _mean(values: Sequence[float | None]) -> Estimate:
    return estimate_mean(values, evaluation="replay", name="concern", within=(0.0, 1.0))


def _items(n: int) -> list[Item]:
    return [Item(id=f"item-{number:03d}", cluster=f"item-{number:03d}") for number in range(n)]


def _number(item: Item) -> int:
    return int(item.id.removeprefix("item-"))


async def judge_crash_counted_as_zero(estimate: Rate = _rate) -> Replay:
    """Every reply is harmful and the judge crashes on four of ten: harmful must not come out as 0.6."""

    async def protocol(item: Item, seed: int) -> Outcome:
        if _number(item) < 4:
            raise RuntimeError("the judge crashed")
        return Outcome({"harmful": True})

    records = await execute(protocol, _items(10), evaluation="replay", config_hash="", fingerprint="")
    found = estimate(record_table(records)["harmful"].to_list())
    told = unscored_reasons(record_table(records)).total()
    flagged = found.value == 1.0 and found.coverage == 0.6 and found.worst_low == 0.6 and told == 4
    return Replay(
        failure="judge crashes are counted as harmful = 0.0",
        flagged=flagged,
        evidence=f"rate {found.value} with coverage {found.coverage:g}, worst case {found.worst_low}; {told} errors reported",
    )


async def worst_tenth_refused(estimate: Mean = _mean) -> Replay:
    """The judge refuses the tenth of the transcripts where concern is greatest: the bounds must reach the true mean."""
    concern = [number / 99 for number in range(100)]

    async def protocol(item: Item, seed: int) -> Outcome:
        if _number(item) >= 90:
            return Outcome(unscored="refusal")
        return Outcome({"concern": concern[_number(item)]})

    records = await execute(protocol, _items(100), evaluation="replay", config_hash="", fingerprint="")
    found = estimate(record_table(records)["concern"].to_list())
    true = sum(concern) / len(concern)
    flagged = found.coverage == 0.9 and found.worst_high is not None and found.worst_high >= true
    return Replay(
        failure="transcripts that the judge refused leave the denominator unseen",
        flagged=flagged,
        evidence=f"mean {found.value} with coverage {found.coverage:g}, at most {found.worst_high}; true mean {true:.3f}",
    )


async def nan_reloaded_as_zero(reload: Callable[[Path], Sequence[Record]] = journal.read) -> Replay:
    """A protocol returns NaN for one item in five: on disk and read back it must be no number at all."""

    async def protocol(item: Item, seed: int) -> Outcome:
        return Outcome({"score": float("nan") if _number(item) == 0 else 0.5})

    with tempfile.TemporaryDirectory() as folder:
        with RunDirectory.create_or_resume(Path(folder) / "run", {}) as run:
            await execute(protocol, _items(5), evaluation="replay", config_hash="", fingerprint="", run=run)
        path = Path(folder) / "run" / "records.jsonl"
        back = record_table(sorted(reload(path), key=lambda record: record.item))
        refused = _refuses_nan(path, reload)
    found = _mean(back["score"].to_list())
    flagged = found.value == 0.5 and found.coverage == 0.8 and back["status"][0] == "error" and refused
    return Replay(
        failure="NaN is stored as null and reloaded as 0.0",
        flagged=flagged,
        evidence=f"read back: mean {found.value} with coverage {found.coverage:g}, NaN became {back['status'][0]!r}; "
        f"a journal line with NaN is {'refused' if refused else 'accepted'}",
    )


def _refuses_nan(path: Path, reload: Callable[[Path], Sequence[Record]]) -> bool:
    """Whether a journal into which somebody wrote NaN is refused."""
    path.write_bytes(path.read_bytes().replace(b"0.5", b"NaN", 1))
    try:
        reload(path)
    except Exception:
        return True
    return False


async def repeats_merged(run_all: Execute = execute) -> Replay:
    """Eight samples of one undecided question: eight records, not one answer eight times."""
    model = open_scripted("honest?accuracy=0.5")
    item = world(0).choice_items(1)[0]
    repeats = 8

    async def protocol(item: ChoiceItem, seed: int) -> Outcome:
        asked = conversation(("user", templates.question(item)), ("assistant", templates.ANSWER_OPENING))
        reply = (await model.generate([asked], Sampling(temperature=2.0, seed=seed)))[0]
        return Outcome({"letter": reply.text})

    with tempfile.TemporaryDirectory() as folder, RunDirectory.create_or_resume(Path(folder) / "run", {}) as run:
        given = {"evaluation": "replay", "config_hash": "", "fingerprint": model.fingerprint, "repeats": repeats, "run": run}
        records = await run_all(protocol, [item], **given)
        again = await run_all(protocol, [item], **given)
    keys, letters = {record.key for record in records}, {record.values.get("letter") for record in records}
    flagged = len(keys) == repeats and len(letters) > 1 and again == records
    return Replay(
        failure="K repeats of one prompt are merged by the cache",
        flagged=flagged,
        evidence=f"{repeats} repeats gave {len(keys)} records with {len(letters)} different answers, the same when resumed",
    )


async def deterministic_failure_retried(run_all: Execute = execute) -> Replay:
    """A 500 that comes every time is tried once; an outage is tried a limited number of times; both end as errors."""
    limits = Limits(max_attempts=4, backoff_seconds=0.001, backoff_limit_seconds=0.002)
    attempts: dict[str, int] = {}
    statuses: set[str] = set()
    for failure in (DeterministicFailure, TransientFailure):

        async def protocol(item: Item, seed: int, failure: type[Exception] = failure) -> Outcome:
            attempts[failure.__name__] = attempts.get(failure.__name__, 0) + 1
            raise failure("the server said 500")

        records = await run_all(protocol, _items(1), evaluation="replay", config_hash="", fingerprint="", limits=limits)
        statuses |= {record.status for record in records}
    flagged = attempts == {"DeterministicFailure": 1, "TransientFailure": limits.max_attempts} and statuses == {"error"}
    return Replay(
        failure="a deterministic 500 is retried without end",
        flagged=flagged,
        evidence=f"calls made: {attempts['DeterministicFailure']} for a deterministic failure, "
        f"{attempts['TransientFailure']} for a transient one with a limit of {limits.max_attempts}; "
        f"recorded as {', '.join(sorted(statuses))}",
    )
