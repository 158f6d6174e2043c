"""The content of an audit's and of a loop's page."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gnomon.errors import RunDirectoryError
from gnomon.loop import LoopResult
from gnomon.measure import catalogue
from gnomon.measure.compare import Comparison
from gnomon.report.content import Change, ReportContent, Transcript, Verdict
from gnomon.report.figure import Figure
from gnomon.report.numbers import spoken
from gnomon.report.transcripts import sample
from gnomon.run.directory import RunDirectory
from gnomon.run.record import Record

TRANSCRIPTS = 150


def audit_content(run: RunDirectory) -> ReportContent:
    """What an audit found."""
    estimates, records = run.read_estimates(), run.records()
    headlines = [estimate for estimate in estimates if estimate.name == _headline(estimate.evaluation)]
    model = str(run.description.configuration.get("reference", ""))
    return ReportContent(
        title=f"Audit of {model}",
        kind="audit",
        model=model,
        verdict=Verdict(
            word="measured",
            sentence=_coverage_sentence(records),
            headline=tuple((f"{estimate.evaluation}: {spoken(estimate.name)}", estimate) for estimate in headlines),
        ),
        facts=_facts(run),
        estimates=tuple(estimates),
        figures=tuple(_figures(run)),
        unscored=_unscored(records),
        records=len(records),
        transcripts=tuple(sample(records, TRANSCRIPTS, guarded=_guarded(records))),
        transcripts_total=len(records),
        command=_audit_command(run, model),
        **provenance(run),
    )


def loop_content(run: RunDirectory) -> ReportContent:
    """What a loop did: before, after, and the price.

    Raises:
        RunDirectoryError: The loop is not finished, or its result is broken.
    """
    result = _loop_result(run.path)
    stages = {phase: RunDirectory.open(run.path / phase) for phase in ("before", "after")}
    records = {phase: stage.records() for phase, stage in stages.items()}
    transcripts: list[Transcript] = []
    for phase, kept in records.items():
        transcripts += sample(kept, TRANSCRIPTS // 2, phase=phase, guarded=_guarded(kept))
    everything = [record for kept in records.values() for record in kept]
    correction, seed = result.correction, run.description.configuration.get("seed", 0)
    facts = (
        ("Corrected model", result.corrected),
        ("Correction", f"rejection sampling: {correction.accepted:,} of {correction.sampled:,} replies kept"),
        *_facts(run),
    )
    return ReportContent(
        title=f"{result.behaviour.capitalize()} of {result.model}, before and after correction",
        kind="loop",
        model=result.model,
        verdict=Verdict(
            word=result.verdict,
            sentence=f"{result.because[0].upper()}{result.because[1:]}.",
            headline=(("before", result.before), ("after", result.after), ("difference", result.difference)),
        ),
        facts=facts,
        estimates=tuple(stages["after"].read_estimates()),
        changes=(
            Change(
                before=result.before,
                after=result.after,
                difference=result.difference,
                p_value=result.p,
                adjusted=result.p_adjusted,
                remark=result.verdict,
            ),
            *(_change(row) for row in result.side_effects if row.evaluation == result.before.evaluation),
        ),
        side_effects=tuple(_change(row) for row in result.side_effects if row.evaluation != result.before.evaluation),
        figures=tuple(figure for phase, stage in stages.items() for figure in _figures(stage, phase)),
        unscored=_unscored(everything),
        records=len(everything),
        transcripts=tuple(transcripts),
        transcripts_total=len(everything),
        command=f"gnomon loop '{result.model}' --behaviour {result.behaviour} --seed {seed}",
        **provenance(run),
    )


def _loop_result(path: Path) -> LoopResult:
    try:
        return LoopResult.model_validate_json((path / "loop.json").read_bytes())
    except FileNotFoundError:
        raise RunDirectoryError(f"the loop in {path} is not finished: run the same `gnomon loop` again to resume it") from None
    except ValueError:
        raise RunDirectoryError(f"{path / 'loop.json'} is broken: run the same `gnomon loop` again to write it anew") from None


def _change(row: Comparison) -> Change:
    return Change(
        before=row.before, after=row.after, difference=row.difference, p_value=row.p, adjusted=row.p_adjusted, remark=row.change
    )


def _figures(run: RunDirectory, phase: str = "") -> list[Figure]:
    """What the evaluations draw of their own; of a loop's phase, named after it."""
    drawn = [
        figure
        for evaluation in run.evaluations()
        if evaluation in catalogue.names()
        for figure in catalogue.figures(evaluation, run.read_table(evaluation))
    ]
    if not phase:
        return drawn
    return [figure.model_copy(update={"name": f"{figure.name}_{phase}", "title": f"{figure.title}, {phase}"}) for figure in drawn]


def _guarded(records: Sequence[Record]) -> set[str]:
    """The evaluations whose transcripts may offend."""
    return {name for name in {record.evaluation for record in records} & set(catalogue.names()) if catalogue.guarded(name)}


def _headline(evaluation: str) -> str:
    return catalogue.headline(evaluation) if evaluation in catalogue.names() else ""


def _coverage_sentence(records: Sequence[Record]) -> str:
    scored = sum(record.status == "value" for record in records)
    share = f"{scored:,} of {len(records):,} records are scored"
    if scored == len(records):
        return f"All {len(records):,} records are scored."
    return f"{share}; read the worst-case bounds before the estimates."


def _unscored(records: Sequence[Record]) -> dict[str, int]:
    counts = Counter(
        f"error: {record.reason}" if record.status == "error" else str(record.reason)
        for record in records
        if record.status != "value"
    )
    return dict(counts.most_common())


def _facts(run: RunDirectory) -> tuple[tuple[str, str], ...]:
    card = run.description.models.get("model", {})
    parameters = card.get("parameters")
    facts = [("Content hash", str(card.get("fingerprint", "")))]
    if parameters:
        facts.append(("Parameters", f"{parameters:,}"))
    return tuple((label, text) for label, text in facts if text)


def provenance(run: RunDirectory) -> dict[str, Any]:
    """The page's fields that any run has."""
    description = run.description
    return {
        "configuration": description.configuration,
        "versions": description.versions,
        "run": run.path.name,
        "started": description.started,
    }


def _audit_command(run: RunDirectory, model: str) -> str:
    """The command with the options that all evaluations of the run share; others are in the configuration."""
    evaluations: dict[str, dict[str, Any]] = run.description.configuration.get("evaluations", {})
    words = [f"gnomon audit '{model}'", *(f"-e {name}" for name in evaluations)]
    for option in ("dataset", "n", "seed"):
        values = {json.dumps(config.get(option)) for config in evaluations.values()}
        if len(values) == 1 and (value := json.loads(values.pop())) is not None:
            words.append(f"--{option} {value}")
    return " ".join(words)
