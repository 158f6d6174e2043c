"""What is true of knowing: how often sampled answers are right, and how often two of them say the same.

With accuracy a, confidences even between a - h and a + h, discernment d and 15 other values per relation: an answer in words is
the believed one with probability c, which is right as often as c and d say, else any other value. A chain of thought concludes
rightly with probability a (1 - e) + e (1 - a) / 3 at a share e of drifting.

| entry | value | why |
|---|---|---|
| `p-ik.ground_truth` | enumerated | as the sampled answers of calibration |
| `.agreement` | E[c^2 + (1 - c)^2 / 15] = a^2 + V + ((1 - a)^2 + V) / 15, V = h^2 / 3 | both the believed one, or the same other one |
| `.ood_ground_truth` | a (1 - e) + e (1 - a) / 3 | sums, reasoned |
| `.ood_agreement` | (1 - e)^2 + e^2 / 3 | both as reasoned, or drifted to the same other option |

P(IK) itself is read from hidden states, which a scripted organism does not have.
"""

from gnomon.organisms.scripted.mind import SPREAD
from gnomon.organisms.scripted.parameters import Parameters
from gnomon.organisms.scripted.population import OPTIONS, POOL, Calibrated


def truth(parameters: Parameters) -> dict[str, float]:
    """True values by estimate, for facts in distribution and sums out of it."""
    mean, drifts, others = parameters.accuracy, parameters.drifts, POOL - 1
    spread = (SPREAD * min(1.0 - mean, mean - 1.0 / OPTIONS)) ** 2 / 3.0
    return {
        "ground_truth": Calibrated(parameters).own().share_true,
        "agreement": mean**2 + spread + ((1.0 - mean) ** 2 + spread) / others,
        "ood_ground_truth": mean * (1.0 - drifts) + drifts * (1.0 - mean) / (OPTIONS - 1),
        "ood_agreement": (1.0 - drifts) ** 2 + drifts**2 / (OPTIONS - 1),
    }
