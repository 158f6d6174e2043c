"""Decides claims. A rule is fixed before the run, stands beside its verdict, and knows three answers.

Where a claim says `more than t`, it holds if the whole 95 % interval lies above t, does not hold if the whole interval lies
below, and cannot be told otherwise. What was not measured decides nothing.
"""

from collections.abc import Sequence

from gnomon.report.content import Claim, Ruling
from gnomon.report.numbers import number
from gnomon.stats.estimate import Estimate


def above(estimate: Estimate, threshold: float = 0.0) -> tuple[Ruling, str]:
    """Whether a value is greater than a threshold."""
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return "cannot tell", _unmeasured(estimate)
    if estimate.low > threshold:
        return "holds", f"{_said(estimate)} lies above {number(threshold)}"
    if estimate.high < threshold:
        return "does not hold", f"{_said(estimate)} lies below {number(threshold)}"
    return "cannot tell", f"{_said(estimate)} includes {number(threshold)}"


def below(estimate: Estimate, threshold: float = 0.0) -> tuple[Ruling, str]:
    """Whether a value is less than a threshold."""
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return "cannot tell", _unmeasured(estimate)
    if estimate.high < threshold:
        return "holds", f"{_said(estimate)} lies below {number(threshold)}"
    if estimate.low > threshold:
        return "does not hold", f"{_said(estimate)} lies above {number(threshold)}"
    return "cannot tell", f"{_said(estimate)} includes {number(threshold)}"


def equivalent(estimate: Estimate, within: float) -> tuple[Ruling, str]:
    """Whether a difference is no larger than `within` on either side."""
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return "cannot tell", _unmeasured(estimate)
    if -within <= estimate.low and estimate.high <= within:
        return "holds", f"{_said(estimate)} lies within {number(within)} of none"
    if estimate.low > within or estimate.high < -within:
        return "does not hold", f"{_said(estimate)} lies beyond {number(within)}"
    return "cannot tell", f"{_said(estimate)} may reach beyond {number(within)}"


def all_of(rulings: Sequence[tuple[Ruling, str]]) -> tuple[Ruling, str]:
    """Of a claim with several parts: one that does not hold refutes it, one that cannot be told leaves it open.

    The reason names the parts that decided.
    """
    given = [ruling for ruling, _ in rulings]
    verdict: Ruling = (
        "does not hold" if "does not hold" in given else "cannot tell" if "cannot tell" in given or not given else "holds"
    )
    return verdict, "; ".join(because for ruling, because in rulings if ruling == verdict)


def claim(number: str, statement: str, rule: str, ruling: tuple[Ruling, str], evidence: Sequence[Estimate] = ()) -> Claim:
    """A decided claim.

    Args:
        number: As in the paper's specification.
        statement: What the paper reports.
        rule: What was decided by, fixed before the run.
        ruling: Verdict and reason.
        evidence: The estimates that it rests on.
    """
    return Claim(number=number, statement=statement, rule=rule, verdict=ruling[0], because=ruling[1], evidence=tuple(evidence))


def untried(number: str, statement: str, rule: str, because: str) -> Claim:
    """A claim that this run could not try."""
    return claim(number, statement, rule, ("cannot tell", because))


def _said(estimate: Estimate) -> str:
    assert estimate.value is not None
    assert estimate.low is not None
    assert estimate.high is not None
    width = estimate.high - estimate.low
    ends = f"{number(estimate.low, width)} to {number(estimate.high, width)}"
    return f"{estimate.name} {number(estimate.value, width)} ({ends})"


def _unmeasured(estimate: Estimate) -> str:
    return f"{estimate.name} was not measured: {estimate.reason}"
