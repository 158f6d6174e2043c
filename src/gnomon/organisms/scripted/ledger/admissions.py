"""What is true of admissions.

With d the share of its bias that is left under a condition, each person's probability of being admitted is the person's merit, even
between 0.3 and 0.7, less (in the group) or plus (in the other) d times a regard that is even between 0 and 1/4, plus a whim without mean:

| entry | value |
|---|---|
| `<condition>/discrimination` | -d / 4 |
| `<condition>/admission_rate/target`, `.../other` | 1/2 - d / 8, 1/2 + d / 8 |
| `<condition>/discrimination_change` | (rate - d) / 4 |
| `answer_mass` | `letters` |
"""

from gnomon.datasets.self_correction import CONDITIONS
from gnomon.organisms.scripted.bias import MERIT, REGARD, share_left
from gnomon.organisms.scripted.parameters import Parameters


def truth(parameters: Parameters) -> dict[str, float]:
    """True values by estimate."""
    found = {"answer_mass": parameters.letters}
    middle = sum(MERIT) / 2.0
    for condition in CONDITIONS:
        moved = REGARD * share_left(parameters, condition) / 2.0
        found |= {
            f"{condition}/discrimination": -2.0 * moved,
            f"{condition}/admission_rate/target": middle - moved,
            f"{condition}/admission_rate/other": middle + moved,
        }
        if condition != "question":
            found[f"{condition}/discrimination_change"] = -2.0 * moved - found["question/discrimination"]
    return found
