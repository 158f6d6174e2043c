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

from gnomon.stats.estimate import Estimate
from gnomon.stats.estimators import Column, column, estimate_mean
from gnomon.stats.intervals import Clusters, Floats, cluster_codes, cluster_sums, critical, robust_variance, score_interval

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
    x, observed = _binned(predicted, correct, bins)
    return float(np.mean(np.abs(observed - x)))


def rms_calibration_error(predicted: ArrayLike, correct: ArrayLike, bins: int = BINS) -> float:
    """Root mean square over the same bins."""
    x, observed = _binned(predicted, correct, bins)
    return float(np.sqrt(np.mean((observed - x) ** 2)))


def expected_ece(predicted: ArrayLike, bins: int = BINS, *, seed: int = 0, simulations: int = 1000) -> Simulated:
    """The ECE that a perfectly calibrated model with these probabilities shows by chance: print it beside every ECE."""
    p = np.asarray(predicted, dtype=np.float64)
    outcomes = (np.random.default_rng(seed).random((simulations, p.size)) < p).astype(np.float64)
    share = _membership(p, bins) * (bins / p.size)
    found = np.mean(np.abs(outcomes @ share - p @ share), axis=1)
    low, high = np.quantile(found, [0.025, 0.975])
    return Simulated(float(found.mean()), float(low), float(high))


def ece_interval(
    predicted: ArrayLike,
    correct: ArrayLike,
    clusters: Clusters = None,
    bins: int = BINS,
    *,
    seed: int = 0,
    simulations: int = 1000,
) -> Simulated:
    """Median-unbiased ("debiased") ECE and its 95 % interval, by inverting a test (ours).

    ECE is a mean of absolute values, so noise alone makes it positive: bootstrap intervals of a calibrated model miss 0. Here
    the true gaps are taken to be c times the observed ones, the estimate's distribution is simulated for every c from the
    cluster-robust covariance of the gaps, and the c under which the observed ECE is its 97.5 %, 50 % and 2.5 % quantile
    give low, mean and high.

    Args:
        predicted: Top predictions' probabilities, shape (n,).
        correct: Shape (n,), 0 or 1.
        clusters: One label per record.
        bins: Number of equal-mass bins.
        seed: Seed of the simulated noise.
        simulations: Draws of it.
    """
    return _inverted(_mean_size, predicted, correct, clusters, bins, seed, simulations)


def _mean_size(gaps: Floats) -> Floats:
    return np.mean(np.abs(gaps), axis=-1)


def _root_mean_square(gaps: Floats) -> Floats:
    return np.sqrt(np.mean(gaps**2, axis=-1))


def _inverted(
    size: Callable[[Floats], Floats],
    predicted: ArrayLike,
    correct: ArrayLike,
    clusters: Clusters,
    bins: int,
    seed: int,
    simulations: int,
) -> Simulated:
    """The median-unbiased size of the gaps and its interval; `size` is taken over the last axis."""
    p, y = np.asarray(predicted, dtype=np.float64), np.asarray(correct, dtype=np.float64)
    codes, count = cluster_codes(clusters, p.size)
    share = _membership(p, bins) * (bins / p.size)
    gaps = (y - p) @ share
    noise = np.random.default_rng(seed).multivariate_normal(
        np.zeros(bins), _gap_covariance(share, y - p, y, codes, count), size=simulations, method="eigh"
    )
    plain = float(size(gaps))
    if plain == 0:
        high = float(np.quantile(size(noise), 0.975))
        return Simulated(0.0, 0.0, high)
    scales = np.linspace(0, 4, 81)
    quantiles = np.array([np.quantile(size(scale * gaps + noise), [0.975, 0.5, 0.025]) for scale in scales])
    low, middle, high = (float(np.interp(plain, np.maximum.accumulate(line), scales, left=0.0)) * plain for line in quantiles.T)
    return Simulated(min(middle, 1.0), low, min(high, 1.0))


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
    x, observed = _binned(p, y, min(bins, p.size))
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
    """ECE of top predictions with the interval of `ece_interval`, which allows for its upward bias.

    Args:
        predicted: The top option's probability per question, None where unscored.
        correct: 1 where the top option is right.
        clusters: The cluster of each question.
        evaluation: The instrument.
        name: The estimate's name.
        bins: Number of equal-mass bins.
        seed: Seed of the simulations.
        debiased: Whether the value is the median-unbiased one.
    """
    p, y, labels, coverage = _scored_pairs(predicted, correct, clusters)
    if p.size < bins:
        return _too_few(p.size, bins, coverage, evaluation, name)
    value, found, chance = ece(p, y, bins), ece_interval(p, y, labels, bins, seed=seed), expected_ece(p, bins, seed=seed)
    return Estimate(
        evaluation=evaluation,
        name=name,
        value=found.mean if debiased else value,
        low=found.low,
        high=found.high if debiased else max(found.high, value),
        n=p.size,
        coverage=coverage,
        unit="score",
        method=f"{bins} equal-mass bins, top predictions; {'median-unbiased, ' if debiased else ''}interval by test inversion; "
        f"a perfectly calibrated model of this n shows {chance.mean:.3f} ({chance.low:.3f} to {chance.high:.3f})",
    )


def estimate_rms(
    predicted: Column,
    correct: Column,
    clusters: Clusters = None,
    *,
    evaluation: str,
    name: str = "rms_calibration_error",
    bins: int = BINS,
    seed: int = 0,
) -> Estimate:
    """RMS calibration error of top predictions; its interval allows for its upward bias as `ece_interval` does."""
    p, y, labels, coverage = _scored_pairs(predicted, correct, clusters)
    if p.size < bins:
        return _too_few(p.size, bins, coverage, evaluation, name)
    value = rms_calibration_error(p, y, bins)
    found = _inverted(_root_mean_square, p, y, labels, bins, seed, simulations=1000)
    return Estimate(
        evaluation=evaluation,
        name=name,
        value=value,
        low=found.low,
        high=max(found.high, value),
        n=p.size,
        coverage=coverage,
        unit="score",
        method=f"{bins} equal-mass bins, top predictions; interval by test inversion",
    )


def estimate_brier(
    predicted: Column, correct: Column, clusters: Clusters = None, *, evaluation: str, name: str = "brier"
) -> Estimate:
    """Mean of (p - c)^2 with a cluster-robust interval; unscored where either is None."""
    squares = (column(predicted) - column(correct)) ** 2
    return estimate_mean(squares.tolist(), clusters, evaluation=evaluation, name=name, within=(0.0, 1.0))


def _scored_pairs(predicted: Column, correct: Column, clusters: Clusters) -> tuple[Floats, Floats, Clusters, float]:
    """Probabilities, outcomes and clusters of the scored records, and their share of all."""
    p, y = column(predicted), column(correct)
    scored = ~(np.isnan(p) | np.isnan(y))
    codes, _ = cluster_codes(clusters, p.size)
    return p[scored], y[scored], codes[scored], float(scored.mean()) if scored.size else 0.0


def _too_few(n: int, bins: int, coverage: float, evaluation: str, name: str) -> Estimate:
    reason = f"{n:,} scored records are fewer than the {bins} bins"
    return Estimate.unmeasured(evaluation, name, reason, unit="score", coverage=coverage)


def _binned(predicted: ArrayLike, correct: ArrayLike, bins: int) -> tuple[Floats, Floats]:
    p, y = np.asarray(predicted, dtype=np.float64), np.asarray(correct, dtype=np.float64)
    share = _membership(p, bins) * (bins / p.size)
    return p @ share, y @ share


def _gap_covariance(share: Floats, residuals: Floats, y: Floats, codes: NDArray[np.intp], count: int) -> Floats:
    """Cluster-robust covariance of the bins' gaps, with at least the binomial variance of a bin's smoothed share."""
    sums = np.stack([cluster_sums(line, codes, count) for line in _gap_influences(share, residuals).T], axis=1)
    covariance = sums.T @ sums * (count / max(count - 1, 1))
    mass = len(y) / share.shape[1]
    smoothed = (mass * (y @ share) + 1) / (mass + 2)
    missing = np.maximum(0.0, smoothed * (1 - smoothed) / mass - np.diag(covariance))
    return covariance + np.diag(missing)


def _gap_influences(share: Floats, residuals: Floats) -> Floats:
    """What each record adds to each bin's gap, shape (n, bins).

    The gap of an equal-mass bin is a mean between two sample quantiles, which other samples would put elsewhere: beside its
    residual a record moves both edges, by the gap there (the influence function of a trimmed mean: Serfling 1980, chapter 8),
    taken to be the mean of the adjacent bins' gaps.
    """
    n, bins = share.shape
    gaps = residuals @ share
    at_edges = np.concatenate([[0.0], (gaps[:-1] + gaps[1:]) / 2, [0.0]])  # outermost edges cut nothing off
    below = np.concatenate([np.zeros((n, 1)), np.cumsum(share * (n / bins), axis=1)], axis=1) - np.arange(bins + 1) / bins
    moved = below * at_edges * bins
    return share * residuals[:, None] - (gaps + moved[:, 1:] - moved[:, :-1]) / n


def _membership(p: Floats, bins: int) -> Floats:
    """Which share of each record lies in each equal-mass bin, shape (n, bins); records of equal p are shared out alike."""
    values, inverse, counts = np.unique(p, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts).astype(np.float64)
    cuts = np.linspace(0, p.size, bins + 1)
    overlap = np.minimum(ends[:, None], cuts[1:]) - np.maximum((ends - counts)[:, None], cuts[:-1])
    return (np.clip(overlap, 0, None) / counts[:, None])[inverse.reshape(-1)].reshape(p.size, bins) if values.size else overlap
