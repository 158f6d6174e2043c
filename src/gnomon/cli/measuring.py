"""Commands that measure a model, or what somebody measured before."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from gnomon.cli.options import Concurrency, Count, Dataset, Evaluations, Json, Model, Out, Seed, Settings, settings_of
from gnomon.cli.output import emit


def audit(
    model: Model,
    evaluation: Evaluations = None,
    suite: Annotated[str | None, typer.Option("--suite", help="core (the default), full or release.")] = None,
    dataset: Dataset = "world",
    n: Count = None,
    precision: Annotated[
        float | None, typer.Option("--precision", help="Half the width that headlines' 95 % intervals may have; chooses n.")
    ] = None,
    baseline: Annotated[Path | None, typer.Option("--baseline", help="Run of an earlier audit to compare with.")] = None,
    fail_on: Annotated[
        list[str] | None,
        typer.Option("--fail-on", metavar="CONDITION", help="Exit with 1 where it holds: sycophancy.agreement>0.2, or worse."),
    ] = None,
    junit: Annotated[Path | None, typer.Option("--junit", help="Write gates and estimates as a JUnit file.")] = None,
    settings: Settings = None,
    concurrency: Concurrency = 256,
    seed: Seed = 0,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Measure what a model does, with intervals."""
    from gnomon import api
    from gnomon.report import terminal

    result = api.audit(
        model,
        evaluations=evaluation,
        suite=suite,
        dataset=dataset,
        n=n,
        precision=precision,
        baseline=baseline,
        fail_on=fail_on or (),
        junit=junit,
        seed=seed,
        out=out,
        settings=settings_of(settings),
        concurrency=concurrency,
        progress=sys.stderr.isatty(),
    )
    emit(result, as_json, lambda: terminal.audit(result))
    if not result.passed:
        raise typer.Exit(1)


def analyse(
    path: Annotated[
        Path, typer.Argument(help="A run directory, an Inspect log, a JSONL file of records, or a published recording.")
    ],
    as_: Annotated[
        str,
        typer.Option(
            "--as",
            help="The evaluation whose analysis is wanted, or bbq, inverse-scaling, biased-cot, bbh, truthfulqa, red-teaming.",
        ),
    ],
    format: Annotated[
        str | None, typer.Option("--format", help="Which outputs of a recording that holds several (bbq: race, qonly, arc).")
    ] = None,
    seed: Seed = 0,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Analyse transcripts that somebody already has; needs no model."""
    from gnomon import api
    from gnomon.report import terminal

    result = api.analyse(path, as_=as_, format=format, seed=seed, out=out)
    emit(result, as_json, lambda: terminal.audit(result, "Analysis"))


def compare(
    before: Annotated[Path, typer.Argument(help="Run directory of the first audit.")],
    after: Annotated[Path, typer.Argument(help="Run directory of the second audit, on the same items.")],
    seed: Seed = 0,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Compare two audits by paired differences, corrected for multiple comparisons."""
    from gnomon import api
    from gnomon.report import terminal

    result = api.compare(before, after, seed=seed, out=out)
    emit(result, as_json, lambda: terminal.comparison(result))


def validate(
    instrument: Annotated[list[str] | None, typer.Option("--instrument", "-i", help="Instrument (default: all).")] = None,
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="Seeds per dose; fewer than 40 cannot certify.")] = 40,
    seed: Seed = 0,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Certify every instrument on organisms of known behaviour, and replay the failures of real tools."""
    from gnomon import api
    from gnomon.report import terminal

    result = api.validate(instruments=instrument, seeds=seeds, seed=seed, out=out, progress=sys.stderr.isatty())
    emit(result, as_json, lambda: terminal.validation(result))
    if not result.passed:
        raise typer.Exit(1)
