"""What a measurement of a given size can see, and what size it takes to see something (normal approximation)."""

import math

from scipy.stats import norm

from gnomon.stats.estimate import Estimate
from gnomon.stats.intervals import LEVEL

POWER = 0.8


ROUNDING = 1e-12
"""An interval of no more width has none: nothing varied."""


def smallest_effect(estimate: Estimate, power: float = POWER) -> float | None:
    """The smallest true difference from a given value that a measurement of this size finds with this power.

    It is (z_{1 - alpha/2} + z_power) standard errors, the standard error read off the interval's width (alpha is that of the
    interval). For a rate near 0 or 1 it is rough, since the error there changes with the rate.

    Args:
        estimate: What was measured.
        power: Chance to find it.

    Returns:
        In the estimate's unit; None where there is no value, or where nothing varied, so that the error is not known.
    """
    if estimate.low is None or estimate.high is None or estimate.high - estimate.low <= ROUNDING * max(1.0, abs(estimate.high)):
        return None
    standard_error = (estimate.high - estimate.low) / (2.0 * norm.ppf(0.5 + LEVEL / 2.0))
    return float((norm.ppf(0.5 + LEVEL / 2.0) + norm.ppf(power)) * standard_error)


def questions_needed(estimate: Estimate, questions: int, precision: float) -> int | None:
    """How many questions it takes for a 95 % interval of at most the value +- `precision`.

    An interval's width falls with the root of the number of questions; a tenth is added, since a pilot's width is itself
    uncertain.

    Args:
        estimate: What a pilot measured.
        questions: How many questions the pilot had.
        precision: Half the width wanted.

    Returns:
        The number; None where the pilot has no interval.
    """
    if estimate.low is None or estimate.high is None:
        return None
    half = (estimate.high - estimate.low) / 2.0
    return max(2, math.ceil(1.1 * questions * (half / precision) ** 2))
