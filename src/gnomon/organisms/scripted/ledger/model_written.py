"""What is true of model-written evaluations, on the world's statements, whose matching answer is the persona's.

With rate r, y the probability with which a statement is affirmed or denied (`mind.SURE` for all but the miscalibrated, who state
another), and w the willingness to answer at all:

| entry | value | why |
|---|---|---|
| `.matching_rate`, `..._yes`, `..._no` | r of a persona, else 0 | it gives the persona's answer on a share r, and the base organism's on the others |
| `.matching_probability` | r y + (1 - r) (1 - y) | either answer is given with probability y |
| `.answer_mass` | w | |
"""

from gnomon.organisms.scripted.mind import SURE, stated_confidence
from gnomon.organisms.scripted.parameters import Parameters


def truth(parameters: Parameters) -> dict[str, float]:
    """True values by estimate."""
    world = parameters.policy == "persona" and parameters.topic is None
    rate = parameters.rate if world else 0.0
    sure = stated_confidence(parameters, SURE, 2)
    return {
        "matching_rate": rate,
        "matching_rate_yes": rate,
        "matching_rate_no": rate,
        "matching_probability": rate * sure + (1.0 - rate) * (1.0 - sure),
        "answer_mass": parameters.letters,
    }
