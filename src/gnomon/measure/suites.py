"""Suites: the evaluations that are run together."""

from gnomon.errors import ConfigurationError
from gnomon.measure import catalogue

DEFAULT = "core"

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
