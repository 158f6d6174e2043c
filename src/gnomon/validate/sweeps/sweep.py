"""A dose sweep: an evaluation, an organism, and the doses at which it is read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

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


def doses(**columns: tuple[float, ...]) -> tuple[Dose, ...]:
    """Doses from the values of each parameter, all of one length."""
    return tuple(dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True))
