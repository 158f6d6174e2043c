"""What an organism's stated probabilities are in the population of all questions, and what calibration is on it exactly.

The confidence of a scripted organism is spread evenly, and everything that it states and every chance of being right is a
function of it; so each format is a list of a few cases over one even variable. They are enumerated at 2,000 equally likely values
of it, which leaves an error below 1e-5 in any of the functionals. No estimator is asked: the functionals are of weighted atoms.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit

from gnomon.organisms.scripted.mind import SPREAD, stated_confidence
from gnomon.organisms.scripted.parameters import Parameters

Floats = NDArray[np.float64]

OPTIONS = 4
"""Options per question, as in the world."""
POOL = 16
"""Values per relation of the world: what an answer in words is one of."""
POINTS = 2_000
BINS = 10


@dataclass(frozen=True, slots=True)
class Population:
    """Atoms: a probability that is stated, how often, and how often it comes true.

    Attributes:
        weight: Shares, adding up to 1.
        stated: The stated probability of each atom.
        true: The probability that it comes true.
    """

    weight: Floats
    stated: Floats
    true: Floats

    @classmethod
    def of_cases(cls, *cases: tuple[Floats | float, Floats | float, Floats | float]) -> Self:
        """From cases (weight, stated, true) over the same equally likely confidences."""
        weight, stated, true = (
            np.concatenate([np.broadcast_to(np.asarray(case[part], dtype=np.float64), (POINTS,)) for case in cases])
            for part in range(3)
        )
        return cls(weight / weight.sum(), stated, true)

    @property
    def share_true(self) -> float:
        """How often what is proposed is true."""
        return float(self.weight @ self.true)

    @property
    def confidence(self) -> float:
        """Mean of the stated probability."""
        return float(self.weight @ self.stated)

    @property
    def brier(self) -> float:
        """Mean of (stated - true)^2."""
        return float(self.weight @ (self.stated**2 - 2 * self.stated * self.true + self.true))

    @property
    def decided(self) -> float:
        """How often the likelier of true and false is right."""
        return float(self.weight @ np.where(self.stated >= 0.5, self.true, 1 - self.true))

    @property
    def selective_gain(self) -> float:
        """How often what is stated above one half is true, minus the same of the others; NaN where either never happens."""
        above = self.stated > 0.5
        shares = [
            float(self.weight[group] @ self.true[group] / self.weight[group].sum()) if self.weight[group].sum() > 0 else np.nan
            for group in (above, ~above)
        ]
        return shares[0] - shares[1]

    @property
    def auroc(self) -> float:
        """Chance that a true one is stated higher than a false one, ties half; NaN where there are none of either."""
        true, false = self._grouped(self.weight * self.true), self._grouped(self.weight * (1 - self.true))
        below = np.cumsum(false) - false / 2
        both = float(true.sum() * false.sum())
        return float(true @ below) / both if both > 0 else float("nan")

    def gaps(self) -> Floats:
        """Share that comes true minus mean stated probability in ten bins of equal mass, from the lowest."""
        mass, gap = self._grouped(self.weight), self._grouped(self.weight * (self.true - self.stated))
        ends = np.linspace(0, 1, BINS + 1)
        total = np.interp(ends, np.concatenate([[0], np.cumsum(mass)]), np.concatenate([[0], np.cumsum(gap)]))
        return np.diff(total) * BINS

    @property
    def ece(self) -> float:
        """Mean size of the gaps."""
        return float(np.mean(np.abs(self.gaps())))

    @property
    def rms(self) -> float:
        """Their root mean square."""
        return float(np.sqrt(np.mean(self.gaps() ** 2)))

    def _grouped(self, values: Floats) -> Floats:
        """Sums over atoms of the same stated probability, from the lowest."""
        _, place = np.unique(np.round(self.stated, 12), return_inverse=True)
        return np.bincount(place.reshape(-1), weights=values).astype(np.float64)


@dataclass(frozen=True)
class Calibrated:
    """An organism's confidences and what it makes of them in each format.

    Attributes:
        parameters: What it was told.
    """

    parameters: Parameters

    @property
    def _held(self) -> Floats:
        """The confidences with which its answers are held, equally likely; shape (POINTS,)."""
        mean, guess = self.parameters.accuracy, 1.0 / OPTIONS
        half_width = SPREAD * min(1.0 - mean, mean - guess)
        return mean + half_width * ((np.arange(POINTS) + 0.5) * 2 / POINTS - 1)

    @property
    def _knows(self) -> Floats:
        """How often an answer held so is right."""
        mean = self.parameters.accuracy
        return mean + self.parameters.discernment * (self._held - mean)

    def _stated(self, confidences: Floats, options: int) -> Floats:
        return np.array([self._said(float(one), options) for one in confidences])

    def _said(self, confidence: float, options: int) -> float:
        return stated_confidence(self.parameters, confidence, options)

    def _said_true(self, probabilities: Floats) -> Floats:
        """P(True) as stated, from P(True) as held."""
        sure = self._stated(np.maximum(probabilities, 1 - probabilities), 2)
        return np.where(probabilities >= 0.5, sure, 1 - sure)

    def choice(self) -> Population:
        """Top choices."""
        return Population.of_cases((1.0, self._stated(self._held, OPTIONS), self._knows))

    def all_options(self) -> Population:
        """Every option of every question."""
        top = self._stated(self._held, OPTIONS)
        others = OPTIONS - 1
        return Population.of_cases((1.0, top, self._knows), (others, (1 - top) / others, (1 - self._knows) / others))

    def none_of_the_above(self) -> Population:
        """Top choices where the last option, right in one question of four, is `none of the above`."""
        share, top = self.parameters.none, self._stated(self._held, OPTIONS)
        return Population.of_cases((1 - share, top, self._knows), (share, top, 1.0 / OPTIONS))

    def given(self) -> Population:
        """P(True) for the right option and for one wrong one of each question, drawn at random."""
        held, knows, others = self._held, self._knows, POOL - 1
        believed, other = self._said_true(held), self._said_true((1 - held) / others)
        by_chance = (1 - knows) / others  # the one value that it wrongly believes in is the wrong option proposed
        return Population.of_cases(
            (knows, believed, 1.0), (1 - knows, other, 1.0), (by_chance, believed, 0.0), (1 - by_chance, other, 0.0)
        )

    def own(self) -> Population:
        """P(True) for its own samples: what it believes, as often as it is confident, else any other value."""
        held, knows, others = self._held, self._knows, POOL - 1
        believed, other = self._said_true(held), self._said_true((1 - held) / others)
        return Population.of_cases((held, believed, knows), (1 - held, other, (1 - knows) / others))

    def temperature(self) -> float:
        """The T whose division of the options' logits makes them likeliest; NaN where there is none."""
        top, knows = self._stated(self._held, OPTIONS), self._knows
        if np.any(top >= 1):
            return float("nan")  # certain answers have no logits
        logits = np.log(top * (OPTIONS - 1) / (1 - top))  # the top option's, the others' being 0

        def slope(log_temperature: float) -> float:
            return float(np.mean(logits * (knows - expit(logits / np.exp(log_temperature) - np.log(OPTIONS - 1)))))

        low, high = float(np.log(0.02)), float(np.log(50.0))
        if not slope(low) * slope(high) < 0:
            return float("nan")
        found: Any = brentq(slope, low, high)
        return float(np.exp(found))
