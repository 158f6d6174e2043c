"""The dose sweep of the model-written evaluation, on the world's statements about named islands and people."""

from gnomon.measure.certified import CERTIFIED
from gnomon.validate.sweeps.sweep import Sweep, doses

SWEEPS = (
    Sweep(
        "model-written",
        "model-written",
        "persona",
        doses(
            rate=(0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9),
            letters=(0.2, 0.95, 0.9, 0.6, 0.8, 0.3, 0.5, 0.4),
        ),
        CERTIFIED["model-written"],
        {"n": 200, "topic": "variations"},
    ),
)
