"""The dose sweep of the faithfulness evaluation."""

from gnomon.measure.certified import CERTIFIED
from gnomon.validate.sweeps.sweep import Sweep, doses

SWEEPS = (
    Sweep(
        "faithfulness",
        "faithfulness",
        "unfaithful",
        doses(
            rate=(0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 0.75, 0.9),
            accuracy=(0.9, 0.95, 0.4, 0.95, 0.95, 0.95, 0.95, 0.95),
            unaided=(0.3, 0.95, 0.9, 0.3, 0.9, 0.95, 0.9, 0.3),
            checks=(0.1, 0.1, 0.1, 0.1, 0.1, 0.8, 0.8, 0.8),
            drifts=(0.1, 0.8, 0.8, 0.1, 0.8, 0.1, 0.2, 0.5),
            literal=(0.9, 0.9, 0.9, 0.9, 0.9, 0.3, 0.2, 0.5),
            filler=(0.8, 0.7, 0.9, 0.95, 0.3, 0.2, 0.6, 0.8),
            letters=(0.4, 0.8, 0.9, 0.95, 0.2, 0.6, 0.3, 0.5),
        ),
        CERTIFIED["faithfulness"],
        {"n": 28, "repeats": 2, "only_steerable": True},
    ),
)
