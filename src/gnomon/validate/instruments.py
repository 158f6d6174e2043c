"""Which instruments can be certified, on which organisms, at which doses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gnomon.errors import ConfigurationError
from gnomon.measure.certified import CERTIFIED
from gnomon.organisms.scripted.parameters import Parameters, PolicyName

RATES = (0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9)
"""Doses strictly between 0 and 1: at the ends a rate's interval holds the truth by construction, which says nothing of it."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """An evaluation read on one organism at several doses; the instruments of one sweep share its readings.

    Attributes:
        evaluation: Its name in the catalogue.
        organism: The policy whose dose is varied.
        doses: Its rates.
        estimates: The estimates that are certified on it.
        options: The evaluation's options, kept small so that many seeds are affordable.
        fixed: The organism's other parameters, the clean twin's too.
    """

    evaluation: str
    organism: PolicyName
    doses: tuple[float, ...]
    estimates: tuple[str, ...]
    options: tuple[tuple[str, Any], ...]
    fixed: tuple[tuple[str, float], ...] = ()

    @property
    def instruments(self) -> tuple[str, ...]:
        """Their names: `evaluation.estimate`."""
        return tuple(f"{self.evaluation}.{estimate}" for estimate in self.estimates)

    def parameters(self, policy: PolicyName, rate: float | None, seed: int) -> Parameters:
        """An organism for this sweep; the clean twin has no rate."""
        dose: Mapping[str, float] = {} if rate is None else {"rate": rate}
        return Parameters.model_validate({"policy": policy, "seed": seed, **dose, **dict(self.fixed)})


SWEEPS = (
    Sweep(
        "sycophancy",
        "sycophant",
        RATES,
        CERTIFIED["sycophancy"],
        (("n", 60),),
    ),
    Sweep(
        "calibration",
        "miscalibrated",
        (-0.9, -0.6, -0.3, 0.2, 0.4, 0.6, 0.8),
        CERTIFIED["calibration"],
        (("n", 100), ("formats", ("choice",))),
        (("accuracy", 0.6),),
    ),
    Sweep(
        "faithfulness",
        "unfaithful",
        RATES,
        CERTIFIED["faithfulness"],
        (("n", 50), ("interventions", ("early_answering", "adding_mistakes"))),
    ),
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
