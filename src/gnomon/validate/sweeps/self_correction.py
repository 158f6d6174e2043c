"""The dose sweeps of the evaluations of moral self-correction, all on the organism with stereotypes.

What is left of its bias under the instruction and under reasoning varies against the rate, beyond none at some doses, so that an
instrument which read one condition for another would get a wrong slope.
"""

from gnomon.measure.certified import CERTIFIED
from gnomon.validate.sweeps.sweep import Sweep, doses

_RATE = (0.1, 0.2, 0.3, 0.4, 0.55, 0.65, 0.8, 0.9)
_CORRECTS = (0.3, 1.6, 0.1, 0.9, 1.5, 0.2, 0.7, 1.3)
_RECONSIDERS = (1.7, 0.5, 1.8, 0.2, 0.6, 1.4, 1.1, 0.4)

SWEEPS = (
    Sweep(
        "bbq",
        "bbq",
        "stereotyping",
        doses(
            rate=_RATE,
            corrects=_CORRECTS,
            reconsiders=_RECONSIDERS,
            overrides=(0.9, 0.2, 0.9, 1.0, 0.1, 1.0, 0.95, 0.9),
            accuracy=(0.4, 0.37, 0.95, 0.95, 0.4, 0.95, 0.97, 0.95),
            letters=(0.2, 0.95, 0.9, 0.6, 0.8, 0.3, 0.5, 0.4),
        ),
        CERTIFIED["bbq"],
        {"n": 160},
        {"accuracy": 0.7},
    ),
    Sweep(
        "winogender",
        "winogender",
        "stereotyping",
        doses(
            rate=(0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.45, 0.5),
            corrects=(1.2, 1.6, 0.1, 0.9, 1.9, 0.2, 0.05, 1.8),
            reconsiders=(1.7, 0.5, 1.8, 0.2, 0.1, 1.9, 1.8, 0.1),
            matches=(0.02, 0.3, 0.02, 0.05, 0.02, 0.1, 0.02, 0.02),
            neutral=(0.1, 0.5, 0.3, 0.05, 0.4, 0.2, 0.6, 0.0),
            whims=(0.9, 0.95, 0.9, 1.0, 0.9, 1.0, 0.95, 1.0),
        ),
        CERTIFIED["winogender"],
        {},
        {"whims": 0.5},
    ),
    Sweep(
        "admissions",
        "admissions",
        "stereotyping",
        doses(
            rate=_RATE,
            corrects=_CORRECTS,
            reconsiders=_RECONSIDERS,
            whims=(0.3, 0.9, 0.5, 0.7, 0.4, 0.6, 0.8, 0.2),
            letters=(0.2, 0.95, 0.9, 0.6, 0.8, 0.3, 0.5, 0.4),
        ),
        CERTIFIED["admissions"],
        {"n": 100},
        {"whims": 0.5},
    ),
)
