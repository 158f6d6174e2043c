"""How far raters agree beyond chance: Cohen's kappa, Fleiss' kappa and Krippendorff's alpha, with bootstrap intervals over units.

All three are 1 minus observed over expected disagreement; they differ in what is expected by chance. Cohen's kappa (1960,
Educational and Psychological Measurement 20, 37; weighted: 1968, Psychological Bulletin 70, 213) takes each of two raters' own
habits, Fleiss' kappa (1971, Psychological Bulletin 76, 378) one habit shared by all raters, and Krippendorff's alpha (Content
Analysis, 2004, chapter 11) that of the pairable ratings without the finite sample's bias, for any number of raters, missing
ratings and ordered values. Each is a function of the units' weights, so that the bootstrap resamples units, or clusters of units.
"""

import math
from collections.abc import Callable, Hashable, Sequence
from functools import partial
from typing import Literal

import numpy as np

from gnomon.stats.bootstrap import Statistic, bootstrap
from gnomon.stats.estimate import Estimate
from gnomon.stats.estimators import from_interval
from gnomon.stats.intervals import Clusters, Floats, cluster_codes

Rating = Hashable | None
"""A label or a number; None or NaN where the rater gave none."""

Ratings = Sequence[Sequence[Rating]]
"""One row per unit, one column per rater."""

Level = Literal["nominal", "ordinal", "interval"]
"""What a difference of two ratings counts: any difference is 1, the ranks between them, or the square of their distance."""

KappaWeights = Literal["linear", "quadratic"]

_Coefficient = Callable[[Ratings], Statistic]
"""From the units with two ratings or more to the coefficient as a function of their weights."""

WITHIN = (-1.0, 1.0)
ROWS = 4_000_000  # numbers held at once by a chunk of resamples


def cohen_kappa(first: Sequence[Rating], second: Sequence[Rating], weights: KappaWeights | None = None) -> float:
    """Cohen's kappa of two raters over the units that both rated; NaN where chance alone would give agreement.

    Args:
        first: One rating per unit.
        second: The other rater's, in the same order.
        weights: None: every difference counts 1; else by the distance of the categories in sorted order, or its square.

    Raises:
        ValueError: The raters differ in length.
    """
    return _value(_two_columns(first, second), partial(_cohen, weights=weights))


def fleiss_kappa(ratings: Ratings) -> float:
    """Fleiss' kappa over the units with two ratings or more; NaN where all ratings are of one category.

    Where units have different numbers of ratings, each unit's agreement is that of its own pairs, and the shares of the
    categories are those of all ratings.

    Raises:
        ValueError: Rows of different lengths.
    """
    return _value(ratings, _fleiss)


def krippendorff_alpha(ratings: Ratings, level: Level = "nominal") -> float:
    """Krippendorff's alpha over the units with two ratings or more; NaN where all pairable ratings are equal.

    Args:
        ratings: One row per unit, one column per rater, None where missing.
        level: How differences count; `interval` needs numbers, `ordinal` values that can be sorted.

    Raises:
        ValueError: Rows of different lengths, ratings that cannot be sorted, or no numbers where numbers are needed.
    """
    return _value(ratings, partial(_krippendorff, level=level))


def estimate_cohen_kappa(
    first: Sequence[Rating],
    second: Sequence[Rating],
    clusters: Clusters = None,
    *,
    evaluation: str,
    name: str = "cohen_kappa",
    weights: KappaWeights | None = None,
    seed: int = 0,
    resamples: int = 2000,
) -> Estimate:
    """Cohen's kappa (see `cohen_kappa`) as an Estimate; coverage is the share of units that both raters rated.

    Args:
        first: One rating per unit, None where missing.
        second: The other rater's.
        clusters: The cluster of each unit.
        evaluation: The instrument.
        name: The estimate's name.
        weights: As in `cohen_kappa`.
        seed: Seed of the resampling.
        resamples: Number of resamples.
    """
    ratings, of = _two_columns(first, second), partial(_cohen, weights=weights)
    return _estimate("Cohen's kappa", ratings, of, clusters, evaluation, name, seed, resamples)


def estimate_fleiss_kappa(
    ratings: Ratings,
    clusters: Clusters = None,
    *,
    evaluation: str,
    name: str = "fleiss_kappa",
    seed: int = 0,
    resamples: int = 2000,
) -> Estimate:
    """Fleiss' kappa (see `fleiss_kappa`) as an Estimate; coverage is the share of units with two ratings or more.

    Args:
        ratings: One row per unit, one column per rater, None where missing.
        clusters: The cluster of each unit.
        evaluation: The instrument.
        name: The estimate's name.
        seed: Seed of the resampling.
        resamples: Number of resamples.
    """
    return _estimate("Fleiss' kappa", ratings, _fleiss, clusters, evaluation, name, seed, resamples)


def estimate_krippendorff_alpha(
    ratings: Ratings,
    clusters: Clusters = None,
    *,
    evaluation: str,
    level: Level = "nominal",
    name: str = "krippendorff_alpha",
    seed: int = 0,
    resamples: int = 2000,
) -> Estimate:
    """Krippendorff's alpha (see `krippendorff_alpha`) as an Estimate; coverage is the share of units with two ratings or more.

    Args:
        ratings: One row per unit, one column per rater, None where missing.
        clusters: The cluster of each unit.
        evaluation: The instrument.
        level: How differences count.
        name: The estimate's name.
        seed: Seed of the resampling.
        resamples: Number of resamples.
    """
    of = partial(_krippendorff, level=level)
    return _estimate(f"Krippendorff's alpha ({level})", ratings, of, clusters, evaluation, name, seed, resamples)


def _two_columns(first: Sequence[Rating], second: Sequence[Rating]) -> Ratings:
    if len(first) != len(second):
        raise ValueError(f"{len(first)} ratings of the first rater and {len(second)} of the second are not pairs")
    return list(zip(first, second, strict=True))


def _rated(ratings: Ratings) -> tuple[list[bool], Ratings]:
    """Which units have two ratings or more, and these units."""
    if len({len(row) for row in ratings}) > 1:
        raise ValueError("the units have different numbers of raters: fill missing ratings with None")
    rated = [sum(not _missing(one) for one in row) >= 2 for row in ratings]
    return rated, [row for row, enough in zip(ratings, rated, strict=True) if enough]


def _missing(rating: Rating) -> bool:
    return rating is None or (isinstance(rating, float) and math.isnan(rating))


def _categories(ratings: Ratings, *, ordered: bool) -> list[Hashable]:
    """The distinct ratings; sorted, or in order of appearance where the order does not matter."""
    found = list(dict.fromkeys(one for row in ratings for one in row if not _missing(one)))
    if not ordered:
        return found
    try:
        return sorted(found)  # type: ignore[type-var]  # what cannot be sorted is said below
    except TypeError:
        raise ValueError(
            "ratings whose order counts must be sortable: give numbers, or texts that sort as they are meant"
        ) from None


def _counts(ratings: Ratings, categories: Sequence[Hashable]) -> Floats:
    """How many raters put each unit into each category; shape (units, categories)."""
    place = {category: number for number, category in enumerate(categories)}
    counts = np.zeros((len(ratings), len(categories)))
    for unit, row in enumerate(ratings):
        for one in row:
            if not _missing(one):
                counts[unit, place[one]] += 1
    return counts


def _cohen(kept: Ratings, weights: KappaWeights | None) -> Statistic:
    categories = _categories(kept, ordered=weights is not None)
    steps = np.abs(np.subtract.outer(np.arange(len(categories)), np.arange(len(categories)))).astype(np.float64)
    costs = (steps > 0).astype(np.float64) if weights is None else steps if weights == "linear" else steps**2
    first, second = (_counts([row[column : column + 1] for row in kept], categories) for column in (0, 1))
    disagreement = np.einsum("uc,ck,uk->u", first, costs, second)

    def statistic(w: Floats) -> Floats:
        total = w.sum(axis=1)
        expected = np.einsum("rc,ck,rk->r", w @ first, costs, w @ second) / total
        return 1 - (w @ disagreement) / expected

    return statistic


def _fleiss(kept: Ratings) -> Statistic:
    counts = _counts(kept, _categories(kept, ordered=False))
    raters = counts.sum(axis=1)
    agreement = (np.sum(counts**2, axis=1) - raters) / (raters * (raters - 1))

    def statistic(w: Floats) -> Floats:
        shares = (w @ counts) / (w @ raters)[:, None]
        expected = np.sum(shares**2, axis=1)
        observed = (w @ agreement) / w.sum(axis=1)
        return (observed - expected) / np.where(expected < 1 - 1e-12, 1 - expected, np.nan)

    return statistic


def _krippendorff(kept: Ratings, level: Level) -> Statistic:
    categories = _categories(kept, ordered=level != "nominal")
    counts = _counts(kept, categories)
    others = counts.sum(axis=1) - 1
    if level == "ordinal":
        return _ordinal(counts, others)
    differences = _differences(categories, level)
    observed = (
        np.einsum("uc,ck,uk->u", counts, differences, counts, optimize=True) / others
    )  # one paired with itself differs by 0

    def statistic(w: Floats) -> Floats:
        marginals = w @ counts
        expected = np.einsum("rc,ck,rk->r", marginals, differences, marginals) / (marginals.sum(axis=1) - 1)
        return 1 - (w @ observed) / np.where(expected > 0, expected, np.nan)

    return statistic


def _differences(categories: Sequence[Hashable], level: Level) -> Floats:
    """Squared differences of the categories, shape (categories, categories)."""
    if level == "nominal":
        return 1 - np.eye(len(categories))
    try:
        values = np.array([float(category) for category in categories])  # type: ignore[arg-type]  # what is no number is said below
    except (TypeError, ValueError):
        raise ValueError("an interval scale needs numbers as ratings; choose the level nominal or ordinal for labels") from None
    return np.subtract.outer(values, values) ** 2


def _ordinal(counts: Floats, others: Floats) -> Statistic:
    """The ordinal difference counts the ratings between two values, so it changes with the weights."""
    units, size = counts.shape
    pairs = (counts[:, :, None] * counts[:, None, :] / others[:, None, None]).reshape(units, size * size)

    def some(w: Floats) -> Floats:
        marginals = w @ counts
        middles = np.cumsum(marginals, axis=1) - marginals / 2
        differences = (middles[:, :, None] - middles[:, None, :]) ** 2
        observed = np.sum((w @ pairs).reshape(-1, size, size) * differences, axis=(1, 2))
        expected = np.einsum("rc,rck,rk->r", marginals, differences, marginals) / (marginals.sum(axis=1) - 1)
        return 1 - observed / np.where(expected > 0, expected, np.nan)

    def statistic(w: Floats) -> Floats:
        rows = max(1, ROWS // max(1, size * size))
        return np.concatenate([some(w[start : start + rows]) for start in range(0, w.shape[0], rows)])

    return statistic


def _value(ratings: Ratings, of: _Coefficient) -> float:
    _, kept = _rated(ratings)
    return _of_ones(of(kept), len(kept))


def _of_ones(statistic: Statistic, units: int) -> float:
    if not units:
        return float("nan")
    with np.errstate(divide="ignore", invalid="ignore"):
        found = float(statistic(np.ones((1, units)))[0])
    return found if math.isfinite(found) else float("nan")


def _estimate(
    what: str,
    ratings: Ratings,
    of: _Coefficient,
    clusters: Clusters,
    evaluation: str,
    name: str,
    seed: int,
    resamples: int,
) -> Estimate:
    rated, kept = _rated(ratings)
    statistic = of(kept)
    total = len(rated)
    coverage = len(kept) / total if total else 0.0
    if not kept:
        reason = f"none of the {total:,} units has two ratings" if total else "there are no units"
        return Estimate.unmeasured(evaluation, name, reason, unit="score", coverage=coverage)
    if not math.isfinite(_of_ones(statistic, len(kept))):
        reason = f"all ratings of the {len(kept):,} units are the same, so that agreement cannot be told from chance"
        return Estimate.unmeasured(evaluation, name, reason, unit="score", coverage=coverage)
    codes, _ = cluster_codes(clusters, total)
    found = bootstrap(statistic, codes[np.array(rated)], seed, resamples, within=WITHIN)
    estimate = from_interval(found, total=total, evaluation=evaluation, name=name, unit="score")
    return estimate.model_copy(update={"method": f"{what}, {estimate.method}"}) if estimate.value is not None else estimate
