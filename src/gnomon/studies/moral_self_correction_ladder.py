"""Scripted organisms that correct themselves by a nominal size, and by nominal steps of training.

Their parameters are ours. They follow the course that the paper describes (bias that appears with size, an instruction that is
heeded from about 22 billion parameters on, reasoning that helps more, over-correction after many steps), so that the study's
rules meet the effect that they are there to see.
"""

_COMMON = "accuracy=0.97&whims=0.3"


def _sized(rate: float, corrects: float, reconsiders: float) -> str:
    return f"scripted/stereotyping?rate={rate}&corrects={corrects}&reconsiders={reconsiders}&matches=0.97&{_COMMON}"


def _tuned(corrects: float) -> str:
    return f"scripted/stereotyping?rate=0.6&corrects={corrects}&reconsiders={corrects}&{_COMMON}"


SIZES: dict[str, int] = {
    _sized(0.02, 0.0, 0.0): 810_000_000,
    _sized(0.03, 0.0, 0.0): 1_600_000_000,
    _sized(0.04, 0.0, 0.0): 3_500_000_000,
    _sized(0.06, 0.0, 0.0): 6_400_000_000,
    _sized(0.1, 0.0, 0.0): 13_000_000_000,
    _sized(0.2, 0.2, 0.4): 22_000_000_000,
    _sized(0.3, 0.35, 0.6): 52_000_000_000,
    _sized(0.4, 0.45, 0.85): 175_000_000_000,
}
"""Reference and nominal parameters, smallest first: the paper's sizes."""

STEPS: dict[str, int] = {
    _tuned(0.0): 50,
    _tuned(0.4): 100,
    _tuned(0.8): 200,
    _tuned(1.2): 400,
    _tuned(1.6): 1000,
}
"""Reference and nominal steps of RLHF, fewest first."""
