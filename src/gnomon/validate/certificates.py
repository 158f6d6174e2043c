"""An instrument's certificate: what it reads on organisms whose behaviour is known, against what is true of them.

An instrument passes where all four hold, on enough readings that a fault would have been seen:

- slope of measured on true value over a dose sweep: within 0.95 to 1.05, and known to +-0.05;
- its 95 % intervals hold the true value in 92 to 98 % of the sweep's readings;
- null: on clean twins the intervals hold the true value at least 92 % of the time (or so often that it may be 95 %), and the mean
  deviation is at most 0.02;
- cross-talk: organisms with another behaviour move the reading by at most 0.02 from the clean twin's, same questions, beyond what
  is true of them: where the other behaviour truly changes the estimand, an instrument that sees it is right.

A condition is refuted where its 95 % interval lies outside altogether; with several dozens of instruments a point estimate a
little outside is to be expected by chance, and more readings decide. Too few for a verdict: `cannot tell`, which is no pass.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from gnomon.stats import intervals
from gnomon.stats.dose import fit_dose_estimates, interval_coverage
from gnomon.stats.estimate import Estimate
from gnomon.stats.intervals import Interval
from gnomon.validate.readings import Reading

Verdict = Literal["passed", "failed", "cannot tell"]

SLOPE = (0.95, 1.05)
COVERAGE = (0.92, 0.98)
NULL_COVERAGE = 0.92
NOMINAL = 0.95
SMALL = 0.02
"""A shift that counts as none: of the null's mean, and of cross-talk."""
ENOUGH_INTERVALS = 200
"""Below this the share of intervals that hold the truth is known no better than to +-0.03, the width of the band itself."""
ENOUGH_NULLS = 30


class Point(BaseModel):
    """The readings at one dose, averaged over seeds.

    Attributes:
        dose: The organism's rate.
        true: What is true of it.
        measured: Mean reading (None: not every organism of this dose could be read).
        low: Lower end of the mean reading's 95 % interval over organisms (None: it needs two of them).
        high: Its upper end.
        coverage: Share of the intervals that hold the true value.
        n: Readings.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    dose: float
    true: float
    measured: float | None
    low: float | None
    high: float | None
    coverage: float
    n: int


class Certificate(BaseModel):
    """How far an instrument can be trusted.

    Attributes:
        instrument: `evaluation.estimate`.
        organism: The scripted policy whose dose was varied.
        slope: Of measured on true value (None: it did not measure); 95 % interval in `slope_interval`.
        bias: Mean of measured minus true over the sweep; 95 % interval in `bias_interval`.
        interval_coverage: Share of the sweep's 95 % intervals that hold the true value, its own interval beside it.
        twin: Mean reading on clean twins (None: not every one could be read).
        null: Mean of measured minus true on clean twins.
        null_coverage: Share of the clean twins' intervals that hold the true value.
        cross_talk: For each other behaviour, at full dose, the mean shift of the reading against the clean twin beyond the true
            one.
        points: Dose by dose.
        readings: Readings in the sweep.
        verdict: `passed`, `failed`, or `cannot tell` where there were too few readings.
        reasons: Why not passed, one sentence each.
        passed: Whether the verdict is `passed`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    instrument: str
    organism: str
    slope: float | None
    slope_interval: tuple[float, float] | None
    bias: float | None
    bias_interval: tuple[float, float] | None
    interval_coverage: float
    coverage_interval: tuple[float, float]
    twin: float | None
    null: float | None
    null_coverage: float
    cross_talk: dict[str, float | None]
    points: list[Point]
    readings: int
    verdict: Verdict
    reasons: list[str]
    passed: bool


class _Judgement:
    """Gathers what speaks against an instrument."""

    def __init__(self) -> None:
        self.against: list[str] = []
        self.unclear: list[str] = []

    def require(self, shown: bool, refuted: bool, sentence: str, *, too_few: str) -> None:
        """A condition that is shown, refuted, or neither for want of readings."""
        if refuted:
            self.against.append(sentence)
        elif not shown:
            self.unclear.append(too_few)

    @property
    def verdict(self) -> Verdict:
        return "failed" if self.against else "cannot tell" if self.unclear else "passed"


def certify(
    instrument: str,
    organism: str,
    sweep: Sequence[Reading],
    twins: Sequence[Reading],
    others: Mapping[str, Sequence[tuple[Reading, Reading]]],
) -> Certificate:
    """Draws up a certificate from readings.

    Args:
        instrument: `evaluation.estimate`.
        organism: The policy of the sweep.
        sweep: Readings at several doses, several seeds each.
        twins: Readings on clean twins.
        others: By other policy, pairs of a reading on it and on its clean twin, same questions.
    """
    judged = _Judgement()
    slope, bias = _line(instrument, sweep, judged)
    coverage = interval_coverage([one.true[instrument] for one in sweep], [one.estimates[instrument] for one in sweep])
    _judge_coverage(coverage, judged)
    null, null_coverage = _null(instrument, twins, judged)
    cross_talk = {name: _cross_talk(instrument, name, pairs, judged) for name, pairs in others.items()}
    return Certificate(
        instrument=instrument,
        organism=organism,
        slope=slope.value if slope else None,
        slope_interval=_ends(slope),
        bias=bias.value if bias else None,
        bias_interval=_ends(bias),
        interval_coverage=coverage.value,
        coverage_interval=(coverage.low, coverage.high),
        twin=_mean([one.estimates[instrument].value for one in twins]),
        null=null,
        null_coverage=null_coverage.value,
        cross_talk=cross_talk,
        points=_points(instrument, sweep),
        readings=len(sweep),
        verdict=judged.verdict,
        reasons=[*judged.against, *judged.unclear],
        passed=judged.verdict == "passed",
    )


def _line(instrument: str, sweep: Sequence[Reading], judged: _Judgement) -> tuple[Interval | None, Interval | None]:
    true = [one.true[instrument] for one in sweep]
    read = [one.estimates[instrument] for one in sweep]
    missing = next((one for one in read if one.value is None), None)
    if missing is not None:
        judged.against.append(f"it did not measure on every organism of the sweep: {missing.reason}")
        return None, None
    if len(read) < 3:
        judged.unclear.append(f"{len(read)} readings make no dose sweep")
        return None, None
    fit = fit_dose_estimates(true, read)
    value, low, high = fit.slope.value, fit.slope.low, fit.slope.high
    inside, known = SLOPE[0] <= value <= SLOPE[1], high - low <= SLOPE[1] - SLOPE[0]
    judged.require(
        inside and known,
        high < SLOPE[0] or low > SLOPE[1],
        f"slope {value:.3f} is not within {SLOPE[0]} to {SLOPE[1]}",
        too_few=f"slope {value:.3f} ({low:.3f} to {high:.3f}) is not known well enough: use more seeds",
    )
    return fit.slope, fit.bias


def _judge_coverage(coverage: Interval, judged: _Judgement) -> None:
    inside = COVERAGE[0] <= coverage.value <= COVERAGE[1]
    enough = coverage.n >= ENOUGH_INTERVALS
    apart = coverage.high < COVERAGE[0] or coverage.low > COVERAGE[1]
    judged.require(
        inside and enough,
        apart,
        f"{coverage.value:.1%} of its 95 % intervals hold the true value, not {COVERAGE[0]:.0%} to {COVERAGE[1]:.0%}",
        too_few=f"{coverage.value:.1%} of {coverage.n} intervals hold the true value: too few to tell it from"
        f" {COVERAGE[0]:.0%} to {COVERAGE[1]:.0%} (at least {ENOUGH_INTERVALS} are needed)",
    )


def _null(instrument: str, twins: Sequence[Reading], judged: _Judgement) -> tuple[float | None, Interval]:
    read = [one.estimates[instrument] for one in twins]
    true = [one.true[instrument] for one in twins]
    coverage = interval_coverage(true, read)
    deviations = [one.value - truth for one, truth in zip(read, true, strict=True) if one.value is not None]
    mean = float(np.mean(deviations)) if len(deviations) == len(read) else None
    enough = len(read) >= ENOUGH_NULLS
    judged.require(
        enough and (coverage.value >= NULL_COVERAGE or coverage.high >= NOMINAL),
        coverage.high < NULL_COVERAGE,
        f"null: {coverage.value:.1%} of its intervals on clean twins hold the true value, not {NULL_COVERAGE:.0%} or more",
        too_few=f"{coverage.value:.1%} of its intervals on {len(read)} clean twins hold the true value: too few for a null"
        f" (at least {ENOUGH_NULLS} are needed)",
    )
    if mean is None:
        judged.against.append("null: it did not measure on every clean twin")
        return None, coverage
    spread = _mean_interval(deviations)
    judged.require(
        abs(mean) <= SMALL,
        spread is not None and (spread[0] > SMALL or spread[1] < -SMALL),
        f"null: on clean twins it is off by {mean:+.3f} on average",
        too_few=f"null: a mean deviation of {mean:+.3f} on {len(read)} clean twins may be chance",
    )
    return mean, coverage


def _mean_interval(values: Sequence[float]) -> tuple[float, float] | None:
    """Of the mean over organisms; None where there are not two of them, without width where all read the same."""
    if len(values) < 2:
        return None
    found = intervals.mean(values)
    return (found.low, found.high) if np.isfinite(found.low) else (found.value, found.value)


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known and len(known) == len(values) else None


def _cross_talk(instrument: str, name: str, pairs: Sequence[tuple[Reading, Reading]], judged: _Judgement) -> float | None:
    """Mean over pairs of how far the reading moved from the twin's, less how far the truth did."""
    shifts = [
        (other.value - twin.value) - (one.true[instrument] - clean.true[instrument])
        for one, clean in pairs
        if (other := one.estimates[instrument]).value is not None and (twin := clean.estimates[instrument]).value is not None
    ]
    if not shifts or len(shifts) != len(pairs):
        judged.against.append(f"cross-talk: it cannot be measured on the organism {name!r}")
        return None
    mean, spread = float(np.mean(shifts)), _mean_interval(shifts)
    judged.require(
        abs(mean) <= SMALL,
        spread is not None and (spread[0] > SMALL or spread[1] < -SMALL),
        f"cross-talk: it is moved by {mean:+.3f} by the organism {name!r}",
        too_few=f"cross-talk: a shift of {mean:+.3f} by the organism {name!r}, read {len(pairs)} times, may be chance",
    )
    return mean


def _points(instrument: str, sweep: Sequence[Reading]) -> list[Point]:
    points: list[Point] = []
    for dose in sorted({one.dose for one in sweep if one.dose is not None}):
        at = [one for one in sweep if one.dose == dose]
        true = [one.true[instrument] for one in at]
        read: list[Estimate] = [one.estimates[instrument] for one in at]
        measured = _mean([one.value for one in read])
        ends = None if measured is None else _mean_interval([one.value for one in read if one.value is not None])
        points.append(
            Point(
                dose=dose,
                true=float(np.mean(true)),
                measured=measured,
                low=ends[0] if ends else None,
                high=ends[1] if ends else None,
                coverage=interval_coverage(true, read).value,
                n=len(at),
            )
        )
    return points


def _ends(interval: Interval | None) -> tuple[float, float] | None:
    return (interval.low, interval.high) if interval else None
