"""Which instruments can be certified."""

from collections.abc import Sequence

from gnomon.errors import ConfigurationError
from gnomon.validate.sweeps import (
    biased_cot,
    calibration,
    decomposition,
    faithfulness,
    feedback_sycophancy,
    inverse_scaling,
    judge,
    mimicry_sycophancy,
    model_written,
    oversight,
    p_ik,
    red_teaming,
    self_correction,
    sycophancy,
)
from gnomon.validate.sweeps.sweep import Sweep

SWEEPS: tuple[Sweep, ...] = (
    *sycophancy.SWEEPS,
    *calibration.SWEEPS,
    *faithfulness.SWEEPS,
    *feedback_sycophancy.SWEEPS,
    *mimicry_sycophancy.SWEEPS,
    *oversight.SWEEPS,
    *red_teaming.SWEEPS,
    *inverse_scaling.SWEEPS,
    *decomposition.SWEEPS,
    *model_written.SWEEPS,
    *biased_cot.SWEEPS,
    *judge.SWEEPS,
    *p_ik.SWEEPS,
    *self_correction.SWEEPS,
)


def names() -> list[str]:
    """All instruments that can be certified."""
    return [name for sweep in SWEEPS for name in sweep.instruments]


def chosen(wanted: Sequence[str] | None) -> list[tuple[Sweep, list[str]]]:
    """The sweeps that are needed for the wanted instruments, each with its instruments among them.

    Args:
        wanted: Instruments (`sycophancy.agreement`) or whole evaluations (`sycophancy`); None: all.

    Raises:
        ConfigurationError: There is no such instrument.
    """
    everything = names()
    evaluations = {sweep.evaluation for sweep in SWEEPS}
    for name in wanted or ():
        if name not in everything and name not in evaluations:
            raise ConfigurationError(f"there is no instrument {name!r} to certify; choose from {', '.join(everything)}")
    found: list[tuple[Sweep, list[str]]] = []
    for sweep in SWEEPS:
        kept = [name for name in sweep.instruments if not wanted or name in wanted or sweep.evaluation in wanted]
        if kept:
            found.append((sweep, kept))
    return found
