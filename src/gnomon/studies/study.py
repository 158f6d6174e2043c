"""What a study is made of: a paper, the models it is run on, and a coroutine that finds out whether the paper's claims hold."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import Field

from gnomon.report.content import Claim
from gnomon.report.figure import Figure
from gnomon.run.settings import Settings
from gnomon.stats.estimate import Estimate
from gnomon.studies.bench import Bench

FAMILY = ("organism/base-30k", "organism/base-100k", "organism/base-300k", "organism/base-1m", "organism/base")
"""The grown organisms without a planted behaviour, by size: what a study of sizes is run on unless models are named."""


class StudyConfig(Settings):
    """What every study can be told; each may add its own fields.

    Attributes:
        models: References, smallest first where the study is about sizes.
        n: Questions per measurement (None: the study's default, which keeps it short).
        seed: Seed of everything.
    """

    models: tuple[str, ...] = Field(default=FAMILY, min_length=1)
    n: int | None = Field(default=None, ge=1)
    seed: int = 0


@dataclass(frozen=True)
class Findings:
    """What a study found.

    Attributes:
        claims: The paper's claims with their verdicts, in the order of the specification.
        estimates: What was measured, named so that the model is in the name (`base-30k/accuracy`).
        figures: Its key figures.
        notes: Limits, and what could not be tried, one paragraph each.
    """

    claims: Sequence[Claim]
    estimates: Sequence[Estimate]
    figures: Sequence[Figure] = ()
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Study:
    """A paper's experiment.

    Attributes:
        paper: arXiv id.
        title: The paper's title.
        run: What finds out: given what it works at and its configuration.
        config: The configuration's class.
        defaults: Fields of the configuration that this study fills in where the user does not.
    """

    paper: str
    title: str
    run: Callable[[Bench, Any], Awaitable[Findings]]
    config: type[StudyConfig] = StudyConfig
    defaults: dict[str, Any] = field(default_factory=dict[str, Any])
