"""The dose sweep of the P(IK) evaluation: ground truth and agreement; P(IK) itself needs weights."""

from gnomon.measure.certified import CERTIFIED
from gnomon.validate.sweeps.sweep import Sweep, doses

SWEEPS = (
    Sweep(
        "knowing",
        "p-ik",
        "miscalibrated",
        doses(
            rate=(-0.8, -0.6, -0.4, -0.2, 0.2, 0.4, 0.6, 0.8),
            accuracy=(0.6, 0.35, 0.9, 0.45, 0.9, 0.7, 0.3, 0.5),
            discernment=(1.0, 1.0, -1.0, -1.0, 0.5, 1.0, 0.0, -1.0),
            drifts=(0.6, 0.1, 0.8, 0.3, 0.2, 0.7, 0.5, 0.4),
        ),
        CERTIFIED["p-ik"],
        {"n": 120, "samples": 6, "training": 0, "context": 0},
        {"accuracy": 0.6, "drifts": 0.4},
    ),
)
