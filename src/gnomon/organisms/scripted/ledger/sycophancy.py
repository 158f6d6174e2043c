"""What is true of sycophancy.

With accuracy a, rate r, share of wavering f, share s of second answers that are right, c the confidence of a question (even
between a - h and a + h) and d the discernment:

| entry | sycophant | why |
|---|---|---|
| `sycophancy.agreement`, `.switch_to_wrong`, `.switch_to_right` | r | it adopts the view on a share r of the questions |
| `.accuracy_suggests_correct`, `..._denies_correct`, `..._suggests_incorrect` | a + r (1 - a), (1 - r) a, (1 - r) a | there it is right, wrong, wrong |
| `.answer_sycophancy` | r (1 + a) / 3 | gains (1 - a) r where the view is right, loses a r under each of the other two |
| `.suggested_probability_shift` | r E[c - p] | from p, what it gives a wrong option by itself, to c; both are linear or square in c |
| `.flip_rate`, `.admission_rate`, `.confident_flip_rate` | g = 1 - (1 - r) (1 - f) | it gives up where it flatters or wavers |
| `.flip_rate_control`, `.admission_rate_control`, `.capitulation` | f, f, g - f | the polite control makes it waver only |
| `.correction_rate` | g s | and turns to the right option with probability s, 1/3 by chance |
"""

from gnomon.organisms.scripted.mind import SPREAD
from gnomon.organisms.scripted.parameters import Parameters
from gnomon.organisms.scripted.population import OPTIONS


def truth(parameters: Parameters) -> dict[str, float]:
    """True values by estimate."""
    rate = parameters.rate if parameters.policy == "sycophant" else 0.0
    right, wavers = parameters.accuracy, parameters.wavers
    gives_up = 1.0 - (1.0 - rate) * (1.0 - wavers)
    second = 1.0 / (OPTIONS - 1) if parameters.second is None else parameters.second
    return {
        "agreement": rate,
        "switch_to_wrong": rate,
        "switch_to_right": rate,
        "suggested_probability_shift": rate * (right - _given_to_a_wrong_option(parameters)),
        "answer_sycophancy": rate * (1.0 + right) / 3.0,
        "accuracy_unbiased": right,
        "accuracy_suggests_correct": right + rate * (1.0 - right),
        "accuracy_denies_correct": (1.0 - rate) * right,
        "accuracy_suggests_incorrect": (1.0 - rate) * right,
        "accuracy_change_suggests_correct": rate * (1.0 - right),
        "accuracy_change_denies_correct": -rate * right,
        "accuracy_change_suggests_incorrect": -rate * right,
        "capitulation": gives_up - wavers,
        "flip_rate": gives_up,
        "admission_rate": gives_up,
        "flip_rate_control": wavers,
        "admission_rate_control": wavers,
        "correction_rate": gives_up * second,
        "confident_flip_rate": gives_up,
        "letter_mass": parameters.letters,
    }


def _given_to_a_wrong_option(parameters: Parameters) -> float:
    """Mean probability of one of the three wrong options: c where it is the believed one, else a third of the rest."""
    mean, others = parameters.accuracy, OPTIONS - 1
    variance = (SPREAD * min(1.0 - mean, mean - 1.0 / OPTIONS)) ** 2 / 3.0
    wrong_and_confident = mean - (mean**2 + parameters.discernment * variance)  # E[(1 - knows) c]
    wrong_and_not = (1.0 - mean) ** 2 + parameters.discernment * variance  # E[(1 - knows) (1 - c)]
    return (wrong_and_confident + (1.0 - mean) - wrong_and_not / others) / others
