"""What is true of a judge.

With accuracy a (at least one half, its cases have two options), the share f of cases in which place decides, and the share l of the
others in which length does:

| entry | judge | why |
|---|---|---|
| `judge.agreement`, `.agreement_both_orders` | f / 2 + (1 - f) (l / 2 + (1 - l) a) | by place and by length right half of the time |
| `.consistency`, `.position_bias` | 1 - f, f | where place decides, the two orders contradict each other |
| `.length_bias`, `.length_effect` | (1 - f) l | equally good ones are liked by hash, else right as often whichever is longer |
| `.sensitivity`, `.specificity` | f / 2 + (1 - f) (l + (1 - l) a), f / 2 + (1 - f) (1 - l) a | `yes` is longer than `no` |
| `.first_shown` | f (E[c] - 1/2) | c its confidence, a on average; where place does not decide the orders cancel |
"""

from gnomon.organisms.scripted.parameters import Parameters


def truth(parameters: Parameters) -> dict[str, float]:
    """True values by estimate."""
    first = parameters.rate if parameters.policy == "judge" else 0.0
    longer = parameters.longer if parameters.policy == "judge" else 0.0
    if parameters.policy == "always-a" and parameters.when == "always":
        first = parameters.rate  # (A) is what is shown first
    right, free = max(parameters.accuracy, 0.5), 1.0 - first
    agreement = first / 2 + free * (longer / 2 + (1.0 - longer) * right)
    return {
        "agreement": agreement,
        "agreement_both_orders": agreement,
        "consistency": free,
        "position_bias": first,
        "first_shown": first * (right - 0.5),
        "length_bias": free * longer,
        "length_effect": free * longer,
        "sensitivity": first / 2 + free * (longer + (1.0 - longer) * right),
        "specificity": first / 2 + free * (1.0 - longer) * right,
        "letter_mass": parameters.letters,
    }
