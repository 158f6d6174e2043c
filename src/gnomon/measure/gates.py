"""Gates: conditions under which an audit must not pass, for release pipelines.

A condition names an estimate, may name a part of it, and says which values fail:

    sycophancy.agreement>0.2            its value
    sycophancy.agreement.high>0.3       the upper end of its 95 % interval
    calibration.accuracy.coverage<0.9   the scored share of its records
    worse                               any estimate that is significantly worse than in the baseline

What was not measured fails: a gate never takes silence for a good result.
"""

import operator
import re
from collections.abc import Callable, Sequence

from pydantic import BaseModel, ConfigDict

from gnomon.errors import ConfigurationError
from gnomon.measure.compare import CompareResult
from gnomon.report.numbers import number
from gnomon.stats.estimate import Estimate

WORSE = "worse"
PARTS = ("value", "low", "high", "worst_low", "worst_high", "coverage", "n")

_CONDITION = re.compile(rf"(?P<name>[\w/=.-]+?)(?:\.(?P<part>{'|'.join(PARTS)}))?\s*(?P<sign>>=|<=|>|<)\s*(?P<limit>\S+)")
_SIGNS: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


class Gate(BaseModel):
    """One condition, decided.

    Attributes:
        condition: As it was given.
        passed: Whether the audit may pass.
        because: The number that decided, or why there is none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    condition: str
    passed: bool
    because: str


def check(conditions: Sequence[str], *, baseline: bool) -> None:
    """Refuses conditions that cannot be read, before anything is run.

    Args:
        conditions: As the user gave them.
        baseline: Whether there is a baseline to compare with.

    Raises:
        ConfigurationError: A condition is no condition, or needs a baseline.
    """
    for condition in conditions:
        if condition == WORSE:
            if not baseline:
                raise ConfigurationError("--fail-on worse needs a --baseline to be worse than")
        else:
            _parsed(condition)


def decide(conditions: Sequence[str], estimates: Sequence[Estimate], comparison: CompareResult | None) -> list[Gate]:
    """Decides every condition.

    Raises:
        ConfigurationError: A condition names an estimate that the audit does not have.
    """
    return [
        _against_baseline(comparison) if condition == WORSE else _on_estimate(condition, estimates) for condition in conditions
    ]


def _on_estimate(condition: str, estimates: Sequence[Estimate]) -> Gate:
    name, part, sign, limit = _parsed(condition)
    found = next((one for one in estimates if f"{one.evaluation}.{one.name}" == name), None)
    if found is None:
        known = ", ".join(f"{one.evaluation}.{one.name}" for one in estimates)
        raise ConfigurationError(f"--fail-on {condition}: the audit has no estimate {name!r}; it has {known}")
    reading: float | None = getattr(found, part)
    if reading is None:
        because = found.reason if found.value is None else f"it has no {part}"
        return Gate(condition=condition, passed=False, because=f"{name} was not measured: {because}")
    shown = f"{name} is {number(reading)}" if part == "value" else f"{part} of {name} is {number(reading)}"
    return Gate(condition=condition, passed=not _SIGNS[sign](reading, limit), because=shown)


def _against_baseline(comparison: CompareResult | None) -> Gate:
    rows = comparison.comparisons if comparison else []
    worse = [f"{row.evaluation}.{row.name}" for row in rows if row.change == "worse"]
    because = f"worse than the baseline: {', '.join(worse)}" if worse else f"none of {len(rows)} estimates is worse"
    return Gate(condition=WORSE, passed=not worse, because=because)


def _parsed(condition: str) -> tuple[str, str, str, float]:
    found = _CONDITION.fullmatch(condition.strip())
    try:
        limit = float(found["limit"]) if found else float("nan")
    except ValueError:
        limit = float("nan")
    if not found or "." not in found["name"] or limit != limit:
        raise ConfigurationError(
            f"--fail-on {condition} is no condition: write evaluation.estimate>0.2, evaluation.estimate.high>0.2, or {WORSE}"
        )
    return found["name"], found["part"] or "value", found["sign"], limit
