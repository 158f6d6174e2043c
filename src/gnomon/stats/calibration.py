"""Is a stated probability the share of times that it comes true? (2207.05221, "Definitions and formulas")

Two objects that must never be mixed: the *top predictions* (each question's most probable option; ECE and RMS are computed from
these) and the *all-options* chart (every option of every question). Bins hold equal mass: exactly n / bins records each, a
record on a boundary being split, and records of equal probability sharing their mean outcome, so that no result depends on the
order of records.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gnomon.stats.bootstrap import Statistic, bootstrap
from gnomon.stats.estimate import Estimate
from gnomon.stats.estimators import Column, column, estimate_mean, from_interval
from gnomon.stats.intervals import Clusters, Floats, cluster_codes, critical, robust_variance, score_interval

BINS = 10


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """One bin of a reliability chart: mean probability, share that came true, its 95 % interval, and the records' number."""

    predicted: float
    observed: float
    low: float
    high: float
    mass: float


@dataclass(frozen=True, slots=True)
class BrierParts:
    """Murphy's decomposition over equal-mass bins: `brier = reliability - resolution + uncertainty + within`."""

    brier: float
    reliability: float
    resolution: float
    uncertainty: float
    within: float


@dataclass(frozen=True, slots=True)
class Simulated:
    """What a perfectly calibrated model with these probabilities and this n would show: mean and central 95 %."""

    mean: float
    low: float
    high: float


def top_predictions(probabilities: ArrayLike, answers: ArrayLike) -> tuple[Floats, Floats]:
    """The probability of each question's most probable option (the first of equals), and 1 where it is the right one.

    Args:
        probabilities: Shape (questions, options); NaN where a question has fewer options.
        answers: Index of the right option, shape (questions,).
    """
    p, right = np.asarray(probabilities, dtype=np.float64), np.asarray(answers, dtype=np.intp)
    chosen = np.nanargmax(p, axis=1)
    return p[np.arange(len(p)), chosen], (chosen == right).astype(np.float64)


def all_options(probabilities: ArrayLike, answers: ArrayLike) -> tuple[Floats, Floats, NDArray[np.intp]]:
    """Every option's probability, 1 where it is the right one, and its question's index: for the all-options chart only."""
    p, right = np.asarray(probabilities, dtype=np.float64), np.asarray(answers, dtype=np.intp)
    question, option = np.nonzero(~np.isnan(p))
    return p[question, option], (option == right[question]).astype(np.float64), question


def ece(predicted: ArrayLike, correct: ArrayLike, bins: int = BINS) -> float:
    """Expected calibration error of top predictions: mean over equal-mass bins of |observed - predicted|."""
    return float(ece_statistic(predicted, correct, bins)(np.ones((1, np.size(predicted))))[0])


def rms_calibration_error(predicted: ArrayLike, correct: ArrayLike, bins: int = BINS) -> float:
    """Root mean square over the same bins."""
    gaps, _, _ = _single(predicted, correct, bins)
    return float(np.sqrt(np.mean(gaps**2)))


def debiased_ece(predicted: ArrayLike, correct: ArrayLike, bins: int = BINS) -> float:
    """ECE with each bin's squared gap less its sampling variance y (1 - y) / (m - 1), m records per bin (ours; after Kumar 2019).

    It lies between 0 and the plain ECE; a calibrated model still shows a little above 0 because no bin can go below.
    """
    gaps, observed, mass = _single(predicted, correct, bins)
    return float(np.mean(np.sqrt(np.maximum(0.0, gaps**2 - observed * (1 - observed) / max(mass - 1, 1)))))


def ece_statistic(predicted: ArrayLike, correct: ArrayLike, bins: int = BINS) -> Statistic:
    """ECE as a function of record weights, for the bootstrap."""
    curve = _binned(np.asarray(predicted, dtype=np.float64), bins)
    y = np.asarray(correct, dtype=np.float64)

    def statistic(weights: Floats) -> Floats:
        x, observed = curve(weights, weights * y)
        return np.mean(np.abs(observed - x), axis=1)

    return statistic


def expected_ece(predicted: ArrayLike, bins: int = BINS, *, seed: int = 0, simulations: int = 1000) -> Simulated:
    """The ECE that a perfectly calibrated model with these probabilities shows by chance: print it beside every ECE."""
    p = np.asarray(predicted, dtype=np.float64)
    outcomes = (np.random.default_rng(seed).random((simulations, p.size)) < p).astype(np.float64)
    x, observed = _binned(p, bins)(np.ones_like(outcomes), outcomes)
    found = np.mean(np.abs(observed - x), axis=1)
    low, high = np.quantile(found, [0.025, 0.975])
    return Simulated(float(found.mean()), float(low), float(high))


def reliability(predicted: ArrayLike, correct: ArrayLike, clusters: Clusters = None, bins: int = BINS) -> list[ReliabilityBin]:
    """The points of a reliability chart with cluster-robust score intervals; at most as many bins as records.

    Args:
        predicted: Shape (n,), probabilities.
        correct: Shape (n,), 0 or 1.
        clusters: One label per record (the question, for all options).
        bins: Number of equal-mass bins.
    """
    p, y = np.asarray(predicted, dtype=np.float64), np.asarray(correct, dtype=np.float64)
    codes, count = cluster_codes(clusters, p.size)
    found: list[ReliabilityBin] = []
    for share in _membership(p, min(bins, p.size)).T:
        mass = float(share.sum())
        observed = float(np.clip(share @ y / mass, 0, 1))
        members = len(np.unique(codes[share > 0]))
        variance = robust_variance(share * (y - observed) / mass, codes, count)
        independent = observed * (1 - observed) / mass
        effective = mass / max(1.0, variance / independent) if independent > 0 else min(mass, members)
        low, high = score_interval(observed, effective, critical(members))
        found.append(ReliabilityBin(float(share @ p / mass), observed, low, high, mass))
    return found


def brier_score(predicted: ArrayLike, correct: ArrayLike) -> float:
    """Mean of (p - c)^2."""
    return float(np.mean((np.asarray(predicted, dtype=np.float64) - np.asarray(correct, dtype=np.float64)) ** 2))


def brier_decomposition(predicted: ArrayLike, correct: ArrayLike, bins: int = BINS) -> BrierParts:
    """Reliability, resolution and uncertainty over equal-mass bins; `within` is what binning leaves over."""
    p, y = np.asarray(predicted, dtype=np.float64), np.asarray(correct, dtype=np.float64)
    x, observed = (rows[0] for rows in _binned(p, min(bins, p.size))(np.ones((1, p.size)), y[None, :]))
    base = float(y.mean())
    brier = brier_score(p, y)
    reliability_part, resolution = float(np.mean((x - observed) ** 2)), float(np.mean((observed - base) ** 2))
    uncertainty = base * (1 - base)
    return BrierParts(brier, reliability_part, resolution, uncertainty, brier - reliability_part + resolution - uncertainty)


def estimate_ece(
    predicted: Column,
    correct: Column,
    clusters: Clusters = None,
    *,
    evaluation: str,
    name: str = "ece",
    bins: int = BINS,
    seed: int = 0,
    debiased: bool = False,
) -> Estimate:
    """ECE of top predictions with a basic cluster bootstrap interval, which allows for the upward bias of resampled ECEs.

    Args:
        predicted: The top option's probability per question, None where unscored.
        correct: 1 where the top option is right.
        clusters: The cluster of each question.
        evaluation: The instrument.
        name: The estimate's name.
        bins: Number of equal-mass bins.
        seed: Seed of the resampling.
        debiased: Whether to give `debiased_ece` as the value.
    """
    p, y, labels = _scored_pairs(predicted, correct, clusters)
    total = np.size(column(correct))
    if p.size < bins:
        reason = f"{p.size:,} scored records are fewer than the {bins} bins"
        return Estimate.unmeasured(evaluation, name, reason, unit="score", coverage=p.size / total if total else 0.0)
    found = bootstrap(ece_statistic(p, y, bins), labels, seed, n=p.size, kind="basic", within=(0.0, 1.0))
    estimate = from_interval(found, total=total, evaluation=evaluation, name=name)
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return estimate
    value = debiased_ece(p, y, bins) if debiased else estimate.value
    chance = expected_ece(p, bins, seed=seed)
    method = (
        f"{'debiased, ' if debiased else ''}{bins} equal-mass bins, top predictions; {estimate.method}; "
        f"a perfectly calibrated model of this n shows {chance.mean:.3f} ({chance.low:.3f} to {chance.high:.3f})"
    )
    ends = {"low": min(estimate.low, value), "high": max(estimate.high, value)}
    return estimate.model_copy(update={"value": value, "method": method, **ends})


def estimate_brier(
    predicted: Column, correct: Column, clusters: Clusters = None, *, evaluation: str, name: str = "brier"
) -> Estimate:
    """Mean of (p - c)^2 with a cluster-robust interval; unscored where either is None."""
    squares = (column(predicted) - column(correct)) ** 2
    return estimate_mean(squares.tolist(), clusters, evaluation=evaluation, name=name, within=(0.0, 1.0))


def _scored_pairs(predicted: Column, correct: Column, clusters: Clusters) -> tuple[Floats, Floats, Clusters]:
    p, y = column(predicted), column(correct)
    scored = ~(np.isnan(p) | np.isnan(y))
    codes, _ = cluster_codes(clusters, p.size)
    return p[scored], y[scored], codes[scored]


def _single(predicted: ArrayLike, correct: ArrayLike, bins: int) -> tuple[Floats, Floats, float]:
    p, y = np.asarray(predicted, dtype=np.float64), np.asarray(correct, dtype=np.float64)
    x, observed = (rows[0] for rows in _binned(p, bins)(np.ones((1, p.size)), y[None, :]))
    return observed - x, observed, p.size / bins


def _binned(p: Floats, bins: int) -> Callable[[Floats, Floats], tuple[Floats, Floats]]:
    """Prepares the binning of p; the result maps weights and weighted outcomes, (R, n) each, to x and y per bin, (R, bins)."""
    order = np.argsort(p, kind="stable")
    values, starts = np.unique(p[order], return_index=True)

    def curve(weights: Floats, outcomes: Floats) -> tuple[Floats, Floats]:
        mass = _cumulated(np.add.reduceat(weights[:, order], starts, axis=1))
        predicted = _cumulated(np.diff(mass, axis=1) * values)
        observed = _cumulated(np.add.reduceat(outcomes[:, order], starts, axis=1))
        x, y = np.empty((len(mass), bins)), np.empty((len(mass), bins))
        for row, total in enumerate(mass[:, -1]):
            cuts = np.linspace(0, total, bins + 1)
            x[row] = np.diff(np.interp(cuts, mass[row], predicted[row])) * bins / total
            y[row] = np.diff(np.interp(cuts, mass[row], observed[row])) * bins / total
        return x, y

    return curve


def _cumulated(rows: Floats) -> Floats:
    return np.concatenate([np.zeros((len(rows), 1)), np.cumsum(rows, axis=1)], axis=1)


def _membership(p: Floats, bins: int) -> Floats:
    """Which share of each record lies in each equal-mass bin, shape (n, bins); records of equal p are shared out alike."""
    values, inverse, counts = np.unique(p, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts).astype(np.float64)
    cuts = np.linspace(0, p.size, bins + 1)
    overlap = np.minimum(ends[:, None], cuts[1:]) - np.maximum((ends - counts)[:, None], cuts[:-1])
    return (np.clip(overlap, 0, None) / counts[:, None])[inverse.reshape(-1)].reshape(p.size, bins) if values.size else overlap
