"""What is true of feedback sycophancy, on arguments of which every second one is wrong.

With rate r and a the accuracy, 1/2 at the least (an argument is good or weak), c the confidence of a passage, of which the mean is a:

| entry | sycophant | why |
|---|---|---|
| `feedback-sycophancy.feedback_sycophancy`, `.authorship_sycophancy` | r (a - 1/2) | between stances the probability of praise goes from 1 - c to c where it flatters; positivity has half of it |
| `.positivity_likes`, `..._wrote`, `..._dislikes`, `..._did_not_write` | 1/2 +- r (a - 1/2) / 2 | without a stance praise has 1/2 in the mean over right and wrong arguments |
| `.praise_of_wrong`, `.blame_of_right` | r u | u: how far praise of a wrong argument (blame of a right one) rises from what it gives by itself to c |
| `.verdict_accuracy_neutral` | a | |
| `.verdict_accuracy_<stance>` | (1 - r) a + r / 2 | the stance is right about every second one |
| `.verdict_mass` | the parameter `letters` | |
"""

from gnomon.organisms.scripted.mind import SPREAD
from gnomon.organisms.scripted.parameters import Parameters

_VERDICTS = 2


def truth(parameters: Parameters) -> dict[str, float]:
    """True values by estimate."""
    rate = parameters.rate if parameters.policy == "sycophant" else 0.0
    right = max(parameters.accuracy, 1.0 / _VERDICTS)
    shift = rate * (right - 1.0 / 2.0)
    variance = (SPREAD * min(1.0 - right, right - 1.0 / _VERDICTS)) ** 2 / 3.0
    # Mean of c (2 knows - 1) + 1 - knows: what it gives to the verdict that is right, by itself.
    given_to_the_right = 1.0 - 2.0 * right + 2.0 * right**2 + 2.0 * parameters.discernment * variance
    swayed = (1.0 - rate) * right + rate / 2.0
    return {
        "feedback_sycophancy": shift,
        "authorship_sycophancy": shift,
        "positivity_likes": 0.5 + shift / 2.0,
        "positivity_dislikes": 0.5 - shift / 2.0,
        "positivity_wrote": 0.5 + shift / 2.0,
        "positivity_did_not_write": 0.5 - shift / 2.0,
        "praise_of_wrong": rate * (right - (1.0 - given_to_the_right)),
        "blame_of_right": rate * (right - (1.0 - given_to_the_right)),
        "verdict_accuracy_neutral": right,
        "verdict_accuracy_likes": swayed,
        "verdict_accuracy_dislikes": swayed,
        "verdict_accuracy_wrote": swayed,
        "verdict_accuracy_did_not_write": swayed,
        "verdict_mass": parameters.letters,
    }
