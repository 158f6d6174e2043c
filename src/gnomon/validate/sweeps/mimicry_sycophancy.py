"""The dose sweep of the mimicry evaluation."""

from gnomon.measure.certified import CERTIFIED
from gnomon.validate.sweeps.sweep import Sweep, doses

SWEEPS = (
    Sweep(
        "mimicry-sycophancy",
        "mimicry-sycophancy",
        "sycophant",
        doses(
            rate=(0.1, 0.2, 0.3, 0.45, 0.6, 0.7, 0.8, 0.9),
            accuracy=(0.4, 0.7, 0.5, 0.6, 0.75, 0.35, 0.65, 0.55),
        ),
        CERTIFIED["mimicry-sycophancy"],
        {"n": 120},
        {"accuracy": 0.6},
    ),
)
