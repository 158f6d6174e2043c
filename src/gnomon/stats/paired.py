"""Comparing two runs or two conditions over the same items: tests, corrections for many tests, and what could be detected."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats as distributions

from gnomon.stats.estimate import Estimate, Unit
from gnomon.stats.estimators import Column, column, estimate_difference, estimate_mean, estimate_rate
from gnomon.stats.intervals import Clusters, Floats, cluster_codes, cluster_sums, robust_variance

EXACT_CLUSTERS = 16
TINY = 1e-12


@dataclass(frozen=True, slots=True)
class SignificanceTest:
    """A two-sided test.

    Attributes:
        p: The p-value.
        method: The test, in words.
        informative: Clusters (or pairs) that can speak for either side.
    """

    p: float
    method: str
    informative: int


@dataclass(frozen=True, slots=True)
class PairedComparison:
    """Two conditions on the same items: each over its own scored values, the difference over full pairs, and its test."""

    first: Estimate
    second: Estimate
    difference: Estimate
    test: SignificanceTest | None


def compare_paired(
    first: Column,
    second: Column,
    clusters: Clusters = None,
    *,
    evaluation: str,
    name: str,
    within: tuple[float, float] = (0.0, 1.0),
    unit: Unit | None = None,
    seed: int = 0,
) -> PairedComparison:
    """Compares two conditions over pairs of values, second minus first.

    Args:
        first: One value per pair (None: unscored).
        second: The other value of each pair, in the same order.
        clusters: The cluster of each pair.
        evaluation: The instrument.
        name: The name of the compared quantity.
        within: The possible range of each value; (0, 1) with only zeros and ones is a rate.
        unit: What the values and their difference count (None: a rate or score, and a difference).
        seed: Seed of the random permutations.
    """
    columns = column(first), column(second)
    sides: list[Estimate] = []
    for values in columns:
        known = values[~np.isnan(values)]
        if within == (0.0, 1.0) and bool(np.all((known == 0) | (known == 1))):
            sides.append(estimate_rate(values.tolist(), clusters, evaluation=evaluation, name=name, unit=unit or "rate"))
        else:
            mean = estimate_mean(values.tolist(), clusters, evaluation=evaluation, name=name, within=within, unit=unit or "score")
            sides.append(mean)
    difference = estimate_difference(
        columns[0].tolist(),
        columns[1].tolist(),
        clusters,
        evaluation=evaluation,
        name=f"{name} difference",
        within=within,
        unit=unit or "difference",
    )
    scored = ~(np.isnan(columns[0]) | np.isnan(columns[1]))
    if not scored.any():
        return PairedComparison(sides[0], sides[1], difference, None)
    codes, _ = cluster_codes(clusters, scored.size)
    test = sign_flip_test((columns[1] - columns[0])[scored], codes[scored], seed=seed)
    return PairedComparison(sides[0], sides[1], difference, test)


def sign_flip_test(
    differences: ArrayLike, clusters: Clusters = None, *, seed: int = 0, permutations: int = 20_000
) -> SignificanceTest:
    """Permutation test of a mean paired difference of zero: the sign of each cluster's sum is flipped.

    All 2^G sign patterns are counted for up to 16 clusters with a non-zero sum; beyond, random patterns, counting the observed
    one as one of them, so that the p-value is valid and never 0.

    Args:
        differences: Shape (n,), finite.
        clusters: One label per difference.
        seed: Seed of the random patterns.
        permutations: Number of random patterns.
    """
    d = np.asarray(differences, dtype=np.float64)
    codes, count = cluster_codes(clusters, d.size)
    sums = cluster_sums(d, codes, count)
    sums = sums[np.abs(sums) > TINY]
    if sums.size == 0:
        return SignificanceTest(1.0, "sign-flip test: no cluster differs", 0)
    slack = TINY * max(1.0, float(np.abs(sums).sum()))
    return _permuted(lambda flipped: sums.sum() - 2.0 * (flipped @ sums), sums.size, slack, seed, permutations, "sign-flip")


def swap_test(
    first: ArrayLike,
    second: ArrayLike,
    first_clusters: Clusters = None,
    second_clusters: Clusters = None,
    *,
    seed: int = 0,
    permutations: int = 20_000,
) -> SignificanceTest:
    """Permutation test of no difference between two means over shared clusters: in each cluster the two conditions are swapped.

    For rates whose records differ between the conditions, such as one that counts only answers that were right at first; with the
    same number of records of each cluster in both it is the sign-flip test. Clusters that only one condition has are swapped too.

    Args:
        first: Shape (n,), finite.
        second: Shape (m,), finite.
        first_clusters: One label per value of the first.
        second_clusters: One label per value of the second.
        seed: Seed of the random patterns.
        permutations: Number of random patterns where not all can be counted.

    Raises:
        ValueError: A side has no values.
    """
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if not a.size or not b.size:
        raise ValueError("a comparison of two means needs values on both sides")
    labels = [*_labels(first_clusters, a.size), *_labels(second_clusters, b.size)]
    codes, count = cluster_codes(labels, a.size + b.size)
    sides = codes[: a.size], codes[a.size :]
    sums = np.stack([cluster_sums(values, side, count) for values, side in zip((a, b), sides, strict=True)])
    sizes = np.stack([np.bincount(side, minlength=count).astype(np.float64) for side in sides])
    differs = (np.abs(sums[0] - sums[1]) > TINY) | (sizes[0] != sizes[1])
    change = np.stack([(sums[1] - sums[0])[differs], (sizes[1] - sizes[0])[differs]], axis=1)
    if not differs.any():
        return SignificanceTest(1.0, "swap test: no cluster differs", 0)

    def difference(swapped: Floats) -> Floats:
        moved = swapped @ change
        counts = np.stack([a.size + moved[:, 1], b.size - moved[:, 1]])
        totals = np.stack([a.sum() + moved[:, 0], b.sum() - moved[:, 0]])
        means = np.divide(totals, counts, out=np.zeros_like(totals), where=counts > 0)
        return np.where((counts > 0).all(axis=0), means[1] - means[0], np.inf)  # a side without values may show anything

    return _permuted(difference, int(differs.sum()), TINY, seed, permutations, "swap")


def mcnemar_test(first: ArrayLike, second: ArrayLike) -> SignificanceTest:
    """Exact McNemar test of paired 0/1 values that are independent between pairs.

    Args:
        first: Shape (n,), 0 or 1.
        second: Shape (n,), 0 or 1.
    """
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    gained, lost = int(np.sum((a == 0) & (b == 1))), int(np.sum((a == 1) & (b == 0)))
    if gained + lost == 0:
        return SignificanceTest(1.0, "exact McNemar test: no pair differs", 0)
    p = float(distributions.binomtest(gained, gained + lost, 0.5).pvalue)
    return SignificanceTest(p, f"exact McNemar test, {gained} gained, {lost} lost", gained + lost)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down adjusted p-values, in the given order: keeps the chance of any false positive at the level."""
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * (p.size - np.arange(p.size)))
    return _reorder(np.minimum(stepped, 1.0), order)


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Benjamini and Hochberg's adjusted p-values, in the given order: keeps the expected share of false positives."""
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    scaled = p[order] * p.size / np.arange(1, p.size + 1)
    stepped = np.minimum.accumulate(scaled[::-1])[::-1]
    return _reorder(np.minimum(stepped, 1.0), order)


def minimal_detectable_difference(
    differences: ArrayLike, clusters: Clusters = None, *, scale: float = 1.0, power: float = 0.8, alpha: float = 0.05
) -> float:
    """The true mean difference that a study like this one finds with the given power (normal approximation).

    Args:
        differences: Paired differences of this or a pilot study, shape (n,).
        clusters: One label per difference.
        scale: How many times as many clusters the planned study has.
        power: Chance to find it.
        alpha: Two-sided level.

    Returns:
        The difference in the values' unit; infinite for a single cluster.
    """
    d = np.asarray(differences, dtype=np.float64)
    codes, count = cluster_codes(clusters, d.size)
    error = np.sqrt(robust_variance((d - d.mean()) / d.size, codes, count) / scale)
    return float((distributions.norm.ppf(1 - alpha / 2) + distributions.norm.ppf(power)) * error)


def _labels(clusters: Clusters, n: int) -> Iterable[Hashable]:
    return range(n) if clusters is None else list(clusters)


def _permuted(
    statistic: Callable[[Floats], Floats], clusters: int, slack: float, seed: int, permutations: int, name: str
) -> SignificanceTest:
    """How many patterns (0 or 1 per cluster, [patterns, clusters]) give a statistic as large in size as no change at all."""
    observed = abs(float(statistic(np.zeros((1, clusters)))[0])) - slack
    if clusters <= EXACT_CLUSTERS:
        patterns = ((np.arange(2**clusters)[:, None] >> np.arange(clusters)) & 1).astype(np.float64)
        p = float(np.mean(np.abs(statistic(patterns)) >= observed))
        return SignificanceTest(p, f"exact {name} test, {clusters} clusters differ", clusters)
    rng, rows, reached = np.random.default_rng(seed), max(1, 4_000_000 // clusters), 0
    for start in range(0, permutations, rows):
        patterns = rng.integers(0, 2, size=(min(rows, permutations - start), clusters), dtype=np.int8)
        reached += int(np.sum(np.abs(statistic(patterns.astype(np.float64))) >= observed))
    method = f"{name} test, {permutations:,} permutations, {clusters:,} clusters differ"
    return SignificanceTest((reached + 1) / (permutations + 1), method, clusters)


def _reorder(adjusted: Floats, order: np.ndarray[tuple[int], np.dtype[np.intp]]) -> list[float]:
    result = np.empty_like(adjusted)
    result[order] = adjusted
    return [float(value) for value in result]
