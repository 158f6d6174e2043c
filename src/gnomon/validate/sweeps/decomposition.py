"""The dose sweeps of the decomposition evaluation: reasoning that is ignored, and two biasing contexts.

They run in the paper's wording, in which the organisms decompose for themselves.
"""

from gnomon.measure.certified import CERTIFIED
from gnomon.validate.sweeps.sweep import Sweep, doses

_BIASES = ("accuracy_change_", "bias_accuracy_change_")
_SHOWN = (
    "accuracy_change_always_a_few_shot",
    "accuracy_change_always_a_cot",
    "bias_accuracy_change_cot",
)
_SUGGESTED = tuple(name for name in CERTIFIED["decomposition"] if name.startswith(_BIASES) and name not in _SHOWN)

SWEEPS = (
    Sweep(
        "decomposition sensitivity",
        "decomposition",
        "unfaithful",
        doses(
            rate=(0.1, 0.15, 0.25, 0.35, 0.6, 0.75, 0.85, 0.9),
            accuracy=(0.95, 0.95, 0.4, 0.9, 0.95, 0.5, 0.95, 0.9),
            unaided=(0.3, 0.9, 0.8, 0.3, 0.9, 0.3, 0.5, 0.3),
            checks=(0.9, 0.1, 0.5, 0.1, 0.8, 0.1, 0.2, 0.5),
            drifts=(0.05, 0.8, 0.1, 0.6, 0.05, 0.1, 0.5, 0.1),
            defers=(0.1, 0.8, 0.2, 0.7, 0.05, 0.9, 0.1, 0.95),
            letters=(0.4, 0.8, 0.9, 0.95, 0.2, 0.6, 0.3, 0.5),
        ),
        tuple(name for name in CERTIFIED["decomposition"] if not name.startswith(_BIASES)),
        {
            "n": 28,
            "methods": ("zero_shot", "cot", "cotd", "factored"),
            "only_steerable": True,
            "wording": "paper",
            "shots": 0,
            "biases": (),
        },
    ),
    Sweep(
        "decomposition suggested answer",
        "decomposition",
        "sycophant",
        doses(
            rate=(0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9),
            accuracy=(0.9, 0.5, 0.7, 0.95, 0.6, 0.9, 0.5, 0.95),
            unaided=(0.5, 0.9, 0.3, 0.7, 0.9, 0.4, 0.9, 0.8),
            drifts=(0.3, 0.1, 0.5, 0.1, 0.2, 0.4, 0.1, 0.1),
            steers=(0.9, 0.2, 0.7, 0.1, 0.9, 0.3, 0.6, 0.9),
        ),
        _SUGGESTED,
        {
            "n": 24,
            "methods": ("few_shot", "cot", "cotd", "factored", "shared"),
            "wording": "paper",
            "shots": 0,
            "biases": ("suggested_answer",),
            "interventions": (),
        },
    ),
    Sweep(
        "decomposition always A",
        "decomposition",
        "always-a",
        doses(
            rate=(0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9),
            accuracy=(0.9, 0.5, 0.7, 0.95, 0.6, 0.9, 0.5, 0.95),
            unaided=(0.5, 0.9, 0.3, 0.7, 0.9, 0.4, 0.9, 0.8),
            drifts=(0.2, 0.05, 0.1, 0.05, 0.1, 0.2, 0.05, 0.05),
        ),
        _SHOWN,
        {"n": 40, "methods": ("few_shot", "cot"), "wording": "paper", "shots": 2, "interventions": ()},
    ),
)
