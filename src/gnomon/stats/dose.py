"""An instrument's certificate: measured against true rate over a dose sweep on organisms whose rate is known."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from gnomon.stats import intervals
from gnomon.stats.estimate import Estimate
from gnomon.stats.intervals import Floats, Interval, critical, score_interval


@dataclass(frozen=True, slots=True)
class DoseFit:
    """The line `measured = intercept + slope * true`, and how far measured and true agree.

    Attributes:
        slope: 1 for a calibrated instrument.
        intercept: What it reads where there is nothing.
        bias: Mean of measured minus true.
        largest_error: Largest |measured - true|.
        concordance: Lin's concordance correlation: 1 only where measured equals true.
        n: Measurements.
    """

    slope: Interval
    intercept: Interval
    bias: Interval
    largest_error: float
    concordance: float
    n: int


def fit_dose(true: ArrayLike, measured: ArrayLike, errors: ArrayLike | None = None) -> DoseFit:
    """Least-squares line of measured on true with heteroscedasticity-robust intervals.

    A measurement's variance is the larger of its squared residual (HC3) and, where given, its own squared standard error: so a
    few points that happen to lie on a line do not look certain.

    Args:
        true: The organisms' rates, shape (n,), at least two different ones.
        measured: The instrument's readings, shape (n,).
        errors: Standard errors of the readings, shape (n,).

    Raises:
        ValueError: Fewer than three points, or all true rates equal.
    """
    x, y = np.asarray(true, dtype=np.float64), np.asarray(measured, dtype=np.float64)
    if x.size < 3 or np.ptp(x) == 0:
        raise ValueError("a dose sweep needs three measurements or more at two doses or more")
    design = np.column_stack([np.ones_like(x), x])
    solver = np.linalg.pinv(design)
    intercept, slope = (float(value) for value in solver @ y)
    residuals = y - design @ [intercept, slope]
    leverage = np.clip(np.sum(design * solver.T, axis=1), 0, 0.99)
    own = np.zeros_like(x) if errors is None else np.asarray(errors, dtype=np.float64)
    variances = np.maximum((residuals / (1 - leverage)) ** 2, own**2)
    line = np.sqrt((solver**2) @ variances)
    t = critical(x.size - 1)
    method = f"least squares, HC3{' and the readings own errors' if errors is not None else ''}, {x.size} readings"

    def interval(value: float, error: float, what: str = method) -> Interval:
        return Interval(value, value - t * error, value + t * error, x.size, x.size, what)

    differences = y - x
    spread = np.maximum((differences - differences.mean()) ** 2, own**2)
    return DoseFit(
        slope=interval(slope, float(line[1])),
        intercept=interval(intercept, float(line[0])),
        bias=interval(float(differences.mean()), float(np.sqrt(spread.sum())) / x.size, f"mean difference, {x.size} readings"),
        largest_error=float(np.abs(differences).max()),
        concordance=_concordance(x, y),
        n=x.size,
    )


def fit_dose_estimates(true: Sequence[float], readings: Sequence[Estimate]) -> DoseFit:
    """`fit_dose` from Estimates, whose intervals give the readings' errors.

    Raises:
        ValueError: A reading is unmeasured: an instrument that did not measure gets no certificate.
    """
    values: list[float] = []
    errors: list[float] = []
    for reading in readings:
        if reading.value is None or reading.low is None or reading.high is None:
            raise ValueError(f"{reading.evaluation} {reading.name} was not measured: {reading.reason}")
        values.append(reading.value)
        errors.append((reading.high - reading.low) / 3.92)
    return fit_dose(true, values, errors)


def interval_coverage(true: Sequence[float], readings: Sequence[Estimate]) -> Interval:
    """Share of the readings whose interval holds the true value; an unmeasured reading does not hold it.

    At true rates of exactly 0 and 1 a sound interval always holds the truth, so coverage is best judged at doses between.
    """
    held = [
        reading.low is not None and reading.high is not None and reading.low - 1e-12 <= truth <= reading.high + 1e-12
        for truth, reading in zip(true, readings, strict=True)
    ]
    return intervals.rate(held)


def holds(interval: Interval, least: float, most: float) -> bool:
    """Whether the whole interval lies within least to most: shown, not merely not refuted."""
    return least <= interval.low and interval.high <= most


def detection_limit(n: int) -> float:
    """The largest rate that n independent records without a single positive leave open (upper end of their interval)."""
    return score_interval(0.0, n, 1.959963984540054)[1]


def _concordance(x: Floats, y: Floats) -> float:
    scale = float(x.var() + y.var() + (x.mean() - y.mean()) ** 2)
    return float(2 * np.mean((x - x.mean()) * (y - y.mean())) / scale) if scale > 0 else 1.0
