"""The best of k of n candidates, over all subsets of k: what choosing by a score does, without drawing any subset."""

import math
from collections.abc import Sequence


def chances(scores: Sequence[float | None], k: int) -> list[float] | None:
    """How probable each candidate is to be chosen among k drawn without replacement, the largest score winning.

    Candidates of equal score are equally probable. One without a score is never chosen; a draw of none but such is left out.

    Args:
        scores: One per candidate; None: it has none.
        k: Size of a draw, 1 to the number of candidates.

    Returns:
        The probabilities, which add up to 1; None where every draw is of candidates without a score.

    Raises:
        ValueError: `k` is out of its range.
    """
    n, known = len(scores), [score for score in scores if score is not None]
    if not 1 <= k <= n:
        raise ValueError(f"{k} of {n} candidates cannot be drawn")
    unknown = n - len(known)
    draws = math.comb(n, k) - math.comb(unknown, k)
    if not draws:
        return None

    def chance(score: float) -> float:
        below = unknown + sum(other < score for other in known)
        equal = known.count(score)
        return (math.comb(below + equal, k) - math.comb(below, k)) / draws / equal

    return [0.0 if score is None else chance(score) for score in scores]


def expected_best(scores: Sequence[float | None], values: Sequence[float | None], k: int) -> float | None:
    """The mean value of the candidate chosen by score among k; None where one that could be chosen has no value.

    Args:
        scores: What is chosen by, one per candidate.
        values: What the candidates are worth.
        k: Size of a draw.

    Raises:
        ValueError: As `chances`, or scores and values differ in length.
    """
    if len(scores) != len(values):
        raise ValueError(f"{len(scores)} scores do not fit {len(values)} values")
    weights = chances(scores, k)
    if weights is None:
        return None
    total = 0.0
    for weight, value in zip(weights, values, strict=True):
        if weight > 0:
            if value is None:
                return None
            total += weight * value
    return total
