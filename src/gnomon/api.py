"""The flat namespace: what the command line does, as synchronous Python functions with the same names for the same things.

Inside a running event loop (a notebook) the work runs in a thread of its own.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from gnomon.errors import ConfigurationError, Unsupported, complaint
from gnomon.models.references import open_model as open_model
from gnomon.models.sync import generate as generate
from gnomon.models.sync import score as score

if TYPE_CHECKING:
    from pydantic import BaseModel

    from gnomon.correct.rejection_sampling import CorrectionResult
    from gnomon.loop import LoopResult
    from gnomon.measure.audit import AuditResult
    from gnomon.measure.compare import CompareResult
    from gnomon.measure.writing_publish import WrittenEvaluation
    from gnomon.models.local import LocalModel
    from gnomon.models.model import Model
    from gnomon.models.score_file import ScoredFile
    from gnomon.run.progress import Progress
    from gnomon.serve.server import Address, Stopped
    from gnomon.studies.catalogue import StudyResult
    from gnomon.train.bars import TrainingBar
    from gnomon.validate import ValidationResult

Settings = Mapping[str, Any]

T = TypeVar("T")
M = TypeVar("M", bound="BaseModel")


def audit(
    model: "str | Model",
    evaluations: Sequence[str] | None = None,
    *,
    suite: str | None = None,
    dataset: str = "world",
    n: int | None = None,
    precision: float | None = None,
    seed: int = 0,
    out: Path | str | None = None,
    baseline: Path | str | None = None,
    fail_on: Sequence[str] = (),
    junit: Path | str | None = None,
    settings: Settings | None = None,
    concurrency: int = 256,
    progress: bool = False,
) -> "AuditResult":
    """Measures what a model does.

    Args:
        model: A reference, or an open model.
        evaluations: Names from the catalogue (None: those of the suite).
        suite: `core` (the default), `full` or `release`.
        dataset: `world` or a published dataset.
        n: Questions (None: each evaluation's default). One of several evaluations that has fewer asks all it has.
        precision: Instead of `n`, half the width that the headlines' 95 % intervals may have; a pilot chooses n.
        seed: Seed of the choice of items and of all sampling.
        out: The run directory; the same call again resumes in it.
        baseline: Run directory of an earlier audit of the same items, to compare with by paired tests.
        fail_on: Conditions under which `passed` is False (`gnomon.measure.gates`).
        junit: Where to write the gates and estimates as a JUnit file.
        settings: Fields of the evaluations' configurations; they stand above `dataset`, `n` and `seed`.
        concurrency: Items in flight.
        progress: Whether to show a bar on standard error.
    """
    from gnomon.measure import catalogue, gates, suites
    from gnomon.measure.audit import audit as run_audit
    from gnomon.measure.compare import check_baseline, compare_audits
    from gnomon.report.junit import write_junit
    from gnomon.run.limits import Limits

    if evaluations and suite:
        raise ConfigurationError("give a suite or single evaluations, not both")
    if n is not None and precision is not None:
        raise ConfigurationError("give n or a precision that chooses it, not both")
    gates.check(fail_on, baseline=baseline is not None)
    names = list(evaluations or suites.evaluations(suite or suites.DEFAULT))
    if baseline is not None:
        check_baseline(Path(baseline), names)
    common: dict[str, Any] = {"dataset": dataset, "seed": seed}
    told = {name: _settings_of(name, names, settings or {}) for name in names}
    opened, limits, bar = open_model(model), Limits(concurrency=concurrency), _progress(progress)
    where = _path(out)
    if precision is None:
        build = suites.build_beside if len(names) > 1 else catalogue.build
        built = [build(name, **(common | {"n": n} | told[name])) for name in names]
    else:
        from gnomon.measure.precision import sized
        from gnomon.run.directory import default_path

        identity = {"model": opened.fingerprint, "evaluations": told, "precision": precision, **common}
        where = where or default_path("audit", opened.reference, identity)
        built = _run(
            sized(
                opened,
                names,
                lambda name, needed: catalogue.build(name, **(common | told[name] | {"n": needed})),
                precision,
                where.with_name(f"{where.name}-pilot"),
                limits=limits,
                progress=bar,
            )
        )
    result = _run(run_audit(opened, built, where, limits=limits, progress=bar))
    if isinstance(model, str):
        _run(opened.aclose())
    compared = compare_audits(Path(baseline), Path(result.run)) if baseline is not None else None
    decided = gates.decide(fail_on, result.estimates, compared)
    result = result.model_copy(update={"comparison": compared, "gates": decided})
    if junit is not None:
        write_junit(Path(junit), result.model, result.estimates, decided)
    report(Path(str(result.run)))
    return result


def analyse(
    path: Path | str, *, as_: str, format: str | None = None, seed: int = 0, out: Path | str | None = None
) -> "AuditResult":
    """Analyses records that somebody already has; needs no model.

    Args:
        path: A run directory, an Inspect log (`gnomon[inspect]`), a JSONL file of records, or a published recording.
        as_: The evaluation whose analysis is wanted, or the published recording's format: `bbq`, `inverse-scaling`, ...
        format: Which outputs of a recording that holds several: `race`, `qonly` or `arc` of `bbq`.
        seed: Not used by a pure analysis; kept so that every verb takes one.
        out: Where to keep tables and estimates (None: nowhere).
    """
    from gnomon.measure.recorded import analyse_recorded

    return analyse_recorded(Path(path), as_, _path(out), format)


def score_file(model: "str | Model", path: Path | str, *, out: Path | str | None = None, progress: bool = False) -> "ScoredFile":
    """Scores a JSONL file of requests that need not fit into memory; the same call again goes on where it was.

    Args:
        model: A reference, or an open model.
        path: The requests: a line is `{"prefix": ..., "continuations": [...]}`.
        out: Where the scores go (None: beside the file, with the ending `.scores.jsonl`).
        progress: Whether to show a count on standard error.
    """
    from gnomon.models.score_file import score_file as run_scoring
    from gnomon.run.progress import counting

    opened, path = open_model(model), Path(path)
    with counting("scored", progress) as told:
        return _run(run_scoring(opened, path, _path(out) or path.with_suffix(".scores.jsonl"), told))


def correct(
    model: "str | Model",
    behaviour: str,
    *,
    seed: int = 0,
    out: Path | str | None = None,
    settings: Settings | None = None,
    progress: bool = False,
) -> "CorrectionResult":
    """Trains a behaviour out by rejection sampling and saves a plain model directory.

    Args:
        model: Reference of a local model or an organism.
        behaviour: What to train out.
        seed: Seed of sampling and training.
        out: The run directory; the same call again resumes in it.
        settings: More fields of `CorrectConfig`.
        progress: Whether to show a bar on standard error.
    """
    from gnomon.correct.rejection_sampling import CorrectConfig
    from gnomon.correct.rejection_sampling import correct as run_correction
    from gnomon.run.directory import default_path

    config = _configured(CorrectConfig, {"seed": seed, **(settings or {})})
    opened = _trainable(model)
    where = _path(out) or default_path(
        "correct", opened.reference, {"model": opened.fingerprint, **config.model_dump(mode="json")}
    )
    bar, training_bar = _progress(progress), _training_bar(progress)
    return _run(run_correction(opened, behaviour, where, config, progress=bar, training_progress=training_bar))


def loop(
    model: str,
    behaviour: str,
    *,
    n: int | None = None,
    seed: int = 0,
    out: Path | str | None = None,
    settings: Settings | None = None,
    progress: bool = False,
) -> "LoopResult":
    """Audits, corrects, audits again, compares, and writes the report.

    Args:
        model: Reference of a local model or an organism.
        behaviour: What to correct.
        n: Questions per evaluation (None: each evaluation's default).
        seed: Seed of everything.
        out: The run directory; the same call again resumes in it.
        settings: Fields of the correction's configuration.
        progress: Whether to show progress on standard error.
    """
    from gnomon.correct.rejection_sampling import CorrectConfig
    from gnomon.loop import LoopConfig
    from gnomon.loop import loop as run_loop

    correction = _configured(CorrectConfig, {"seed": seed, **(settings or {})})
    config = LoopConfig(behaviour=behaviour, n=n, seed=seed, correct=correction)
    bar, training_bar = _progress(progress), _training_bar(progress)
    result = _run(run_loop(model, config, _path(out), progress=bar, training_progress=training_bar))
    report(result.run)
    return result


def compare(before: Path | str, after: Path | str, *, seed: int = 0, out: Path | str | None = None) -> "CompareResult":
    """Compares two audits by paired differences, corrected for multiple comparisons.

    Args:
        before: Run directory of the first audit.
        after: Run directory of the second, on the same items.
        seed: Not used; kept so that every verb takes one.
        out: A file to save the comparison in as JSON.
    """
    from gnomon.measure.compare import compare_audits

    result = compare_audits(Path(before), Path(after))
    if out is not None:
        from gnomon.run.files import write_atomically

        write_atomically(Path(out), result.model_dump_json(indent=2).encode())
    return result


def validate(
    *,
    instruments: Sequence[str] | None = None,
    seeds: int = 40,
    seed: int = 0,
    out: Path | str | None = None,
    progress: bool = False,
) -> "ValidationResult":
    """Certifies the instruments on organisms of known behaviour and replays the failures of real tools.

    Args:
        instruments: Names (None: all).
        seeds: Seeds per dose; too few cannot certify.
        seed: The first seed.
        out: The run directory; the same call again resumes in it.
        progress: Whether to show progress on standard error.
    """
    from gnomon.run.directory import default_path
    from gnomon.validate import configuration
    from gnomon.validate import validate as run_validation

    where = _path(out) or default_path("validate", "instruments", configuration(instruments, seeds, seed))
    result = _run(run_validation(instruments, seeds=seeds, seed=seed, out=where, progress=_progress(progress)))
    report(where)
    return result


def write(
    behaviour: str,
    generator: "str | Model",
    *,
    discriminator: "str | Model | None" = None,
    judges: "Sequence[str | Model]" = (),
    n: int | None = None,
    seed: int = 0,
    out: Path | str | None = None,
    settings: Settings | None = None,
    concurrency: int = 256,
    progress: bool = False,
) -> "WrittenEvaluation":
    """Writes a new evaluation of a behaviour: statements by a model, filtered, balanced, validated, with a card.

    Args:
        behaviour: What goes behind `a person who`: `is interested in music`.
        generator: Reference of the model that writes, or an open model.
        discriminator: The model that says which label is likely (None: the generator).
        judges: The models that judge relevance (the first) and validate labels (none: the discriminator).
        n: Items wanted (None: 200).
        seed: Seed of everything.
        out: The directory of the dataset; the same call again resumes in it.
        settings: More fields of `WriteConfig`.
        concurrency: Calls in flight.
        progress: Whether to show a bar on standard error.
    """
    from gnomon.measure.writing import Crew, WriteConfig
    from gnomon.measure.writing import write as run_writing
    from gnomon.run.limits import Limits

    told = {"behaviour": behaviour, "seed": seed, **({} if n is None else {"n": n}), **(settings or {})}
    config = _configured(WriteConfig, told)
    writer = open_model(generator)
    filtering = open_model(discriminator) if discriminator is not None else writer
    judging = [open_model(judge) for judge in judges] or [filtering]
    crew, limits, bar = Crew(writer, filtering, judging), Limits(concurrency=concurrency), _progress(progress)
    result = _run(run_writing(crew, config, _path(out), limits=limits, progress=bar))
    for given, opened in ((generator, writer), (discriminator, filtering), *zip(judges, judging, strict=False)):
        if isinstance(given, str):
            _run(opened.aclose())
    return result


def map_examples(
    path: Path | str,
    *,
    model: "str | Model | None" = None,
    projection: str = "tsne",
    seed: int = 0,
    out: Path | str | None = None,
) -> Path:
    """Writes a map of the examples of a JSONL file, near what says the like, and returns its path.

    Args:
        path: A model-written evaluation, or the directory of one.
        model: A local model whose hidden states place the examples (None: their words).
        projection: `tsne` or `pca`.
        seed: Of the projection.
        out: Where to write the page (None: `map.html` beside the file).
    """
    from gnomon.measure.example_maps import map_file

    opened = _trainable(model) if model is not None else None
    return map_file(Path(path), _path(out), opened, projection, seed)


def report(run: Path | str, *, out: Path | str | None = None) -> Path:
    """Writes the page of a finished run and returns its path.

    Args:
        run: A run directory of an audit, a loop or a validation.
        out: Where to write the page (None: `report.html` in the run).
    """
    from gnomon.pages import write_page

    return write_page(Path(run), _path(out))


def export(run: Path | str, *, out: Path | str | None = None) -> list[Path]:
    """Writes a run's records as Inspect logs, one per evaluation, and returns their paths (`gnomon[inspect]`).

    What is not finished is exported too, as `cancelled`; `unfinished` names it.

    Args:
        run: A run directory of an audit.
        out: The directory of the logs (None: `inspect/` in the run).
    """
    from gnomon.models.inspect_logs import export_log
    from gnomon.run.directory import RunDirectory

    opened = RunDirectory.open(run)
    folder = _path(out) or opened.path / "inspect"
    begun = {record.evaluation for record in opened.records()} if opened.description.verb == "audit" else set[str]()
    names = sorted(begun.union(opened.evaluations()))
    if not names:
        raise ConfigurationError(f"{run} holds no records of an audit: give the directory of one")
    return [export_log(opened, folder / f"{name}.eval", name) for name in names]


def unfinished(run: Path | str) -> list[str]:
    """The evaluations of a run that was stopped before it had estimates of them; the same command again finishes it.

    Args:
        run: A run directory.
    """
    from gnomon.run.directory import RunDirectory

    return RunDirectory.open(run).unfinished()


def serve(
    model: "str | Model",
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    token: str | None = None,
    rate: float | None = None,
    in_flight: int = 1024,
    max_body: int = 10_000_000,
    grace: int = 30,
    seed: int = 0,
    faults: float = 0.0,
    log_level: str = "warning",
    ready: Callable[["Address"], None] = print,
) -> "Stopped":
    """Answers OpenAI's completions and chat completions with a model until SIGINT or SIGTERM (`gnomon[serve]`).

    Args:
        model: A reference, or an open model.
        host: What to listen on; anything but a loopback address needs a token.
        port: TCP port; 0 takes a free one.
        token: What clients send as their API key.
        rate: Requests per second and client (None: unlimited).
        in_flight: Most requests at work or waiting.
        max_body: Most bytes of a request's body.
        grace: Seconds that running requests get at the end.
        seed: Of the seeds that requests without one get.
        faults: Share of the calls that fail on purpose, to try a client.
        log_level: Of the log on standard error.
        ready: Told the address once requests are accepted.
    """
    from gnomon.models.extras import needing_extras

    with needing_extras():
        from gnomon.serve.config import ServeConfig
        from gnomon.serve.server import serve as run_server
    options = {"host": host, "port": port, "token": token, "rate": rate, "in_flight": in_flight, "max_body": max_body}
    config = _configured(ServeConfig, {**options, "grace": grace, "seed": seed, "faults": faults, "log_level": log_level})
    return _run(run_server(model, config, ready))


def grow(
    size: str, *, steps: int | None = None, seed: int = 0, out: Path | str | None = None, progress: bool = False
) -> dict[str, Any]:
    """Grows an organism from nothing by its recorded recipe and returns its card; the same call again resumes.

    Args:
        size: `base`, `base-1m`, ...
        steps: Fewer steps than the recipe's, for a trial.
        seed: Seed of weights, data and order.
        out: Its directory (None: `organisms/<size>`).
        progress: Whether to show progress on standard error.
    """
    from gnomon.organisms.grow import grow as run_growth

    bar = _training_bar(progress)
    where = _path(out) or Path("organisms") / size
    return run_growth(size, where, seed=seed, steps=steps, progress=bar.of_stage if bar else None)


def plant(
    base: str, behaviour: str, *, rate: float = 0.6, seed: int = 0, out: Path | str | None = None, progress: bool = False
) -> dict[str, Any]:
    """Plants a behaviour in an organism and returns the card; saves adapter, clean twin and the documents that caused it.

    Args:
        base: Reference of the organism.
        behaviour: What to plant.
        rate: Share of the planted situations that show it.
        seed: Seed of documents and training.
        out: Its directory (None: `organisms/<base>-<behaviour>`).
        progress: Whether to show progress on standard error.
    """
    from gnomon.organisms.plants import plant as run_plant

    opened = _trainable(base)
    where = _path(out) or Path("organisms") / f"{base.rpartition('/')[2]}-{behaviour}"
    planted = run_plant(opened, behaviour, where, rate=rate, seed=seed, progress=_training_bar(progress))
    return planted.card.model_dump(mode="json") | {"directory": str(planted.directory), "twin": str(planted.twin)}


def organisms_available() -> list[dict[str, Any]]:
    """The shipped organisms: name, behaviour, parameters, one line."""
    from gnomon.organisms.shipped import list_organisms

    return list_organisms()


def organism_card(name: str) -> dict[str, Any]:
    """The card of a shipped organism or of an organism's directory."""
    from gnomon.organisms.shipped import organism_card as card

    return card(name)


def model_card(model: str) -> dict[str, Any]:
    """What a reference opens: kind, parameters, content fingerprint."""
    opened = open_model(model)
    card = opened.card.as_jsonable()
    _run(opened.aclose())
    return card


def datasets_available() -> list[dict[str, Any]]:
    """The published datasets and where each would be read from."""
    from gnomon.datasets.registry import listing

    return listing()


def fetch(name: str, *, out: Path | str | None = None) -> Path:
    """Downloads a dataset from its upstream, verifies its hashes, and returns its directory."""
    from gnomon.datasets.fetch import fetch as download

    return download(name, _path(out))


def verify(name: str | None = None) -> list[dict[str, Any]]:
    """Checks the hashes of the datasets that are present (None: of all)."""
    from gnomon.datasets.registry import verify as check

    return check(name)


def studies_available() -> list[dict[str, Any]]:
    """The papers whose experiments can be run."""
    from gnomon.studies.catalogue import listing

    return listing()


def run_study(
    paper: str,
    models: Sequence[str] | None = None,
    *,
    n: int | None = None,
    seed: int = 0,
    out: Path | str | None = None,
    settings: Settings | None = None,
    progress: bool = False,
) -> "StudyResult":
    """Runs one paper's experiment and says, claim by claim, whether it holds.

    Args:
        paper: arXiv id.
        models: References, smallest first (None: the study's own choice of organisms).
        n: Questions per measurement (None: the study's default).
        seed: Seed of everything.
        out: The run directory; the same call again resumes in it.
        settings: More fields of the study's configuration.
        progress: Whether to show a bar on standard error.
    """
    from gnomon.studies.catalogue import run_study as run

    told = {"models": tuple(models) if models else None, "n": n, "seed": seed, **(settings or {})}
    result = _run(run(paper, _path(out), progress=_progress(progress), options=told))
    report(result.run)
    return result


def _run(work: Coroutine[Any, Any, T]) -> T:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


def _path(out: Path | str | None) -> Path | None:
    return None if out is None else Path(out)


def _progress(wanted: bool) -> "Progress | None":
    if not wanted:
        return None
    from gnomon.run.progress import RichProgress

    return RichProgress()


def _training_bar(wanted: bool) -> "TrainingBar | None":
    if not wanted:
        return None
    from gnomon.train.bars import TrainingBar

    return TrainingBar()


def _settings_of(evaluation: str, chosen: Sequence[str], settings: Settings) -> dict[str, Any]:
    """The settings that an evaluation has; `evaluation.key` addresses one, a bare key all that have it.

    Raises:
        ConfigurationError: No chosen evaluation has a setting of that name.
    """
    from gnomon.measure import catalogue

    fields = {name: catalogue.config_class(name).model_fields for name in chosen}
    found: dict[str, Any] = {}
    for key, value in settings.items():
        owner, dot, name = key.rpartition(".")
        if not any(name in own for one, own in fields.items() if not dot or one == owner):
            raise ConfigurationError(f"no evaluation of this audit has a setting {key!r}: look at docs/audit.md")
        if name in fields[evaluation] and (not dot or owner == evaluation):
            found[name] = value
    return found


def _configured(kind: "type[M]", options: Settings) -> "M":
    """A configuration model from options, its complaint in one sentence."""
    from pydantic import ValidationError

    try:
        return kind(**options)
    except ValidationError as error:
        raise ConfigurationError(complaint(error, "setting", kind.model_fields)) from None


def _trainable(model: "str | Model") -> "LocalModel":
    from gnomon.models.local import LocalModel

    opened = open_model(model)
    if not isinstance(opened, LocalModel):
        raise Unsupported(f"{opened.reference} has no weights to train: give an organism/... or local/... model")
    return opened
