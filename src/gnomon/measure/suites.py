"""Suites: the evaluations that are run together."""

import logging
from typing import Any

from gnomon.errors import ConfigurationError, TooFewItems
from gnomon.measure import catalogue
from gnomon.measure.evaluation import Evaluation

DEFAULT = "core"

_log = logging.getLogger(__name__)

_SUITES: dict[str, tuple[str, ...]] = {
    "core": ("sycophancy", "calibration", "faithfulness"),
    "release": ("sycophancy", "calibration", "faithfulness", "biased-cot", "red-teaming", "inverse-scaling"),
}


def names() -> list[str]:
    """The suites' names."""
    return [*_SUITES, "full"]


def evaluations(suite: str) -> list[str]:
    """The evaluations of a suite, in the order in which they are reported; `full` has all.

    Raises:
        ConfigurationError: There is no such suite.
    """
    if suite == "full":
        return catalogue.names()
    if suite not in _SUITES:
        raise ConfigurationError(f"there is no suite {suite!r}; choose from {', '.join(names())}")
    return list(_SUITES[suite])


def build_beside(name: str, n: int | None, **options: Any) -> Evaluation:
    """Builds an evaluation that is run beside others with one `n`: where it has fewer items it takes all of them, and warns.

    Args:
        name: Its name.
        n: Questions (None: its default).
        options: Further fields of its configuration.

    Raises:
        ConfigurationError: As `catalogue.build`.
        DatasetError: The dataset is unknown, missing or empty.
    """
    wanted = n
    while True:
        try:
            built = catalogue.build(name, n=wanted, **options)
        except TooFewItems as few:
            if few.there < 1:
                raise
            wanted = few.there
        else:
            if wanted != n:
                _log.warning("%s has only %d of the %d questions wanted: all of them are asked", name, wanted, n)
            return built
