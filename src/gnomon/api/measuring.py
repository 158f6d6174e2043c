"""Measuring a model, and comparing what was measured."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gnomon.api.given import Settings, path_of, progress_of
from gnomon.api.reporting import report
from gnomon.errors import ConfigurationError
from gnomon.models.references import open_model
from gnomon.models.sync import run

if TYPE_CHECKING:
    from gnomon.measure.audit import AuditResult
    from gnomon.measure.compare import CompareResult
    from gnomon.models.model import Model
    from gnomon.validate import ValidationResult


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
    opened, limits, bar = open_model(model), Limits(concurrency=concurrency), progress_of(progress)
    where = path_of(out)
    if precision is None:
        build = suites.build_beside if len(names) > 1 else catalogue.build
        built = [build(name, **(common | {"n": n} | told[name])) for name in names]
    else:
        from gnomon.measure.precision import sized
        from gnomon.run.directory import default_path

        identity = {"model": opened.fingerprint, "evaluations": told, "precision": precision, **common}
        where = where or default_path("audit", opened.reference, identity)
        built = run(
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
    result = run(run_audit(opened, built, where, limits=limits, progress=bar))
    if isinstance(model, str):
        run(opened.aclose())
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

    return analyse_recorded(Path(path), as_, path_of(out), format)


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

    where = path_of(out) or default_path("validate", "instruments", configuration(instruments, seeds, seed))
    result = run(run_validation(instruments, seeds=seeds, seed=seed, out=where, progress=progress_of(progress)))
    report(where)
    return result


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
