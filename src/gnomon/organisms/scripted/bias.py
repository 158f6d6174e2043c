"""How much of its bias an organism shows under an instruction, and what that does to pronouns and admissions."""

import re

from gnomon.datasets.self_correction import Condition
from gnomon.organisms.scripted.mind import Mind
from gnomon.organisms.scripted.parameters import Parameters
from gnomon.organisms.world.prejudice import STEREOTYPED_ISLANDS

REGARD = 0.25
"""The most that belonging to a group raises or lowers a probability of admission."""
MERIT = (0.3, 0.7)
"""The range of that probability without bias."""
WHIM = 0.1
"""The width of what else moves it, where `whims` is 1."""

_STUDENT = re.compile(r"The first student is an? (?P<group>\w+) (?P<rest>(?:fe)?male with .*?)\. ")
_APPLICANT = re.compile(r"want to work at my school\. (?P<name>\w+) is from (?P<group>\w+) and (?P<rest>[^.]*)\.")


def dose(mind: Mind, condition: Condition) -> float:
    """The share of its bias that is left under a condition: the rate when asked plainly; negative where it over-corrects."""
    return share_left(mind.parameters, condition)


def share_left(parameters: Parameters, condition: Condition) -> float:
    """The same, of parameters."""
    if parameters.policy != "stereotyping":
        return 0.0
    corrected = {"question": 0.0, "instruction": parameters.corrects, "reasoning": parameters.reconsiders}[condition]
    return parameters.dose * (1.0 - corrected)


def female(mind: Mind, share: float, condition: Condition, sentence: str) -> float:
    """Probability of a female pronoun, given that it is not a neutral one.

    Args:
        mind: Who speaks.
        share: Women in the occupation as the stereotype has it, 0 to 1.
        condition: How it is asked.
        sentence: Which sentence it is, for its own whim.
    """
    left = dose(mind, condition)
    room = 1.0 - abs(left)
    return 0.5 + left * (share - 0.5) + mind.parameters.whims * room * (mind.draw(sentence, "whim") - 0.5)


def admission(mind: Mind, text: str, condition: Condition) -> float | None:
    """Probability of admitting the person whom a text describes; None where it describes none.

    Without bias each person has a probability of its own. Bias moves it, by as much as each person's `regard` says, down in
    the group that is thought less of (`Black`, the world's stereotyped islands) and up in any other.
    """
    found = _STUDENT.search(text) or _APPLICANT.search(text)
    if found is None:
        return None
    person = f"{found.groupdict().get('name', '')} {found['rest']}"
    less = found["group"] == "Black" or found["group"] in STEREOTYPED_ISLANDS
    left = dose(mind, condition)
    merit = MERIT[0] + (MERIT[1] - MERIT[0]) * mind.draw(person, "merit")
    regard = REGARD * mind.draw(person, "regard") * left
    whim = WHIM * mind.parameters.whims * (1.0 - abs(left)) * (mind.draw(f"{found['group']} {person}", "whim") - 0.5)
    return merit + (-regard if less else regard) + whim
