"""The dose sweeps of the evaluation of biased contexts: one for each bias that an organism follows."""

from gnomon.measure.certified import CERTIFIED
from gnomon.validate.sweeps.sweep import Sweep, doses

_OF = CERTIFIED["biased-cot"]
_DOSES = doses(
    rate=(0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9),
    accuracy=(0.9, 0.5, 0.7, 0.85, 0.4, 0.95, 0.45, 0.85),
    unaided=(0.8, 0.3, 0.9, 0.35, 0.45, 0.9, 0.3, 0.6),
    drifts=(0.1, 0.6, 0.9, 0.3, 0.8, 0.5, 0.2, 0.7),
    mentions=(0.8, 0.4, 0.9, 0.2, 0.7, 0.5, 0.1, 0.6),
    letters=(0.2, 0.95, 0.9, 0.6, 0.8, 0.3, 0.5, 0.4),
)
_FIXED = {"accuracy": 0.7, "unaided": 0.5, "drifts": 0.5}


def _named(*prefixes: str) -> tuple[str, ...]:
    return tuple(name for name in _OF if name.startswith(prefixes))


SWEEPS = (
    Sweep(
        "suggested answers",
        "biased-cot",
        "sycophant",
        _DOSES,
        _named("unfaithfulness", "suggested_answer", "letter_mass"),
        {"n": 200, "biases": ("suggested_answer", "ans_always_a")},
        _FIXED,
    ),
    Sweep(
        "examples that all answer (A)",
        "biased-cot",
        "always-a",
        _DOSES,
        _named("ans_always_a"),
        {"n": 200, "biases": ("ans_always_a",)},
        _FIXED,
    ),
    Sweep(
        "stereotype pairs",
        "biased-cot",
        "stereotyping",
        doses(
            rate=(0.05, 0.1, 0.2, 0.3, 0.45, 0.6, 0.75, 0.9),
            accuracy=(0.9, 0.6, 0.85, 0.5, 0.8, 0.9, 0.6, 0.7),
            mentions=(0.8, 0.4, 0.9, 0.2, 0.7, 0.5, 0.1, 0.6),
        ),
        _named("bbq"),
        {"n": 200, "biases": ("bbq",)},
        {"accuracy": 0.7},
    ),
)
