"""The content of a validation's page."""

from collections.abc import Sequence

from gnomon.errors import RunDirectoryError
from gnomon.measure import catalogue
from gnomon.pages.runs import provenance
from gnomon.report import content, numbers
from gnomon.report.content import ReportContent
from gnomon.report.figure import Figure
from gnomon.report.figures import cross_talk, dose_response
from gnomon.run.directory import RunDirectory
from gnomon.stats.estimate import Estimate
from gnomon.validate.certificates import Certificate, Point
from gnomon.validate.grown import Agreement
from gnomon.validate.instruments import names
from gnomon.validate.validation import ValidationResult

FEW = 8
"""Up to so many instruments each has its chart."""
RESULT = "validation.json"


def validation_content(run: RunDirectory) -> ReportContent:
    """Certificates, dose by dose, the cross-talk matrix, grown organisms and the replayed failures.

    Raises:
        RunDirectoryError: The validation is not finished, or its result is broken.
    """
    result = _result(run)
    certified = sum(one.passed for one in result.certificates)
    flagged = sum(one.flagged for one in result.replays)
    return ReportContent(
        title="Validation of the instruments",
        kind="validate",
        model="scripted and grown organisms",
        verdict=content.Verdict(
            word="passed" if result.passed else "failed",
            sentence=(
                f"{certified} of {len(result.certificates)} instruments certified on organisms of known behaviour, {flagged} of "
                f"{len(result.replays)} failures of real tools flagged, at least {result.seeds} seeds per dose."
            ),
        ),
        certificates=tuple(_certificate(one) for one in result.certificates),
        replays=tuple(content.Replay(failure=one.failure, flagged=one.flagged) for one in result.replays),
        figures=tuple(_figures(result)),
        command=_command(run, result),
        notes=(
            *(
                [f"Drawn are headlines and what did not pass; every dose and shift is in {RESULT}."]
                if len(result.certificates) > FEW
                else []
            ),
            *(f"{_spoken(one.instrument)}: {reason}" for one in result.certificates for reason in one.reasons),
            *(sentence for one in result.certificates if (sentence := _unread(one))),
            *(_agreement(one) for one in result.grown),
        ),
        **provenance(run),
    )


def _result(run: RunDirectory) -> ValidationResult:
    path = run.path / RESULT
    try:
        return ValidationResult.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise RunDirectoryError(f"the validation in {run.path} is not finished: run the same `gnomon validate` again") from None
    except ValueError:
        raise RunDirectoryError(f"{path} is broken: run the same `gnomon validate` again to write it anew") from None


def _certificate(one: Certificate) -> content.Certificate:
    shifts = [shift for shift in one.cross_talk.values() if shift is not None]
    unmeasured = len(shifts) < len(one.cross_talk)
    return content.Certificate(
        instrument=_spoken(one.instrument),
        slope=_number(one.slope),
        bias=_number(one.bias, signed=True),
        interval_coverage=numbers.share(one.interval_coverage),
        null=_number(one.null, signed=True),
        cross_talk=numbers.NOT_MEASURED if unmeasured else f"{max(map(abs, shifts), default=0.0):.3f}",
        verdict=one.verdict,
    )


def _figures(result: ValidationResult) -> list[Figure]:
    found: list[Figure | None] = []
    for one in _drawn(result):
        readings = [(point.true, _reading(one, point)) for point in one.points]
        found.append(dose_response(readings, name=f"dose_{one.instrument}", title=_spoken(one.instrument).capitalize()))
    found.append(cross_talk(_cells(_drawn(result))))
    return [figure for figure in found if figure]


def _drawn(result: ValidationResult) -> list[Certificate]:
    """Whose doses are drawn: all of a few, of many the headlines and what did not pass."""
    if len(result.certificates) <= FEW:
        return result.certificates
    headlines = {f"{name}.{catalogue.headline(name)}" for name in catalogue.names()}
    return [one for one in result.certificates if not one.passed or one.instrument in headlines]


def _reading(one: Certificate, point: Point) -> Estimate:
    evaluation, _, name = one.instrument.partition(".")
    if point.measured is None:
        return Estimate.unmeasured(evaluation, name, "not every organism of this dose could be read", unit="score")
    if point.low is None or point.high is None:
        return Estimate.unmeasured(evaluation, name, "one organism of this dose gives no interval", unit="score")
    return Estimate(
        evaluation=evaluation,
        name=name,
        value=point.measured,
        low=point.low,
        high=point.high,
        n=point.n,
        coverage=1.0,
        unit="score",
        method="mean over organisms",
    )


def _unread(one: Certificate) -> str | None:
    """Which doses are missing in the instrument's chart; None where none is."""
    missing = [f"{point.dose:g}" for point in one.points if point.measured is None]
    return f"{_spoken(one.instrument)}: not measured on every organism of the dose {', '.join(missing)}" if missing else None


def _cells(certificates: Sequence[Certificate]) -> list[tuple[str, str, float | None]]:
    """Every instrument on every organism: its own at the largest dose, the others at full dose, from the clean twin's reading."""
    organisms = sorted({name for one in certificates for name in (one.organism, *one.cross_talk)})
    cells: list[tuple[str, str, float | None]] = []
    for one in certificates:
        last = one.points[-1].measured if one.points else None
        own = None if last is None or one.twin is None else last - one.twin
        cells += [
            (_spoken(one.instrument), name, own if name == one.organism else one.cross_talk.get(name)) for name in organisms
        ]
    return cells


def _agreement(one: Agreement) -> str:
    readings = " and ".join(
        f"{'not measured' if e.value is None else f'{e.value:.2f}'} on {where}"
        for e, where in ((one.measured, "the plant"), (one.twin, "its clean twin"))
    )
    judged = "agrees" if one.agrees else "does NOT agree"
    return (
        f"{one.organism}, grown, planted at rate {one.planted:g}: {numbers.spoken(one.instrument)} reads {readings}; it {judged}."
    )


def _spoken(instrument: str) -> str:
    """`sycophancy.flip_rate` as `sycophancy, flip rate`."""
    return numbers.spoken(instrument).replace(".", ", ")


def _command(run: RunDirectory, result: ValidationResult) -> str:
    configuration = run.description.configuration
    chosen: list[str] = configuration.get("instruments", [])
    words = [f"-i {name}" for name in chosen] if sorted(chosen) != sorted(names()) else []
    return " ".join(["gnomon validate", *words, f"--seeds {result.seeds} --seed {configuration.get('seed', 0)}"])


def _number(value: float | None, *, signed: bool = False) -> str:
    if value is None:
        return numbers.NOT_MEASURED
    return f"{value:+.3f}" if signed else f"{value:.3f}"
