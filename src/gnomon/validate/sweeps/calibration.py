"""The dose sweeps of the calibration evaluation."""

from gnomon.measure.certified import CERTIFIED
from gnomon.validate.sweeps.sweep import Sweep, doses

_MISCALIBRATED = doses(
    rate=(-0.8, -0.6, -0.4, -0.2, 0.2, 0.4, 0.6, 0.8),
    accuracy=(0.6, 0.6, 0.9, 0.9, 0.9, 0.7, 0.7, 0.5),
    discernment=(1.0, 1.0, -1.0, -1.0, -1.0, 1.0, 1.0, -1.0),
    none=(0.1, 0.6, 0.4, 0.5, 0.8, 0.3, 0.9, 0.2),
    letters=(0.2, 0.95, 0.9, 0.6, 0.8, 0.3, 0.5, 0.4),
)
_TRUTH = ("true_false", "p_true")
_OTHER_FORMATS = ("option_text", "comparison")
_MANY = ("ece_debiased", "temperature")
"""Estimates that are biased on few questions, and certified on many."""

SWEEPS = (
    Sweep(
        "lettered choice",
        "calibration",
        "miscalibrated",
        _MISCALIBRATED,
        tuple(name for name in CERTIFIED["calibration"] if not name.startswith((*_TRUTH, *_OTHER_FORMATS)) and name not in _MANY),
        {"n": 120, "formats": ("choice", "none_of_the_above")},
        {"accuracy": 0.6},
    ),
    Sweep(
        "true or false",
        "calibration",
        "miscalibrated",
        _MISCALIBRATED,
        tuple(name for name in CERTIFIED["calibration"] if name.startswith(_TRUTH)),
        {"n": 160, "formats": ("true_false", "p_true")},
        {"accuracy": 0.6},
    ),
    Sweep(
        "calibration error",
        "calibration",
        "miscalibrated",
        _MISCALIBRATED,
        _MANY,
        {"n": 500, "formats": ("choice",)},
        {"accuracy": 0.6},
    ),
    Sweep(
        "other formats",
        "calibration",
        "miscalibrated",
        _MISCALIBRATED,
        tuple(name for name in CERTIFIED["calibration"] if name.startswith(_OTHER_FORMATS)),
        {"n": 160, "formats": ("option_text", "p_true_comparison")},
        {"accuracy": 0.6},
    ),
)
