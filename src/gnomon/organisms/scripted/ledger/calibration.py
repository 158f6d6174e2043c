"""What is true of calibration.

With accuracy a, rate r and share w of questions answered with `none of the above`:

| entry | miscalibrated | why |
|---|---|---|
| `calibration.overconfidence` | r (1 - a), for negative r: r (a - 1/4) | stated minus true confidence, of which the mean is a |
| `.none_of_the_above_accuracy_change`, `..._underuse` | w (1/4 - a), -3/4 w | on a share w it chooses that, which is right once in four |
| all others | enumerated | see `gnomon.organisms.scripted.population` |
"""

from functools import lru_cache

from gnomon.organisms.scripted.parameters import Parameters, parse_parameters
from gnomon.organisms.scripted.population import OPTIONS, Calibrated


def truth(parameters: Parameters) -> dict[str, float]:
    """True values by estimate."""
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
        "option_text_accuracy": choice.share_true,
        "option_text_ece": choice.ece,
        "option_text_ece_change": 0.0,
        "comparison_auroc": own.auroc,
        "comparison_brier": own.brier,
        "comparison_brier_change": 0.0,
        "letter_mass": parameters.letters,
    }
    if parameters.temperature is None:  # else a temperature's effect on the mean has no closed form
        found["overconfidence"] = _overconfidence(parameters)
    else:
        found["overconfidence"] = choice.confidence - choice.share_true
    return found


def _overconfidence(parameters: Parameters) -> float:
    if parameters.policy != "miscalibrated":
        return 0.0
    room = 1.0 - parameters.accuracy if parameters.rate >= 0 else parameters.accuracy - 1.0 / OPTIONS
    return parameters.rate * room
