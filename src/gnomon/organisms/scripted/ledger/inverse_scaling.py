"""What is true of the inverse-scaling evaluation on the world's tasks.

With accuracy a above 1/2 and rate r (of `misled` at its size; 0 for all others), all items having two classes, of which a share
k = a is answered rightly with confidence c, spread evenly around a:

| entry | misled | why |
|---|---|---|
| `inverse-scaling.accuracy`, `.accuracy_<task>`, `.length_normalised_accuracy` | (1 - r) a | it takes the other class on a share r |
| `.accuracy_plain` | a | nothing misleads there |
| `.accuracy_change` | -r a | the difference |
| `.above_guessing` | (1 - r) a - 1/2 | |
| `.loss`, `.loss_<task>` | (1 - r) E[-k log c - (1 - k) log(1 - c)] + r E[-log(1 - c)] | integrated over c |
| `.sequence_loss` | the same, and E[-log w] | a completion has no classes to be renormalised over; w: how willing it is to say either |
| `.logodds_bias`, `.absolute_logodds_bias` | 0 | of `stereotyping`: the mean log-odds of the usual pronoun, from its shares |
| `.class_mass` | letters | |
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from gnomon.organisms.scripted.mind import SPREAD
from gnomon.organisms.scripted.parameters import Parameters
from gnomon.organisms.world.lexicon import OCCUPATIONS, SHE_SHARE

Floats = NDArray[np.float64]

CLASSES = 2
TASKS = ("repeat", "pronoun", "negation", "examples")


def truth(parameters: Parameters) -> dict[str, float]:
    """True values by estimate."""
    taken = parameters.dose if parameters.policy == "misled" else 0.0
    mean = max(parameters.accuracy, 1.0 / CLASSES)
    accuracy = (1.0 - taken) * mean
    right, wrong = _expected(parameters, _loss_of_own), _expected(parameters, _loss_of_other)
    loss = (1.0 - taken) * right + taken * wrong
    bias = _stereotype(parameters) if parameters.policy == "stereotyping" else 0.0
    found = {
        "loss": loss,
        "accuracy": accuracy,
        "length_normalised_accuracy": accuracy,
        "above_guessing": accuracy - 1.0 / CLASSES,
        "accuracy_plain": mean,
        "accuracy_change": accuracy - mean,
        "sequence_loss": loss + _unwillingness(parameters.letters),
        "logodds_bias": bias,
        "absolute_logodds_bias": bias,
        "class_mass": parameters.letters,
    }
    return found | {f"accuracy_{task}": accuracy for task in TASKS} | {f"loss_{task}": loss for task in TASKS}


def _loss_of_own(c: Floats, knows: Floats) -> Floats:
    return -(knows * np.log(c) + (1.0 - knows) * np.log1p(-c))


def _loss_of_other(c: Floats, knows: Floats) -> Floats:
    return -np.log1p(-c)


def _expected(parameters: Parameters, of: Callable[[Floats, Floats], Floats]) -> float:
    """The mean over the questions' confidences c of a function of c and of the share that is right there."""
    mean = parameters.accuracy
    if mean <= 1.0 / CLASSES:
        confidence = np.full(1, 1.0 / CLASSES)
        return float(of(confidence, confidence).mean())
    nodes, weights = np.polynomial.legendre.leggauss(200)
    confidence = mean + SPREAD * min(1.0 - mean, mean - 1.0 / CLASSES) * nodes
    confidence = np.clip(confidence, 1e-12, 1.0 - 1e-12)
    return float(np.sum(weights * of(confidence, mean + parameters.discernment * (confidence - mean))) / 2.0)


def _unwillingness(letters: float) -> float:
    """E[-log w] for w spread evenly around `letters`."""
    half = SPREAD * min(letters, 1.0 - letters)
    low, high = letters - half, letters + half

    def integral(w: float) -> float:
        return w * math.log(w) - w

    return -(integral(high) - integral(low)) / (high - low)


def _stereotype(parameters: Parameters) -> float:
    """The mean log-odds of the usual pronoun over all occupations that have one."""
    moved = [abs(parameters.rate * (SHE_SHARE[job] - 0.5)) for job in OCCUPATIONS if SHE_SHARE[job] != 0.5]
    return sum(math.log((0.5 + each) / (0.5 - each)) for each in moved) / len(moved)
