"""Runs as Inspect logs and Inspect logs as records, so that either tool opens what the other measured.

A sample's store holds the whole record, and its score a readable part of it; nothing unscored becomes a number on the way.
Logs of other tasks can be read too: each scorer's value becomes one of the record, a NaN an unscored record, an error an error.
"""

import logging
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from gnomon.datasets.items import content_hash
from gnomon.datasets.messages import Message, Role
from gnomon.errors import ConfigurationError, DatasetError, RunDirectoryError, complaint
from gnomon.models.extras import needing_extras
from gnomon.run.directory import RunDirectory
from gnomon.run.record import Record, Status
from gnomon.run.transcripts import ChatReader, Turn
from gnomon.run.values import checked
from gnomon.stats.estimate import Estimate

with needing_extras():
    from inspect_ai.log import (
        EvalConfig,
        EvalDataset,
        EvalError,
        EvalLog,
        EvalMetric,
        EvalResults,
        EvalSample,
        EvalScore,
        EvalSpec,
        EvalStatus,
        read_eval_log,
        write_eval_log,
    )
    from inspect_ai.model import ModelOutput
    from inspect_ai.scorer import Score

    from gnomon.models.inspect_messages import to_inspect

STORED = "gnomon"
"""Key of the stored record in a sample's store and in its score's metadata."""

SCORER = "record"

_log = logging.getLogger(__name__)


def export_log(run: RunDirectory | Path | str, path: Path | str, evaluation: str | None = None) -> Path:
    """Writes the records of one evaluation as an Inspect log.

    The log of an evaluation that is not finished has the status `cancelled`, or `error` where all records so far are errors.

    Args:
        run: A run's directory.
        path: Where to; `.eval` or `.json` says the format.
        evaluation: Which (None: the only one).

    Returns:
        `path`.

    Raises:
        ConfigurationError: Another file name, several evaluations and none named, or no records of that one.
        RunDirectoryError: There is no run, or the log cannot be written.
    """
    run, path = run if isinstance(run, RunDirectory) else RunDirectory.open(run), Path(path)
    if path.suffix not in (".eval", ".json"):
        raise ConfigurationError(f"{path} says no log format: give it the ending .eval or .json")
    records = run.records()
    there = sorted({record.evaluation for record in records})
    if evaluation is None and len(there) != 1:
        raise ConfigurationError(f"{run.path} has records of {', '.join(there) or 'nothing'}: say which evaluation to export")
    chosen = _in_table_order(run, [record for record in records if record.evaluation == (evaluation or there[0])])
    if not chosen:
        raise ConfigurationError(f"{run.path} has no records of {evaluation!r}, only of {', '.join(there) or 'nothing'}")
    try:
        estimates = [estimate for estimate in run.read_estimates() if estimate.evaluation == chosen[0].evaluation]
    except RunDirectoryError:
        estimates = []
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_eval_log(_as_log(run, chosen, estimates), path)
    except OSError as error:
        raise RunDirectoryError(f"{path} cannot be written ({error.strerror or error}): choose another place") from error
    return path


def import_log(path: Path | str, evaluation: str | None = None, read_chat: ChatReader | None = None) -> list[Record]:
    """Reads the records of an Inspect log, in the order of the task's dataset; warns where the task did not finish.

    Args:
        path: A `.eval` or `.json` log.
        evaluation: What to call records of a task that is not gnomon's (None: the task's name).
        read_chat: What reads the chats of such a task (None: its scores are the values).

    Raises:
        DatasetError: No Inspect log, or one without samples.
    """
    try:
        log = read_eval_log(str(path), resolve_attachments=True)
    except Exception as error:
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise DatasetError(f"{path} cannot be read as an Inspect log ({first})") from error
    if log.samples and log.status != "success":
        _log.warning("the task in %s did not finish (%s): its records are a part of it", path, log.status)
    if not log.samples:
        raise DatasetError(f"{path} holds no samples: the task was stopped before its first, or logged none")
    order = {str(sample_id): position for position, sample_id in enumerate(log.eval.dataset.sample_ids or [])}
    samples = sorted(log.samples, key=lambda sample: (order.get(str(sample.id), len(order)), sample.epoch))
    name = evaluation or log.eval.task.rpartition("/")[2]
    try:
        return [
            record
            for _, record in sorted((_from_sample(sample, name, read_chat) for sample in samples), key=lambda pair: pair[0])
        ]
    except ValidationError as error:
        raise DatasetError(f"{path} has a sample that is no record ({complaint(error)})") from error


def stored(record: Record, position: Sequence[int]) -> dict[str, Any]:
    """What a sample's store keeps of a record: all of it, and its place in the table."""
    return {"record": record.model_dump(mode="json"), "position": list(position)}


def as_score(kept: Mapping[str, Any]) -> Score:
    """The readable part of a stored record: status and scalar values, its reason, and the record without its transcript."""
    record = Record.model_validate(kept["record"])
    scalars = {name: value for name, value in record.values.items() if not isinstance(value, list)}
    brief = record.model_dump(mode="json", exclude={"transcript"})
    return Score(
        value={"status": record.status, **scalars},
        explanation=record.reason,
        reason=record.reason,
        metadata={STORED: {"record": brief, "position": kept["position"]}},
    )


def from_scores(scores: Sequence[Score]) -> list[Record]:
    """The records behind the scores, in the table's order."""
    kept = [(score.metadata or {})[STORED] for score in scores]
    return [Record.model_validate(each["record"]) for each in sorted(kept, key=lambda each: each["position"])]


def as_metrics(estimates: Sequence[Estimate]) -> dict[str, float]:
    """Estimates as flat metrics; what was not measured is left out."""
    metrics: dict[str, float] = {}
    for estimate in estimates:
        for ending, number in (("", estimate.value), ("_low", estimate.low), ("_high", estimate.high)):
            if number is not None:
                metrics[f"{estimate.name}{ending}"] = number
        metrics[f"{estimate.name}_coverage"] = estimate.coverage
    return metrics


def _in_table_order(run: RunDirectory, records: list[Record]) -> list[Record]:
    """As in the run's table where it has one; the journal's order is that of completion."""
    if not records or records[0].evaluation not in run.evaluations():
        return records
    table = run.read_table(records[0].evaluation)
    place = {pair: position for position, pair in enumerate(zip(table["item"], table["repeat"], strict=True))}
    return sorted(records, key=lambda record: place.get((record.item, record.repeat), len(place)))


def _as_log(run: RunDirectory, records: Sequence[Record], estimates: Sequence[Estimate]) -> EvalLog:
    description = run.description
    reference = str(description.configuration.get("reference") or description.configuration.get("model") or "unknown")
    items = list(dict.fromkeys(record.item for record in records))
    metrics = {name: EvalMetric(name=name, value=value) for name, value in as_metrics(estimates).items()}
    place = {item: position for position, item in enumerate(items)}
    status, error = _status(run, records)
    return EvalLog(
        status=status,
        error=error,
        eval=EvalSpec(
            created=description.started or datetime.now(UTC).isoformat(timespec="seconds"),
            task=f"gnomon/{records[0].evaluation}",
            run_id=description.hash,
            dataset=EvalDataset(name=records[0].evaluation, samples=len(items), sample_ids=items),
            model=f"gnomon/{reference}",
            config=EvalConfig(epochs=1 + max(record.repeat for record in records)),
            packages=description.versions,
            metadata={"run": description.model_dump(mode="json")},
        ),
        results=EvalResults(
            total_samples=len(records),
            completed_samples=sum(record.status != "error" for record in records),
            scores=[EvalScore(name=SCORER, scorer=f"gnomon/{SCORER}", metrics=metrics)],
        ),
        samples=[_as_sample(record, (place[record.item], record.repeat), reference) for record in records],
    )


def _status(run: RunDirectory, records: Sequence[Record]) -> tuple[EvalStatus, EvalError | None]:
    """What Inspect calls the state of the evaluation: done, stopped before its end, or stopped by an error."""
    if records[0].evaluation not in run.unfinished():
        return "success", None
    if all(record.status == "error" for record in records):
        return "error", _error(records[-1])
    return "cancelled", None


def _error(record: Record) -> EvalError:
    return EvalError(message=record.reason or "", traceback="", traceback_ansi="")


def _as_sample(record: Record, position: tuple[int, int], reference: str) -> EvalSample:
    messages = to_inspect(as_messages(record.transcript))
    kept = stored(record, position)
    said = [message.text for message in messages if message.role == "assistant"]
    return EvalSample(
        id=record.item,
        epoch=record.repeat + 1,
        input=messages[:1] or record.item,
        target="",
        messages=messages,
        output=ModelOutput.from_content(f"gnomon/{reference}", said[-1]) if said else ModelOutput(),
        scores={SCORER: as_score(kept)},
        metadata={"cluster": record.cluster},
        store={STORED: kept},
        error=_error(record) if record.status == "error" else None,
    )


def as_messages(transcript: Sequence[Mapping[str, str]]) -> list[Message]:
    """A record's transcript as messages; a role that models do not have becomes the user's."""
    roles: dict[str, Role] = {"system": "system", "assistant": "assistant"}
    return [Message(roles.get(turn["role"], "user"), turn["content"]) for turn in transcript]


def _from_sample(sample: EvalSample, evaluation: str, read_chat: ChatReader | None) -> tuple[list[int], Record]:
    kept = sample.store.get(STORED) or next(
        (score.metadata[STORED] for score in (sample.scores or {}).values() if score.metadata and STORED in score.metadata), None
    )
    if kept is not None:
        return list(kept["position"]), Record.model_validate(kept["record"])
    record = _from_foreign_sample(sample, evaluation)
    if read_chat is None or sample.error is not None:
        return [], record
    facts = {"options": sample.choices, "target": sample.target, "cluster": record.cluster} | sample.metadata
    read = read_chat([Turn(**turn) for turn in record.transcript], facts)
    if read is None:
        return [], record
    status: Status = "unscored" if read.unscored else "value"
    found = {
        "item": read.item,
        "cluster": read.cluster,
        "status": status,
        "reason": read.unscored,
        "values": checked(read.values),
    }
    return [], record.model_copy(update=found)


def _from_foreign_sample(sample: EvalSample, evaluation: str) -> Record:
    values: dict[str, Any] = {}
    for name, score in (sample.scores or {}).items():
        values |= {name: score.value} if not isinstance(score.value, Mapping) else dict(score.value)
    unmeasured = [name for name, value in values.items() if value is None or (isinstance(value, float) and math.isnan(value))]
    measured = {name: value for name, value in values.items() if name not in unmeasured}
    reasons = [score.reason or score.explanation for score in (sample.scores or {}).values()]
    status: Status = "value" if measured else "unscored"
    reason = None if measured else next(filter(None, reasons), "the log has no score for it")
    if sample.error is not None:
        status, reason, measured = "error", sample.error.message, {}
    return Record(
        key=content_hash([evaluation, str(sample.id), sample.epoch]),
        evaluation=evaluation,
        item=str(sample.id),
        cluster=str(sample.metadata.get("cluster", sample.id)),
        repeat=sample.epoch - 1,
        status=status,
        reason=reason,
        values=measured,
        transcript=[{"role": message.role, "content": message.text} for message in sample.messages],
    )
