"""Rates that rest on a judge who errs: corrected for its errors, and with the uncertainty of these in the interval.

A judge finds a share p of positives where the true share is t: p = t s + (1 - t) (1 - c), with s its sensitivity and c its
specificity. Rogan and Gladen (1978, American Journal of Epidemiology 107, 71) turn this round: t = (p + c - 1) / (s + c - 1). The
interval is that of Lang and Reiczigel (2014, Preventive Veterinary Medicine 113, 13), which carries the error of all three and
holds the truth near 0 and 1 too, where the plain Wald interval does not.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats as distributions

from gnomon.stats import intervals
from gnomon.stats.estimate import Estimate
from gnomon.stats.estimators import Column, column, from_interval, nothing_scored, scored_clusters
from gnomon.stats.intervals import LEVEL, Clusters, Interval, cluster_codes, critical, robust_variance, score_interval

GUESSES = "the judge cannot be told from one that guesses (its sensitivity and specificity add up to {sum:.2f})"


@dataclass(frozen=True, slots=True)
class Errors:
    """How often a judge was right on cases of which the truth is known.

    Attributes:
        found: Known positives that it called positive.
        positives: Known positives.
        passed: Known negatives that it called negative.
        negatives: Known negatives.
    """

    found: int
    positives: int
    passed: int
    negatives: int

    @classmethod
    def of(cls, verdicts: Sequence[bool | None], truth: Sequence[bool]) -> "Errors":
        """From verdicts on known cases; those without a verdict are left out."""
        known = [(verdict, true) for verdict, true in zip(verdicts, truth, strict=True) if verdict is not None]
        of_positives = [verdict for verdict, true in known if true]
        of_negatives = [not verdict for verdict, true in known if not true]
        return cls(sum(of_positives), len(of_positives), sum(of_negatives), len(of_negatives))

    @property
    def sensitivity(self) -> float:
        """Share of the positives that it finds."""
        return self.found / self.positives if self.positives else float("nan")

    @property
    def specificity(self) -> float:
        """Share of the negatives that it passes."""
        return self.passed / self.negatives if self.negatives else float("nan")

    @property
    def informative(self) -> bool:
        """Whether the judge is better than guessing: the interval of sensitivity + specificity - 1 lies above 0."""
        if not self.positives or not self.negatives:
            return False
        z = float(distributions.norm.ppf(0.5 + LEVEL / 2))
        low_s, _ = score_interval(self.sensitivity, self.positives, z)
        low_c, _ = score_interval(self.specificity, self.negatives, z)
        below = np.hypot(self.sensitivity - low_s, self.specificity - low_c)
        return bool(self.sensitivity + self.specificity - 1.0 - below > 0.0)


def corrected_rate(apparent: Sequence[float], errors: Errors, clusters: Clusters = None, *, level: float = LEVEL) -> Interval:
    """The true share of positives behind a judge's verdicts.

    Args:
        apparent: Its verdicts, 0 or 1.
        errors: What it did on known cases.
        clusters: One label per verdict; the number of verdicts is divided by their design effect.
        level: Confidence level.

    Raises:
        ValueError: No verdicts, values other than 0 and 1, or no known cases of either kind.
    """
    raw = intervals.rate(list(apparent), clusters, level=level)
    if not errors.positives or not errors.negatives:
        raise ValueError("a correction needs known positives and known negatives")
    y = np.asarray(apparent, dtype=np.float64)
    codes, count = cluster_codes(clusters, y.size)
    share = raw.value
    binomial = share * (1 - share) / y.size
    variance = robust_variance((y - share) / y.size, codes, count)
    effective = count if binomial == 0 else y.size / max(1.0, variance / binomial)
    z = float(distributions.norm.ppf(0.5 + level / 2)) if count == y.size else critical(count, level)
    value = min(1.0, max(0.0, _turned(share, errors.sensitivity, errors.specificity)))
    low, high = _lang_reiczigel(share, effective, errors, z) if np.isfinite(z) else (0.0, 1.0)
    method = (
        f"Rogan-Gladen, interval of Lang and Reiczigel; judge's sensitivity {errors.sensitivity:.2f} on {errors.positives},"
        f" specificity {errors.specificity:.2f} on {errors.negatives} known cases; {count:,} clusters"
    )
    return Interval(value, min(low, value), max(high, value), y.size, count, method)


def estimate_corrected_rate(
    verdicts: Column, errors: Errors, clusters: Clusters = None, *, evaluation: str, name: str
) -> Estimate:
    """The corrected rate as an Estimate; no worst-case bounds, for a verdict is not the truth.

    Args:
        verdicts: 0, 1 or None per record.
        errors: What the judge did on known cases.
        clusters: The cluster of each record, scored or not.
        evaluation: The instrument.
        name: The estimate's name.
    """
    y = column(verdicts)
    scored = ~np.isnan(y)
    coverage = float(scored.mean()) if y.size else 0.0
    if not scored.any():
        return nothing_scored(evaluation, name, y.size)
    if not errors.positives or not errors.negatives:
        return Estimate.unmeasured(evaluation, name, "the judge was not tried on cases whose truth is known", coverage=coverage)
    if not errors.informative:
        reason = GUESSES.format(sum=errors.sensitivity + errors.specificity)
        return Estimate.unmeasured(evaluation, name, reason, coverage=coverage)
    found = corrected_rate(y[scored].tolist(), errors, scored_clusters(clusters, scored))
    return from_interval(found, total=y.size, evaluation=evaluation, name=name, unit="rate")


def _turned(share: float, sensitivity: float, specificity: float) -> float:
    return (share + specificity - 1.0) / (sensitivity + specificity - 1.0)


def _lang_reiczigel(share: float, n: float, errors: Errors, z: float) -> tuple[float, float]:
    square = z * z
    p, p_n = (n * share + square / 2) / (n + square), n + square
    s, s_n = (errors.found + 1) / (errors.positives + 2), errors.positives + 2
    c, c_n = (errors.passed + 1) / (errors.negatives + 2), errors.negatives + 2
    informed = s + c - 1.0
    if informed <= 0.0:
        return 0.0, 1.0
    turned = _turned(p, s, c)
    of_s, of_c = s * (1 - s) / s_n, c * (1 - c) / c_n
    shift = 2 * square * (turned * of_s - (1 - turned) * of_c)
    half = z * np.sqrt(p * (1 - p) / p_n + turned**2 * of_s + (1 - turned) ** 2 * of_c) / informed
    low, high = float(np.clip(turned + shift - half, 0.0, 1.0)), float(np.clip(turned + shift + half, 0.0, 1.0))
    if low < high:
        return low, high
    # Fewer positives than the judge's errors alone should give: as open as the verdicts are that a judge so informed gives.
    return score_interval(low, n * informed**2, z)
