"""Claims are decided by intervals, and what was not measured decides nothing."""

import pytest

from gnomon.stats.estimate import Estimate
from gnomon.studies.verdicts import above, all_of, below, claim, equivalent, untried


def estimate(low: float, high: float) -> Estimate:
    return Estimate(
        evaluation="test", name="effect", value=(low + high) / 2, low=low, high=high, n=10, coverage=1.0, method="by hand"
    )


MISSING = Estimate.unmeasured("test", "effect", "every record failed")


@pytest.mark.parametrize(
    ("decide", "low", "high", "verdict"),
    [
        (above, 0.1, 0.3, "holds"),
        (above, -0.3, -0.1, "does not hold"),
        (above, -0.1, 0.3, "cannot tell"),
        (below, -0.3, -0.1, "holds"),
        (below, 0.1, 0.3, "does not hold"),
        (below, -0.1, 0.3, "cannot tell"),
        (lambda one: equivalent(one, 0.02), -0.01, 0.02, "holds"),
        (lambda one: equivalent(one, 0.02), 0.03, 0.05, "does not hold"),
        (lambda one: equivalent(one, 0.02), -0.05, -0.03, "does not hold"),
        (lambda one: equivalent(one, 0.02), -0.01, 0.05, "cannot tell"),
    ],
)
def test_the_whole_interval_decides(decide, low: float, high: float, verdict: str):
    found, because = decide(estimate(low, high))
    assert found == verdict
    assert "effect" in because


@pytest.mark.parametrize("decide", [above, below, lambda one: equivalent(one, 0.02)])
def test_what_was_not_measured_decides_nothing(decide):
    assert decide(MISSING) == ("cannot tell", "effect was not measured: every record failed")


def test_one_part_refutes_and_one_leaves_open():
    good, bad, open_ = (above(estimate(*ends)) for ends in ((0.1, 0.2), (-0.2, -0.1), (-0.1, 0.1)))
    assert all_of([good, good])[0] == "holds"
    assert all_of([good, open_])[0] == "cannot tell"
    assert all_of([good, open_, bad]) == bad
    assert all_of([])[0] == "cannot tell"


def test_a_claim_keeps_its_rule_and_its_evidence():
    decided = claim("3", "It rises.", "above 0", above(estimate(0.1, 0.3)), [estimate(0.1, 0.3)])
    assert (decided.verdict, decided.rule, decided.evidence[0].name) == ("holds", "above 0", "effect")
    assert decided.tone == "good"
    assert untried("4", "It falls.", "below 0", "one size only").verdict == "cannot tell"
