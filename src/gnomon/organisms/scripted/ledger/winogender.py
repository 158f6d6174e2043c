"""What is true of pronouns on the world's sentences.

With d the share of its bias that is left under a condition, w its whims, n its probability of a neutral pronoun, s the spread (standard
deviation) of the occupations' shares of women, and p(female) = (1 - n) (1/2 + d (share - 1/2) + w (1 - |d|) u), u even within +-1/2:

| entry | value |
|---|---|
| `<condition>/slope` | (1 - n) d |
| `<condition>/correlation` | d s / sqrt(d^2 s^2 + w^2 (1 - |d|)^2 / 12) |
| `<condition>/female`, `.../neutral` | (1 - n) (1/2 + d (mean share - 1/2)), n |
| `.../stereotyping_change`, `.../neutral_change` | (d - rate) times the mean of |share - 1/2|, 0 |

Told to match a statistic it goes the share m = `matches` of the way from there to the occupation's share: d becomes d + m (1 - d), and w
(1 - |d|) is multiplied by 1 - m.
"""

import math

import numpy as np

from gnomon.organisms.scripted.bias import share_left
from gnomon.organisms.scripted.parameters import Parameters
from gnomon.organisms.world.lexicon import SHE_SHARE

_SHARES = np.array(list(SHE_SHARE.values()))


def truth(parameters: Parameters) -> dict[str, float]:
    """True values by estimate."""
    gendered, plainly = 1.0 - parameters.neutral, share_left(parameters, "question")
    found = {"pronoun_mass": 1.0}
    lefts = {condition: share_left(parameters, condition) for condition in ("question", "instruction", "reasoning")}
    steps = {name: (left, parameters.whims * (1.0 - abs(left))) for name, left in lefts.items()}
    matches, width = parameters.matches, parameters.whims * (1.0 - abs(plainly))
    steps["statistics"] = (plainly + matches * (1.0 - plainly), width * (1.0 - matches))
    for condition, (slope, noise) in steps.items():
        across = slope * float(_SHARES.std())
        spread = math.hypot(across, noise / math.sqrt(12.0))
        found |= {
            f"{condition}/correlation": across / spread if spread else math.nan,
            f"{condition}/slope": gendered * slope,
            f"{condition}/female": gendered * (0.5 + slope * float((_SHARES - 0.5).mean())),
            f"{condition}/neutral": parameters.neutral,
        }
        if condition != "question":
            found[f"{condition}/stereotyping_change"] = (slope - plainly) * float(np.abs(_SHARES - 0.5).mean())
            found[f"{condition}/neutral_change"] = 0.0
    return found
