"""Does a confidence tell right from wrong answers? AUROC, and what answering only when confident would give (2207.05221)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import rankdata

from gnomon.stats.estimate import Estimate
from gnomon.stats.estimators import Column, column, estimate_contrast, from_interval
from gnomon.stats.intervals import Clusters, Floats, Interval, cluster_codes, critical, robust_variance, score_interval


@dataclass(frozen=True, slots=True)
class RiskCoverage:
    """Selective answering: answer the most confident share of questions and count the errors among them.

    Attributes:
        coverage: Share answered, ascending; one point per distinct confidence.
        risk: Share of errors among the answered.
        threshold: The least confidence that is answered.
        area: Mean risk over all shares (AURC), equal confidences answered together.
    """

    coverage: Floats
    risk: Floats
    threshold: Floats
    area: float


def auroc(scores: ArrayLike, labels: ArrayLike, clusters: Clusters = None) -> Interval:
    """Chance that a record with label 1 has the higher score than one with label 0 (ties count half).

    Variance after DeLong, summed per cluster (Obuchowski 1997); a score interval with the effective n that it implies, or
    with the smaller class's clusters where the separation is perfect.

    Args:
        scores: Shape (n,).
        labels: Shape (n,), 0 or 1.
        clusters: One label per record.

    Raises:
        ValueError: Only one class.
    """
    x, y = np.asarray(scores, dtype=np.float64), np.asarray(labels, dtype=np.float64)
    positive, negative = x[y == 1], x[y == 0]
    if positive.size == 0 or negative.size == 0:
        raise ValueError("an AUROC needs records of both classes")
    ranks = rankdata(np.concatenate([positive, negative]))
    above = (ranks[: positive.size] - rankdata(positive)) / negative.size
    below = 1 - (ranks[positive.size :] - rankdata(negative)) / positive.size
    value = float(above.mean())
    influences = np.zeros(x.size)
    influences[y == 1] = (above - value) / positive.size
    influences[y == 0] = (below - value) / negative.size
    codes, count = cluster_codes(clusters, x.size)
    smaller = min(len(np.unique(codes[y == label])) for label in (0, 1))
    variance = robust_variance(influences, codes, count)
    effective = value * (1 - value) / variance if variance > 0 and 0 < value < 1 else smaller
    low, high = score_interval(value, effective, critical(smaller))
    method = f"score interval with DeLong variance, {count:,} {'clusters' if count < x.size else 'independent records'}"
    return Interval(value, low, high, x.size, count, method)


def estimate_auroc(
    scores: Column, labels: Column, clusters: Clusters = None, *, evaluation: str, name: str = "auroc"
) -> Estimate:
    """AUROC of the scored records; unmeasured with its reason where only one class was seen.

    Args:
        scores: A confidence per record, None where unscored.
        labels: 1 for right, 0 for wrong, None where unscored.
        clusters: The cluster of each record.
        evaluation: The instrument.
        name: The estimate's name.
    """
    x, y = column(scores), column(labels)
    scored = ~(np.isnan(x) | np.isnan(y))
    coverage = float(scored.mean()) if scored.size else 0.0
    classes = np.unique(y[scored])
    if classes.size < 2:
        only = "" if classes.size == 0 else f": all {int(scored.sum()):,} scored records have label {classes[0]:g}"
        reason = f"an AUROC needs right and wrong answers{only or ', and nothing was scored'}"
        return Estimate.unmeasured(evaluation, name, reason, unit="probability", coverage=coverage)
    codes, _ = cluster_codes(clusters, x.size)
    found = auroc(x[scored], y[scored], codes[scored])
    return from_interval(found, total=x.size, evaluation=evaluation, name=name, unit="probability")


def estimate_selective_gain(
    confidence: Column,
    correct: Column,
    clusters: Clusters = None,
    *,
    evaluation: str,
    threshold: float = 0.5,
    name: str = "selective_gain",
) -> Estimate:
    """Accuracy of the answers with confidence above the threshold minus that of the others; unmeasured where either are none."""
    x, y = column(confidence), column(correct)
    y = np.where(np.isnan(x), np.nan, y)
    return estimate_contrast(y.tolist(), (x > threshold).tolist(), clusters, evaluation=evaluation, name=name)


def risk_coverage(confidence: ArrayLike, correct: ArrayLike) -> RiskCoverage:
    """The risk-coverage curve; records of equal confidence are answered together.

    Args:
        confidence: Shape (n,).
        correct: Shape (n,), 0 or 1.
    """
    x, y = np.asarray(confidence, dtype=np.float64), np.asarray(correct, dtype=np.float64)
    thresholds, inverse, counts = np.unique(-x, return_inverse=True, return_counts=True)
    answered = np.cumsum(counts)
    errors = np.cumsum(np.bincount(inverse.reshape(-1), weights=1 - y, minlength=thresholds.size))
    risk = errors / answered
    return RiskCoverage(answered / x.size, risk, -thresholds, float(np.sum(risk * counts) / x.size))
