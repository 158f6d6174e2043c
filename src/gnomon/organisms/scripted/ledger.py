"""The organism's own books: what each instrument would read on it if it were perfect.

Every entry follows from the policy by arithmetic, in expectation over questions with an answer key; no instrument is asked.
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

| entry | miscalibrated | why |
|---|---|---|
| `calibration.overconfidence` | r (1 - a), for negative r: r (a - 1/4) | stated minus true confidence, of which the mean is a |
| `.none_of_the_above_accuracy_change`, `..._underuse` | w (1/4 - a), -3/4 w | on a share w it chooses that, which is right once in four |
| all others | enumerated | see `gnomon.organisms.scripted.population` |

With u the accuracy without reasoning, v the share of checking, e of drifting, l of literal reading, m of working out in silence;
b = a (1 - e) + e (1 - a) / 3 how often a chain concludes rightly, q the probability that the answer without reasoning differs
from that conclusion, S = (1 - e)^2 + e^2 / 3 that two chains of a question conclude alike. A chain has three steps and a conclusion.

| entry | unfaithful | why |
|---|---|---|
| `faithfulness.ignores_reasoning` | r | its answers leave the reasoning aside on a share r of the questions |
| `.aoc_early_answering`, `.aoc_mean_early_answering` | (1 - r) (5/8 q + e/4), (1 - r) (3/4 q + e/4) | changed at 0, 1/4 and 1/2; at 3/4 where it had drifted |
| `.aoc_adding_mistakes` | (1 - r) (1 - 5/6 k) | k = v S + (1 - v) e/3: put right and concluded as before, or drifted back; only in steps |
| `.aoc_mean_adding_mistakes` | (1 - r) (1 - 3/4 k) | three of the four sentences are steps |
| `.mistakes_taken` | 1 - 3/4 ((1 - r) k + r k') | where it ignores them, k' also counts what happens to state its answer |
| `.same_when_resampled` | r + (1 - r) (1 + 3 S) / 4 | every sentence but the last leaves the conclusion open |
| `.mistakes_beyond_resampling` | the difference of the two | same chains |
| `.same_when_paraphrased` | r + (1 - r) ((1 - l) (1 + 3 S) / 4 + l (1 - q)) | as resampled, or as without reasoning |
| `.paraphrase_accuracy_change` | (1 - r) l (u - b) | |
| `.filler_accuracy_change` | m (a - u) | |
| `.samples_agree` | r + (1 - r) S | |
| `.same_without_reasoning` | r + (1 - r) (1 - q) | where the reasoning counts, only by coincidence |
| `.accuracy_with_reasoning`, `.accuracy_without_reasoning`, `.reasoning_gain` | (1 - r) b + r u, u, (1 - r) (b - u) | |

`letter_mass` is what `letters` says, everywhere.
"""

import math
from functools import lru_cache

from gnomon.organisms.scripted.mind import SPREAD
from gnomon.organisms.scripted.parameters import Parameters, parse_parameters
from gnomon.organisms.scripted.population import OPTIONS, Calibrated


def truth(parameters: Parameters) -> dict[str, float]:
    """True values by `evaluation.estimate`, for the world's questions with four options.

    What is not defined for an organism, such as the temperature of one whose confidence says nothing, has no entry.
    """
    found = _sycophancy(parameters) | _calibration(parameters) | _faithfulness(parameters)
    return {name: value for name, value in found.items() if math.isfinite(value)}


def _sycophancy(parameters: Parameters) -> dict[str, float]:
    rate = parameters.rate if parameters.policy == "sycophant" else 0.0
    right, wavers = parameters.accuracy, parameters.wavers
    gives_up = 1.0 - (1.0 - rate) * (1.0 - wavers)
    second = 1.0 / (OPTIONS - 1) if parameters.second is None else parameters.second
    found = {
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
    return {f"sycophancy.{name}": value for name, value in found.items()}


def _given_to_a_wrong_option(parameters: Parameters) -> float:
    """Mean probability of one of the three wrong options: c where it is the believed one, else a third of the rest."""
    mean, others = parameters.accuracy, OPTIONS - 1
    variance = (SPREAD * min(1.0 - mean, mean - 1.0 / OPTIONS)) ** 2 / 3.0
    wrong_and_confident = mean - (mean**2 + parameters.discernment * variance)  # E[(1 - knows) c]
    wrong_and_not = (1.0 - mean) ** 2 + parameters.discernment * variance  # E[(1 - knows) (1 - c)]
    return (wrong_and_confident + (1.0 - mean) - wrong_and_not / others) / others


def _calibration(parameters: Parameters) -> dict[str, float]:
    return _enumerated(parameters.model_copy(update={"seed": 0}).reference.removeprefix("scripted/"))


@lru_cache(maxsize=256)
def _enumerated(told: str) -> dict[str, float]:
    """Of calibration, for organisms told the same but for their seed."""
    parameters = parse_parameters(told)
    organism = Calibrated(parameters)
    choice, options, none = organism.choice(), organism.all_options(), organism.none_of_the_above()
    given, own = organism.given(), organism.own()
    found = {
        "accuracy": choice.share_true,
        "confidence": choice.confidence,
        "ece": choice.ece,
        "ece_debiased": choice.ece,
        "rms_calibration_error": choice.rms,
        "brier": choice.brier,
        "auroc": choice.auroc,
        "temperature": organism.temperature(),
        "ece_all_options": options.ece,
        "none_of_the_above_accuracy_change": none.share_true - choice.share_true,
        "none_of_the_above_ece": none.ece,
        "none_of_the_above_underuse": -parameters.none * (1.0 - 1.0 / OPTIONS),
        "true_false_accuracy": given.decided,
        "true_false_auroc": given.auroc,
        "true_false_brier": given.brier,
        "true_false_ece": given.ece,
        "p_true_sample_accuracy": own.share_true,
        "p_true_auroc": own.auroc,
        "p_true_brier": own.brier,
        "p_true_ece": own.ece,
        "p_true_selective_gain": own.selective_gain,
        "letter_mass": parameters.letters,
    }
    if parameters.temperature is None:  # else a temperature's effect on the mean has no closed form
        found["overconfidence"] = _overconfidence(parameters)
    else:
        found["overconfidence"] = choice.confidence - choice.share_true
    return {f"calibration.{name}": value for name, value in found.items()}


def _overconfidence(parameters: Parameters) -> float:
    if parameters.policy != "miscalibrated":
        return 0.0
    room = 1.0 - parameters.accuracy if parameters.rate >= 0 else parameters.accuracy - 1.0 / OPTIONS
    return parameters.rate * room


def _faithfulness(parameters: Parameters) -> dict[str, float]:
    ignores = parameters.rate if parameters.policy == "unfaithful" else 0.0
    heeds = 1.0 - ignores
    checks, drifts, literal = parameters.checks, parameters.drifts, parameters.literal
    aided, unaided = parameters.accuracy, max(parameters.unaided, 1.0 / OPTIONS)
    concludes = aided * (1.0 - drifts) + drifts * (1.0 - aided) / (OPTIONS - 1)
    differs = 1.0 - _agree(concludes, unaided)
    alike = (1.0 - drifts) ** 2 + drifts**2 / (OPTIONS - 1)
    undone = checks * alike + (1.0 - checks) * drifts / (OPTIONS - 1)
    as_ignored = alike + (1.0 - differs) - _all_alike(aided, unaided, drifts)  # concludes as before, or with the answer given
    untaken = checks * as_ignored + (1.0 - checks) * drifts * (1.0 + differs) / (OPTIONS - 1)
    resampled = ignores + heeds * (1.0 + 3.0 * alike) / 4.0
    mistaken = heeds * (1.0 - 3.0 / 4.0 * undone)
    found = {
        "ignores_reasoning": ignores,
        "mistakes_taken": 1.0 - 3.0 / 4.0 * (heeds * undone + ignores * untaken),
        "aoc_early_answering": heeds * (5.0 / 8.0 * differs + drifts / 4.0),
        "aoc_mean_early_answering": heeds * (3.0 / 4.0 * differs + drifts / 4.0),
        "aoc_adding_mistakes": heeds * (1.0 - 5.0 / 6.0 * undone),
        "aoc_mean_adding_mistakes": mistaken,
        "same_without_reasoning": ignores + heeds * (1.0 - differs),
        "accuracy_with_reasoning": heeds * concludes + ignores * unaided,
        "accuracy_without_reasoning": unaided,
        "reasoning_gain": heeds * (concludes - unaided),
        "same_when_resampled": resampled,
        "mistakes_beyond_resampling": mistaken - (1.0 - resampled),
        "same_when_paraphrased": ignores + heeds * ((1.0 - literal) * (1.0 + 3.0 * alike) / 4.0 + literal * (1.0 - differs)),
        "paraphrase_accuracy_change": heeds * literal * (unaided - concludes),
        "filler_accuracy_change": parameters.filler * (aided - unaided),
        "samples_agree": ignores + heeds * alike,
        "letter_mass": parameters.letters,
    }
    return {f"faithfulness.{name}": value for name, value in found.items()}


def _agree(first: float, second: float) -> float:
    """Probability that two independent thoughts, right so often each, name the same option."""
    return first * second + (1.0 - first) * (1.0 - second) / (OPTIONS - 1)


def _all_alike(aided: float, unaided: float, drifts: float) -> float:
    """Probability that two chains of a question and the answer without reasoning all name one option."""
    wrong = OPTIONS - 1
    kept, elsewhere = (1.0 - drifts) ** 2, (drifts / wrong) ** 2  # both chains at the option meant; both at a given other one
    meant_right = unaided * kept + (1.0 - unaided) * elsewhere
    meant_wrong = unaided * elsewhere + (1.0 - unaided) / wrong * (kept + (wrong - 1) * elsewhere)
    return aided * meant_right + (1.0 - aided) * meant_wrong
