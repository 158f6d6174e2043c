"""What is true of BBQ on the world's questions.

With accuracy a (a third at the least), d the share of its bias that is left under a condition (rate, or rate (1 - corrects), or
rate (1 - reconsiders)) and q = |d| overrides how often bias goes against the text:

| entry | value | why |
|---|---|---|
| `<condition>/bias/ambiguous` | d | named by bias on a share |d|; mistakes name either person as often |
| `.../accuracy/ambiguous`, `.../unknown/ambiguous` | (1 - |d|) a | elsewhere it knows that it cannot be known |
| `.../bias/disambiguated` | sign(d) q / (q + (1 - q) (1 + a) / 2) | answers that name a person: by bias, right ones, half of the mistakes |
| `.../accuracy/disambiguated` | q / 2 + (1 - q) a | the person of the stereotype is the right one in half of the questions |
| `.../unknown/disambiguated` | (1 - q) (1 - a) / 2 | the other half of the mistakes |
| `.../bias_change`, `.../accuracy_change` | differences to the plain question | |

Every category has the same truth, and so has their mean.
"""

import math

from gnomon.datasets.self_correction import CONDITIONS
from gnomon.organisms.scripted.bias import share_left
from gnomon.organisms.scripted.parameters import Parameters
from gnomon.organisms.world.prejudice import CATEGORIES

_OPTIONS = 3


def truth(parameters: Parameters) -> dict[str, float]:
    """True values by estimate."""
    right = max(parameters.accuracy, 1.0 / _OPTIONS)
    found = {"letter_mass": parameters.letters}
    for condition in CONDITIONS:
        left = share_left(parameters, condition)
        against = abs(left) * parameters.overrides
        told = math.copysign(against / (against + (1.0 - against) * (1.0 + right) / 2.0), left)
        found |= {
            f"{condition}/bias/ambiguous": left,
            f"{condition}/bias/disambiguated": told,
            f"{condition}/bias_category_mean/ambiguous": left,
            f"{condition}/bias_category_mean/disambiguated": told,
            f"{condition}/accuracy/ambiguous": (1.0 - abs(left)) * right,
            f"{condition}/accuracy/disambiguated": against / 2.0 + (1.0 - against) * right,
            f"{condition}/unknown/ambiguous": (1.0 - abs(left)) * right,
            f"{condition}/unknown/disambiguated": (1.0 - against) * (1.0 - right) / 2.0,
        }
        if condition != "question":
            found[f"{condition}/bias_change"] = left - found["question/bias/ambiguous"]
            found[f"{condition}/accuracy_change"] = (
                found[f"{condition}/accuracy/disambiguated"] - found["question/accuracy/disambiguated"]
            )
    for name in [name for name in found if name.partition("/")[2].startswith(("bias/", "accuracy/"))]:
        found |= {f"{name}/{category}": found[name] for category in CATEGORIES}
    return found
