"""Temperature repair: divide the label logits by one T, so that the stated probabilities come true (2207.05221, section 5)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from gnomon.stats.estimate import Estimate
from gnomon.stats.estimators import from_interval
from gnomon.stats.intervals import Clusters, Floats, Interval, cluster_codes, critical, robust_variance

COLDEST, HOTTEST = 0.02, 50.0


@dataclass(frozen=True, slots=True)
class TemperatureFit:
    """A temperature and what it does to questions that it was not fitted on.

    Attributes:
        temperature: Fitted on all questions, with its interval; above 1 the model was over-confident.
        probabilities: Held-out probabilities, each question's from a T fitted on the other folds; shape (questions, options).
        loss_before: Mean negative log-probability of the right option at T = 1, nats.
        loss_after: The same for the held-out probabilities.
        at_limit: Whether the best T lies at the end of the range searched (0.02 to 50), so that it is no estimate.
    """

    temperature: Interval
    probabilities: Floats
    loss_before: float
    loss_after: float
    at_limit: bool


def fit_temperature(logits: ArrayLike, answers: ArrayLike) -> float:
    """The T in 0.02 .. 50 that maximises the likelihood of the right options.

    Args:
        logits: Log-probabilities or logits of the labels, shape (questions, options); -inf where a question has fewer options.
        answers: Index of the right option, shape (questions,).
    """
    z, right = np.asarray(logits, dtype=np.float64), np.asarray(answers, dtype=np.intp)

    def loss(log_temperature: float) -> float:
        return _loss(z / np.exp(log_temperature), right)

    found = minimize_scalar(loss, bounds=(np.log(COLDEST), np.log(HOTTEST)), method="bounded", options={"xatol": 1e-6})
    return float(np.exp(found.x))


def cross_validated_temperature(
    logits: ArrayLike, answers: ArrayLike, clusters: Clusters = None, *, folds: int = 5, seed: int = 0
) -> TemperatureFit:
    """Fits T and tells what it is worth on questions outside the fit; folds hold whole clusters.

    Args:
        logits: Shape (questions, options); -inf where a question has fewer options.
        answers: Index of the right option, shape (questions,).
        clusters: One label per question.
        folds: Number of folds.
        seed: Seed of the assignment to folds.

    Raises:
        ValueError: Fewer clusters than folds.
    """
    z, right = np.asarray(logits, dtype=np.float64), np.asarray(answers, dtype=np.intp)
    codes, count = cluster_codes(clusters, len(z))
    if count < folds:
        raise ValueError(f"{count} clusters cannot be split into {folds} folds")
    fold = (np.random.default_rng(seed).permutation(count) % folds)[codes]
    held_out = np.empty_like(z)
    for number in range(folds):
        inside = fold == number
        held_out[inside] = z[inside] / fit_temperature(z[~inside], right[~inside])
    temperature = fit_temperature(z, right)
    interval = _interval(z, right, temperature, codes, count)
    at_limit = not COLDEST * 1.01 < temperature < HOTTEST / 1.01
    return TemperatureFit(interval, softmax(held_out, axis=1), _loss(z, right), _loss(held_out, right), at_limit)


def estimate_temperature(fit: TemperatureFit, *, total: int, evaluation: str, name: str = "temperature") -> Estimate:
    """The fitted temperature as an Estimate; unmeasured where it ran to the end of its range."""
    found = fit.temperature
    if fit.at_limit or not np.isfinite([found.low, found.high]).all():
        reason = (
            f"the best temperature lies outside {COLDEST} to {HOTTEST:g}: the options' ranking is (nearly) always right or empty"
        )
        return Estimate.unmeasured(evaluation, name, reason, unit="score", coverage=found.n / total)
    return from_interval(found, total=total, evaluation=evaluation, name=name, unit="score")


def _loss(logits: Floats, right: NDArray[np.intp]) -> float:
    return float(-np.mean(log_softmax(logits, axis=1)[np.arange(len(right)), right]))


def _interval(z: Floats, right: NDArray[np.intp], temperature: float, codes: NDArray[np.intp], count: int) -> Interval:
    """Cluster-robust (sandwich) interval of log T."""
    p = softmax(z / temperature, axis=1)
    finite = np.where(p > 0, z, 0.0)
    expected = np.sum(p * finite, axis=1)
    scores = expected - finite[np.arange(len(right)), right]
    curvature = float(np.sum(np.sum(p * finite**2, axis=1) - expected**2))
    method = f"maximum likelihood, cluster-robust interval of log T, {count:,} clusters"
    if curvature <= 0:
        return Interval(temperature, float("nan"), float("nan"), len(z), count, method)
    error = temperature * np.sqrt(robust_variance(scores / curvature, codes, count))
    half = float(np.exp(critical(count) * error))
    return Interval(temperature, temperature / half, temperature * half, len(z), count, method)
