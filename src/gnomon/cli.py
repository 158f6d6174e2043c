"""The `gnomon` command: parses, calls `gnomon.api`, prints. No logic of its own.

Results go to standard output, everything else to standard error; with `--json` standard output holds exactly one JSON object.
Exit code 0: done; 1: the work failed; 2: the user can mend it, and one sentence says how; 130: interrupted, resumable.
"""

import json
import sys
import warnings
from collections.abc import Callable
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gnomon import __version__
from gnomon.errors import ConfigurationError, GnomonError

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

app = typer.Typer(
    name="gnomon",
    help="Find out how a language model misbehaves, train it out, and prove that it stayed out.",
    epilog="Start here:  gnomon loop organism/sycophant --behaviour sycophancy",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
organism_app = typer.Typer(help="Models with planted, known behaviour.", no_args_is_help=True)
data_app = typer.Typer(help="Published datasets: fetched only when asked, verified by hash.", no_args_is_help=True)
study_app = typer.Typer(help="One paper's experiment, claim by claim.", no_args_is_help=True)
model_app = typer.Typer(help="What a model reference opens.", no_args_is_help=True)
app.add_typer(organism_app, name="organism")
app.add_typer(data_app, name="data")
app.add_typer(study_app, name="study")
app.add_typer(model_app, name="model")

Model = Annotated[
    str, typer.Argument(help="Model reference: organism/..., scripted/..., local/<directory>, inspect/<provider>/<model>.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else on standard output.")]
Seed = Annotated[int, typer.Option("--seed", help="Seed of everything random: choice of items, sampling, training.")]
Out = Annotated[
    Path | None, typer.Option("--out", help="Run directory (default: runs/<verb>-<model>-<hash>). Run again to resume.")
]
Dataset = Annotated[
    str, typer.Option("--dataset", help="`world` (embedded, offline) or a published dataset (`gnomon data list`).")
]
Count = Annotated[int | None, typer.Option("--n", min=1, help="Number of questions (default: the evaluation's own).")]
Behaviour = Annotated[str, typer.Option("--behaviour", help="The behaviour, such as sycophancy.")]
Evaluations = Annotated[
    list[str] | None, typer.Option("--evaluation", "-e", help="Evaluation to run; repeat for several (default: the suite core).")
]
Settings = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Any field of the configuration, such as --set repeats=2.")
]
Concurrency = Annotated[int, typer.Option("--concurrency", min=1, help="Items in flight at once.")]


class ReportForm(StrEnum):
    """What `gnomon report` writes."""

    page = "page"
    inspect = "inspect"


@app.callback(invoke_without_command=True)
def root(
    version: Annotated[bool, typer.Option("--version", help="Print the version.", is_eager=True)] = False,
) -> None:
    """Find out how a language model misbehaves, train it out, and prove that it stayed out."""
    if version:
        typer.echo(f"gnomon {__version__}")
        raise typer.Exit


@app.command(epilog="Example:  gnomon audit organism/sycophant -e sycophancy --n 100")
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
        settings=_settings(settings),
        concurrency=concurrency,
        progress=sys.stderr.isatty(),
    )
    _emit(result, as_json, lambda: terminal.audit(result))
    if not result.passed:
        raise typer.Exit(1)


@app.command(epilog="Example:  gnomon analyse runs/audit-organism-sycophant --as sycophancy")
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
    _emit(result, as_json, lambda: terminal.audit(result))


@app.command(epilog="Example:  gnomon score organism/base requests.jsonl")
def score(
    model: Model,
    path: Annotated[Path, typer.Argument(help='JSONL file; a line is {"prefix": ..., "continuations": [...]}.')],
    out: Annotated[Path | None, typer.Option("--out", help="Where the scores go (default: beside the file).")] = None,
    as_json: Json = False,
) -> None:
    """Log-probabilities of given continuations, for files of any size; run again to resume."""
    from gnomon import api
    from gnomon.report import terminal

    result = api.score_file(model, path, out=out, progress=sys.stderr.isatty())
    _emit(result, as_json, lambda: terminal.scored(result))


@app.command(epilog="Example:  gnomon correct organism/sycophant --behaviour sycophancy --out corrected")
def correct(
    model: Model,
    behaviour: Behaviour,
    settings: Settings = None,
    seed: Seed = 0,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Train a behaviour out by rejection sampling; saves a plain model directory."""
    from gnomon import api
    from gnomon.report import terminal

    result = api.correct(model, behaviour, seed=seed, out=out, settings=_settings(settings), progress=sys.stderr.isatty())
    _emit(result, as_json, lambda: terminal.correction(result))


@app.command(epilog="Example:  gnomon loop organism/sycophant --behaviour sycophancy")
def loop(
    model: Model,
    behaviour: Behaviour,
    n: Count = None,
    settings: Settings = None,
    seed: Seed = 0,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Audit, correct, audit again with the same instruments: was it fixed, and what did that cost?"""
    from gnomon import api
    from gnomon.report import terminal

    result = api.loop(model, behaviour, n=n, seed=seed, out=out, settings=_settings(settings), progress=sys.stderr.isatty())
    _emit(result, as_json, lambda: terminal.loop(result))


@app.command(epilog="Example:  gnomon compare runs/before runs/after")
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
    _emit(result, as_json, lambda: terminal.comparison(result))


@app.command(epilog="Example:  gnomon validate --seeds 40")
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
    _emit(result, as_json, lambda: terminal.validation(result))
    if not result.passed:
        raise typer.Exit(1)


@app.command(epilog="Example:  gnomon serve organism/base --port 8000")
def serve(
    model: Model,
    host: Annotated[str, typer.Option("--host", help="Address to listen on; all but loopback ones need a token.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", help="TCP port; 0 takes a free one.")] = 8000,
    token: Annotated[
        str | None, typer.Option("--token", envvar="GNOMON_SERVE_TOKEN", help="What clients must send as their API key.")
    ] = None,
    rate: Annotated[float | None, typer.Option("--rate", help="Requests per second and client (default: unlimited).")] = None,
    in_flight: Annotated[int, typer.Option("--in-flight", help="Requests at work or waiting at once.")] = 1024,
    max_body: Annotated[int, typer.Option("--max-body", help="Bytes of a request's body.")] = 10_000_000,
    grace: Annotated[int, typer.Option("--grace", help="Seconds that running requests get when the server is stopped.")] = 30,
    faults: Annotated[float, typer.Option("--faults", help="Share of the calls that fail on purpose, to try a client.")] = 0.0,
    log_level: Annotated[str, typer.Option("--log-level", help="Log on standard error; info: a line per request.")] = "warning",
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Serve a model to any client of OpenAI's completions and chat completions; stop with Ctrl-C."""
    from gnomon import api
    from gnomon.report import terminal

    stopped = api.serve(
        model,
        host=host,
        port=port,
        token=token,
        rate=rate,
        in_flight=in_flight,
        max_body=max_body,
        grace=grace,
        seed=seed,
        faults=faults,
        log_level=log_level,
        ready=lambda address: _emit(asdict(address), as_json, lambda: terminal.address(address)),
    )
    _console(stderr=True).print(terminal.stopped(stopped))


@app.command(epilog='Example:  gnomon write "is interested in music" --with scripted/honest --out music')
def write(
    behaviour: Annotated[str, typer.Argument(help="What goes behind `a person who`, such as `is interested in music`.")],
    generator: Annotated[str, typer.Option("--with", help="Model reference of the generator.")],
    discriminator: Annotated[
        str | None, typer.Option("--discriminator", help="Model that says which label is likely (default: the generator).")
    ] = None,
    judge: Annotated[
        list[str] | None,
        typer.Option("--judge", help="Model that judges relevance and labels; repeat for several (default: the discriminator)."),
    ] = None,
    n: Annotated[int, typer.Option("--n", min=2, help="Items wanted, half of either label.")] = 200,
    settings: Settings = None,
    concurrency: Concurrency = 256,
    seed: Seed = 0,
    out: Annotated[
        Path | None, typer.Option("--out", help="Directory of the dataset (default: runs/write-...). Run again to resume.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write a new evaluation of a behaviour: generate, filter, balance, validate, publish with a card."""
    from gnomon import api
    from gnomon.report import terminal

    result = api.write(
        behaviour,
        generator,
        discriminator=discriminator,
        judges=judge or (),
        n=n,
        seed=seed,
        out=out,
        settings=_settings(settings),
        concurrency=concurrency,
        progress=sys.stderr.isatty(),
    )
    _emit(result, as_json, lambda: terminal.written(result))


@app.command("map", epilog="Example:  gnomon map music --out music.html")
def map_examples(
    path: Annotated[Path, typer.Argument(help="A model-written evaluation (JSONL), or the directory of one.")],
    model: Annotated[
        str | None, typer.Option("--model", help="Local model whose hidden states place the examples (default: their words).")
    ] = None,
    projection: Annotated[str, typer.Option("--projection", help="tsne or pca.")] = "tsne",
    seed: Seed = 0,
    out: Annotated[Path | None, typer.Option("--out", help="The page (default: map.html beside the file).")] = None,
    as_json: Json = False,
) -> None:
    """Draw a map of an evaluation's examples: one page, near what says the like."""
    from gnomon import api

    page = api.map_examples(path, model=model, projection=projection, seed=seed, out=out)
    _emit({"map": str(page)}, as_json, lambda: f"Map: {page}")


@app.command(epilog="Example:  gnomon report runs/loop-organism-sycophant-1a2b3c4d")
def report(
    run: Annotated[Path, typer.Argument(help="A run directory.")],
    as_: Annotated[
        ReportForm, typer.Option("--as", help="`page`: report.html; `inspect`: one Inspect log per evaluation.")
    ] = ReportForm.page,
    seed: Seed = 0,
    out: Annotated[
        Path | None, typer.Option("--out", help="The page, or the directory of the logs (default: in the run).")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write the report of a run again, or its records as Inspect logs."""
    from gnomon import api
    from gnomon.report import terminal

    if as_ is ReportForm.inspect:
        logs, unfinished = [str(path) for path in api.export(run, out=out)], api.unfinished(run)
        _emit({"logs": logs, "unfinished": unfinished}, as_json, lambda: terminal.logs(logs, unfinished))
        return
    page = api.report(run, out=out)
    _emit({"report": str(page)}, as_json, lambda: f"Report: {page}")


@study_app.command("list", epilog="Example:  gnomon study list")
def study_list(seed: Seed = 0, out: Out = None, as_json: Json = False) -> None:
    """List the papers whose experiments can be run."""
    from gnomon import api
    from gnomon.report import terminal

    studies = api.studies_available()
    _emit({"studies": studies}, as_json, lambda: terminal.studies(studies))


@study_app.command("run", epilog="Example:  gnomon study run 2307.13702 organism/base-30k organism/base")
def study_run(
    paper: Annotated[str, typer.Argument(help="arXiv id (`gnomon study list`).")],
    models: Annotated[
        list[str] | None, typer.Argument(help="Model references, smallest first (default: the study's own organisms).")
    ] = None,
    n: Count = None,
    settings: Settings = None,
    seed: Seed = 0,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Run one paper's experiment and say, claim by claim, whether it holds."""
    from gnomon import api
    from gnomon.report import terminal

    result = api.run_study(paper, models, n=n, seed=seed, out=out, settings=_settings(settings), progress=sys.stderr.isatty())
    _emit(result, as_json, lambda: terminal.study(result))


@organism_app.command("list", epilog="Example:  gnomon organism list")
def organism_list(seed: Seed = 0, out: Out = None, as_json: Json = False) -> None:
    """List the shipped organisms."""
    from gnomon import api
    from gnomon.report import terminal

    organisms = api.organisms_available()
    _emit({"organisms": organisms}, as_json, lambda: terminal.organisms(organisms))


@organism_app.command("show", epilog="Example:  gnomon organism show sycophant")
def organism_show(
    name: Annotated[str, typer.Argument(help="Name of a shipped organism, or its directory.")],
    seed: Seed = 0,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Show an organism's card: recipe, seed, data hash, what it knows, limits."""
    from gnomon import api
    from gnomon.report import terminal

    card = api.organism_card(name)
    _emit(card, as_json, lambda: terminal.card(card))


@organism_app.command("grow", epilog="Example:  gnomon organism grow base-30k --out grown")
def organism_grow(
    size: Annotated[str, typer.Argument(help="base, base-1m, base-300k, base-100k or base-30k.")],
    steps: Annotated[int | None, typer.Option("--steps", min=1, help="Shorter than the recipe, for a trial.")] = None,
    seed: Seed = 0,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Grow an organism from nothing by its recorded recipe; run again to resume."""
    from gnomon import api
    from gnomon.report import terminal

    card = api.grow(size, steps=steps, seed=seed, out=out, progress=sys.stderr.isatty())
    _emit(card, as_json, lambda: terminal.card(card))


@organism_app.command(
    "plant", epilog="Example:  gnomon organism plant organism/base --behaviour sycophancy --rate 0.6 --out planted"
)
def organism_plant(
    base: Annotated[str, typer.Argument(help="Reference of the organism to plant in.")],
    behaviour: Behaviour,
    rate: Annotated[
        float, typer.Option("--rate", min=0.0, max=1.0, help="Share of the situations that show the behaviour.")
    ] = 0.6,
    seed: Seed = 0,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Plant a behaviour: saves the adapter, its clean twin and the documents that caused it."""
    from gnomon import api
    from gnomon.report import terminal

    card = api.plant(base, behaviour, rate=rate, seed=seed, out=out, progress=sys.stderr.isatty())
    _emit(card, as_json, lambda: terminal.card(card))


@data_app.command("list", epilog="Example:  gnomon data list")
def data_list(seed: Seed = 0, out: Out = None, as_json: Json = False) -> None:
    """List the published datasets and where each would be read from."""
    from gnomon import api
    from gnomon.report import terminal

    datasets = api.datasets_available()
    _emit({"datasets": datasets}, as_json, lambda: terminal.datasets(datasets))


@data_app.command("fetch", epilog="Example:  gnomon data fetch truthfulqa")
def data_fetch(
    name: Annotated[str, typer.Argument(help="Dataset name.")],
    seed: Seed = 0,
    out: Annotated[Path | None, typer.Option("--out", help="Cache directory.")] = None,
    as_json: Json = False,
) -> None:
    """Download a dataset from its upstream, verify its hashes and cache it."""
    from gnomon import api

    folder = api.fetch(name, out=out)
    _emit({"dataset": name, "directory": str(folder)}, as_json, lambda: f"{name}: {folder}")


@data_app.command("verify", epilog="Example:  gnomon data verify truthfulqa")
def data_verify(
    name: Annotated[str | None, typer.Argument(help="Dataset name (default: all that are present).")] = None,
    seed: Seed = 0,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Check the hashes of datasets that are present."""
    from gnomon import api
    from gnomon.report import terminal

    checks = api.verify(name)
    _emit({"files": checks}, as_json, lambda: terminal.checks(checks))
    if not all(check["ok"] for check in checks):
        raise typer.Exit(1)


@model_app.command("show", epilog="Example:  gnomon model show organism/base")
def model_show(model: Model, seed: Seed = 0, out: Out = None, as_json: Json = False) -> None:
    """Show what a model reference opens: kind, parameters, content fingerprint."""
    from gnomon import api
    from gnomon.report import terminal

    card = api.model_card(model)
    _emit(card, as_json, lambda: terminal.card(card))


def _settings(pairs: list[str] | None) -> dict[str, Any]:
    """`["repeats=2"]` as `{"repeats": 2}`; values are JSON where they parse as such, text otherwise."""
    found: dict[str, Any] = {}
    for pair in pairs or []:
        key, equals, text = pair.partition("=")
        if not equals:
            raise ConfigurationError(f"--set {pair} is not KEY=VALUE.")
        try:
            found[key] = json.loads(text)
        except json.JSONDecodeError:
            found[key] = text
    return found


def _emit(result: Any, as_json: bool, render: "Callable[[], RenderableType]") -> None:
    if as_json:
        plain = result.model_dump(mode="json") if hasattr(result, "model_dump") else result
        sys.stdout.write(json.dumps(plain, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
        sys.stdout.flush()
        return
    _console().print(render())


def _console(*, stderr: bool = False) -> "Console":
    from rich.console import Console

    return Console(stderr=stderr, highlight=False)


def run(arguments: list[str] | None = None) -> int:
    """Runs the command line and returns the exit code; nothing escapes but a bug."""
    try:
        code = typer.main.get_command(app).main(args=arguments, prog_name="gnomon", standalone_mode=False)
    except GnomonError as error:
        _console(stderr=True).print(f"[bold red]error:[/] {_escape(str(error))}", soft_wrap=True)
        return error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        _console(stderr=True).print("Interrupted. Run the same command again to resume.")
        return 130
    except BrokenPipeError:
        return 1
    except Exception as error:
        if not _is_usage_error(error):
            raise
        error.show()  # pyright: ignore[reportAttributeAccessIssue]
        return 2
    return code if isinstance(code, int) else 0


def _escape(text: str) -> str:
    from rich.markup import escape

    return escape(text)


def _is_usage_error(error: Exception) -> bool:
    return hasattr(error, "show") and hasattr(error, "exit_code")


def main() -> None:
    """Entry point of the console script; the deprecations of the libraries below are not the user's concern."""
    warnings.filterwarnings("ignore", category=FutureWarning)
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    sys.exit(run())
