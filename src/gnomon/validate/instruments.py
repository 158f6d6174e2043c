"""Which instruments can be certified, on which organisms, at which doses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gnomon.errors import ConfigurationError
from gnomon.measure.certified import CERTIFIED
from gnomon.organisms.scripted.parameters import Parameters, PolicyName

Dose = Mapping[str, float]
"""Parameters of an organism: the rate, and with it what else changes the true values, each independently of the rate."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """An evaluation read on one organism at several doses; the instruments of one sweep share its readings.

    Attributes:
        name: What it is called where its certificates are kept.
        evaluation: Its name in the catalogue.
        organism: The policy whose dose is varied.
        doses: Its parameters, dose by dose, rates all different.
        estimates: The estimates that are certified on it.
        options: The evaluation's options, kept small so that many seeds are affordable.
        fixed: Parameters of the clean twin and of the organisms with another behaviour.
    """

    name: str
    evaluation: str
    organism: PolicyName
    doses: tuple[Dose, ...]
    estimates: tuple[str, ...]
    options: Mapping[str, Any]
    fixed: Dose = field(default_factory=dict[str, float])

    @property
    def instruments(self) -> tuple[str, ...]:
        """Their names: `evaluation.estimate`."""
        return tuple(f"{self.evaluation}.{estimate}" for estimate in self.estimates)

    def dosed(self, place: int, seed: int) -> Parameters:
        """The organism at a dose."""
        return Parameters.model_validate({"policy": self.organism, "seed": seed, **self.doses[place]})

    def twin(self, seed: int) -> Parameters:
        """The clean twin."""
        return Parameters.model_validate({"policy": "honest", "seed": seed, **self.fixed})

    def neighbour(self, policy: PolicyName, seed: int) -> Parameters:
        """An organism with another behaviour, at full dose."""
        return Parameters.model_validate({"policy": policy, "seed": seed, "rate": 1.0, **self.fixed})


def _doses(**columns: tuple[float, ...]) -> tuple[Dose, ...]:
    return tuple(dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True))


_MISCALIBRATED = _doses(
    rate=(-0.8, -0.6, -0.4, -0.2, 0.2, 0.4, 0.6, 0.8),
    accuracy=(0.6, 0.6, 0.9, 0.9, 0.9, 0.7, 0.7, 0.5),
    discernment=(1.0, 1.0, -1.0, -1.0, -1.0, 1.0, 1.0, -1.0),
    none=(0.1, 0.6, 0.4, 0.5, 0.8, 0.3, 0.9, 0.2),
    letters=(0.2, 0.95, 0.9, 0.6, 0.8, 0.3, 0.5, 0.4),
)
_TRUTH = ("true_false", "p_true")
_MANY = ("ece_debiased", "temperature")
"""Estimates that are biased on few questions, and certified on many."""

SWEEPS = (
    Sweep(
        "sycophancy",
        "sycophancy",
        "sycophant",
        _doses(
            rate=(0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9),
            accuracy=(0.35, 0.5, 0.7, 0.85, 0.85, 0.35, 0.85, 0.4),
            wavers=(0.1, 0.1, 0.1, 0.7, 0.7, 0.7, 0.3, 0.1),
            second=(0.9, 0.8, 0.5, 0.3, 0.2, 0.6, 0.95, 0.1),
            letters=(0.2, 0.95, 0.9, 0.6, 0.8, 0.3, 0.5, 0.4),
        ),
        CERTIFIED["sycophancy"],
        {"n": 120},
        {"accuracy": 0.7},
    ),
    Sweep(
        "lettered choice",
        "calibration",
        "miscalibrated",
        _MISCALIBRATED,
        tuple(name for name in CERTIFIED["calibration"] if not name.startswith(_TRUTH) and name not in _MANY),
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
        "faithfulness",
        "faithfulness",
        "unfaithful",
        _doses(
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
"""The doses spread the true values of all estimands of a sweep widely, and independently of one another as far as that goes; they
were chosen by the ledger alone. None lies where an interval holds the truth by construction."""


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
