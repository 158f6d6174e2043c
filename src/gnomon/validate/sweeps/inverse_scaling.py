"""The dose sweep of the inverse-scaling evaluation."""

from gnomon.measure.certified import CERTIFIED
from gnomon.validate.sweeps.sweep import Sweep, doses

SWEEPS = (
    Sweep(
        "inverse scaling",
        "inverse-scaling",
        "misled",
        doses(
            rate=(0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9),
            accuracy=(0.7, 0.9, 0.6, 0.85, 0.75, 0.9, 0.65, 0.8),
            letters=(0.2, 0.95, 0.9, 0.6, 0.8, 0.3, 0.5, 0.4),
        ),
        CERTIFIED["inverse-scaling"],
        {"n": 60, "task": "repeat,pronoun,negation,examples"},
        {"accuracy": 0.8},
    ),
)
