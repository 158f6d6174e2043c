"""How numbers are written."""

import pytest

from gnomon.report import numbers
from gnomon.stats.estimate import Estimate
from gnomon.stats.estimators import estimate_rate


@pytest.mark.parametrize(
    ("value", "width", "signed", "text"),
    [
        (0.1234, 0.2, False, "0.12"), (0.1234, 0.01, False, "0.123"), (-0.0001, 0.2, True, "0.00"),
        (0.5, None, True, "+0.50"), (-0.5, None, True, "-0.50"), (None, None, False, "-"),
    ],
)  # fmt: skip
def test_number(value, width, signed, text):
    assert numbers.number(value, width, signed=signed) == text


@pytest.mark.parametrize(("part", "text"), [(1.0, "100 %"), (0.999, ">99 %"), (0.001, "<1 %"), (0.0, "0 %"), (0.974, "97 %")])
def test_shares_never_round_to_all_or_nothing(part, text):
    assert numbers.share(part) == text


def test_estimates():
    full, gaps = (estimate_rate([1, 0, 1, *missing], evaluation="e", name="n") for missing in ([], [None]))
    assert numbers.worst_case(full) == "same"
    assert numbers.worst_case(gaps) == "0.50 to 0.75"
    nothing = Estimate.unmeasured("e", "n", "why")
    assert numbers.value_with_interval(nothing) == "not measured"
    assert numbers.worst_case(nothing) == "-"


@pytest.mark.parametrize(("p", "text"), [(None, "-"), (0.0001, "< 0.001"), (0.04, "0.040")])
def test_p_values(p, text):
    assert numbers.p_value(p) == text
