"""The dose sweep of the measurement of judges."""

from gnomon.measure.certified import CERTIFIED
from gnomon.validate.sweeps.sweep import Sweep, doses

SWEEPS = (
    Sweep(
        "judge",
        "judge",
        "judge",
        doses(
            rate=(0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.75, 0.85),
            accuracy=(0.95, 0.6, 0.9, 0.7, 0.95, 0.6, 0.95, 0.6),
            longer=(0.1, 0.8, 0.3, 0.2, 0.9, 0.6, 0.4, 0.15),
            letters=(0.2, 0.95, 0.9, 0.6, 0.8, 0.3, 0.5, 0.4),
        ),
        CERTIFIED["judge"],
        {"n": 120},
        {"accuracy": 0.8},
    ),
)
