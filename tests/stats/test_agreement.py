"""Agreement statistics against published worked examples, scikit-learn, pair by pair definitions and simulated raters."""

import itertools
import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from gnomon.stats.agreement import (
    Level,
    cohen_kappa,
    estimate_cohen_kappa,
    estimate_fleiss_kappa,
    estimate_krippendorff_alpha,
    fleiss_kappa,
    krippendorff_alpha,
)

# Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), C: four observers, twelve units, missing values.
_OBSERVERS = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
    [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
]
KRIPPENDORFF = [list(unit) for unit in zip(*_OBSERVERS, strict=True)]

# The usual textbook example of Fleiss' kappa: ten subjects, fourteen raters, five categories.
_FLEISS_COUNTS = [
    [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
    [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
]  # fmt: skip
FLEISS = [[category for category, count in enumerate(row) for _ in range(count)] for row in _FLEISS_COUNTS]


@pytest.mark.parametrize(("level", "published"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_alpha_of_the_published_example(level: Level, published: float) -> None:
    assert krippendorff_alpha(KRIPPENDORFF, level) == pytest.approx(published, abs=5e-4)


def test_fleiss_kappa_of_the_textbook_example() -> None:
    assert fleiss_kappa(FLEISS) == pytest.approx(0.210, abs=5e-4)


def test_cohen_kappa_by_hand() -> None:
    # 50 grant proposals: both yes 20, both no 15, only the first 5, only the second 10; kappa = (0.7 - 0.5) / (1 - 0.5).
    first = ["yes"] * 20 + ["yes"] * 5 + ["no"] * 10 + ["no"] * 15
    second = ["yes"] * 20 + ["no"] * 5 + ["yes"] * 10 + ["no"] * 15
    assert cohen_kappa(first, second) == pytest.approx(0.4)


LABELS = st.integers(0, 4)


@pytest.mark.filterwarnings("ignore::UserWarning")
@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(LABELS, LABELS), min_size=2, max_size=30), st.sampled_from([None, "linear", "quadratic"]))
def test_cohen_kappa_is_that_of_scikit_learn(pairs: list[tuple[int, int]], weights: str | None) -> None:
    first, second = [list(column) for column in zip(*pairs, strict=True)]
    # Categories that nobody used lie between others in scikit-learn only where they are named.
    used = sorted({*first, *second})
    ranks = {label: rank for rank, label in enumerate(used)}
    ours = cohen_kappa([ranks[one] for one in first], [ranks[one] for one in second], weights)  # type: ignore[arg-type]
    with np.errstate(invalid="ignore"):
        theirs = cohen_kappa_score([ranks[one] for one in first], [ranks[one] for one in second], weights=weights)
    assert ours == pytest.approx(theirs, nan_ok=True) or (len(used) == 1 and math.isnan(ours))


def _alpha_pair_by_pair(units: Sequence[Sequence[int | None]], level: Level) -> float:
    """The definition: 1 minus the mean difference within units over the mean difference of any two pairable ratings."""
    pairable = [[one for one in unit if one is not None] for unit in units]
    pairable = [unit for unit in pairable if len(unit) > 1]
    everything = [one for unit in pairable for one in unit]

    def difference(a: int, b: int) -> float:
        if level == "nominal":
            return float(a != b)
        if level == "interval":
            return float((a - b) ** 2)
        low, high = min(a, b), max(a, b)
        between = sum(1 for one in everything if low <= one <= high)
        return (between - (everything.count(low) + everything.count(high)) / 2) ** 2 if low != high else 0.0

    within = sum(difference(a, b) / (len(unit) - 1) for unit in pairable for a, b in itertools.permutations(unit, 2)) / len(
        everything
    )
    overall = sum(difference(a, b) for a, b in itertools.permutations(everything, 2)) / len(everything) / (len(everything) - 1)
    return 1 - within / overall if overall else math.nan


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.one_of(st.none(), st.integers(1, 5)), min_size=3, max_size=3), min_size=1, max_size=12),
    st.sampled_from(["nominal", "ordinal", "interval"]),
)
def test_alpha_is_its_definition_pair_by_pair(units: list[list[int | None]], level: Level) -> None:
    ours = krippendorff_alpha(units, level)
    if any(sum(one is not None for one in unit) > 1 for unit in units):
        assert ours == pytest.approx(_alpha_pair_by_pair(units, level), nan_ok=True)
    else:
        assert math.isnan(ours)


def test_a_unit_in_a_resample_counts_as_often_as_it_is_drawn() -> None:
    doubled = krippendorff_alpha([*KRIPPENDORFF, *KRIPPENDORFF], "ordinal")
    single = estimate_krippendorff_alpha(KRIPPENDORFF, ["one"] * 6 + ["two"] * 6, evaluation="e", level="ordinal")
    assert doubled == pytest.approx(_alpha_pair_by_pair([*KRIPPENDORFF, *KRIPPENDORFF], "ordinal"))
    assert single.low is not None
    assert single.high is not None
    halves = [krippendorff_alpha(half * 2, "ordinal") for half in (KRIPPENDORFF[:6], KRIPPENDORFF[6:])]
    assert min(halves) - 1e-9 <= single.low <= single.high <= max(halves) + 1e-9


def _raters(rng: np.random.Generator, units: int, raters: int, error: float) -> list[list[int | None]]:
    truth = rng.integers(0, 2, units)
    wrong = rng.random((units, raters)) < error
    return [[int(one) for one in row] for row in np.where(wrong, 1 - truth[:, None], truth[:, None])]


@pytest.mark.parametrize(
    "estimate",
    [
        lambda rows, seed: estimate_fleiss_kappa(rows, evaluation="e", seed=seed, resamples=400),
        lambda rows, seed: estimate_krippendorff_alpha(rows, evaluation="e", seed=seed, resamples=400),
        lambda rows, seed: estimate_cohen_kappa(*list(zip(*rows, strict=True))[:2], evaluation="e", seed=seed, resamples=400),
    ],
)
def test_intervals_hold_the_agreement_of_raters_with_a_known_error_rate(estimate: Callable[..., object]) -> None:
    # Each rater errs independently at rate e on balanced labels: the chance-corrected agreement is (1 - 2 e) squared.
    error, studies = 0.1, 250
    truth = (1 - 2 * error) ** 2
    rng = np.random.default_rng(7)
    held = 0
    for study in range(studies):
        found = estimate(_raters(rng, 80, 3, error), study)
        held += found.low <= truth <= found.high  # type: ignore[attr-defined]
    assert 0.91 <= held / studies <= 0.985


def test_perfect_agreement_still_leaves_something_open() -> None:
    found = estimate_fleiss_kappa([["a"] * 3, ["b"] * 3] * 10, evaluation="e")
    assert found.value == pytest.approx(1.0)
    assert found.low is not None
    assert 0.5 < found.low < 1.0
    assert found.high == pytest.approx(1.0)


def test_what_cannot_be_told_from_chance_is_unmeasured_and_says_why() -> None:
    same = estimate_krippendorff_alpha([["a", "a"]] * 5, evaluation="e")
    assert same.value is None
    assert "cannot be told from chance" in (same.reason or "")
    lonely = estimate_cohen_kappa(["a", None], [None, "b"], evaluation="e")
    assert lonely.reason == "none of the 2 units has two ratings"
    assert estimate_fleiss_kappa([], evaluation="e").reason == "there are no units"


def test_units_with_one_rating_lower_the_coverage() -> None:
    found = estimate_krippendorff_alpha(KRIPPENDORFF, evaluation="e")
    assert (found.n, found.coverage) == (11, pytest.approx(11 / 12))
    assert found.method.startswith("Krippendorff's alpha (nominal), BCa cluster bootstrap")


def test_bad_input_is_said_in_one_sentence() -> None:
    with pytest.raises(ValueError, match="not pairs"):
        cohen_kappa(["a"], ["a", "b"])
    with pytest.raises(ValueError, match="different numbers of raters"):
        fleiss_kappa([["a", "b"], ["a"]])
    with pytest.raises(ValueError, match="interval scale needs numbers"):
        krippendorff_alpha([["a", "b"]], "interval")
    with pytest.raises(ValueError, match="must be sortable"):
        krippendorff_alpha([["a", 1]], "ordinal")


def test_nan_is_a_missing_rating() -> None:
    rows = [[math.nan if one is None else float(one) for one in unit] for unit in KRIPPENDORFF]
    assert krippendorff_alpha(rows, "interval") == pytest.approx(krippendorff_alpha(KRIPPENDORFF, "interval"))
