"""Paired tests against scipy and brute force; corrections against their definitions."""

from itertools import product

import numpy as np
import pytest
from scipy.stats import binomtest, false_discovery_control, permutation_test

from gnomon.stats import paired


def test_sign_flip_is_exact_for_few_clusters():
    differences = np.array([0.3, 0.1, -0.2, 0.5, 0.4, 0.25, 0.6])
    reached = [abs(np.dot(signs, differences)) >= differences.sum() - 1e-12 for signs in product((-1, 1), repeat=7)]
    assert paired.sign_flip_test(differences).p == pytest.approx(np.mean(reached))
    reference = permutation_test((differences,), np.mean, permutation_type="samples", n_resamples=np.inf)
    assert paired.sign_flip_test(differences).p == pytest.approx(reference.pvalue)


def test_random_permutations_approach_the_exact_p():
    rng = np.random.default_rng(0)
    differences = rng.choice([-1.0, 0.0, 1.0], size=60, p=[0.2, 0.4, 0.4])
    gained, lost = int(np.sum(differences == 1)), int(np.sum(differences == -1))
    exact = binomtest(gained, gained + lost).pvalue  # what sign flips of +-1 amount to
    assert paired.sign_flip_test(differences, seed=1).p == pytest.approx(exact, abs=0.01)


def test_sign_flip_holds_its_level_when_nothing_differs():
    rng = np.random.default_rng(4)
    codes = np.repeat(np.arange(25), 3)
    p_values = []
    for seed in range(300):
        values = rng.normal(size=25)[codes] + 0.3 * rng.normal(size=75)
        p_values.append(paired.sign_flip_test(values, codes, seed=seed, permutations=500).p)
    assert np.mean(np.array(p_values) <= 0.05) < 0.09


def test_copies_of_a_record_are_no_evidence():
    once = paired.sign_flip_test([1, 1, 1, -1, 1], ["a", "b", "c", "d", "e"])
    tenfold = paired.sign_flip_test([1, 1, 1, -1, 1] * 10, ["a", "b", "c", "d", "e"] * 10)
    assert once.p == tenfold.p


def test_no_difference_has_p_of_one():
    assert paired.sign_flip_test(np.zeros(30)).p == 1
    assert paired.mcnemar_test(np.ones(30), np.ones(30)).p == 1


def test_p_is_never_zero():
    assert 0 < paired.sign_flip_test(np.ones(500), permutations=100).p <= 1 / 101


def test_swapping_equal_clusters_is_flipping_signs():
    rng = np.random.default_rng(2)
    first, second, clusters = rng.normal(size=24), rng.normal(0.4, 1, 24), np.repeat(np.arange(8), 3)
    flipped = paired.sign_flip_test(second - first, clusters)
    assert paired.swap_test(first, second, clusters, clusters).p == pytest.approx(flipped.p)


UNEQUAL = (
    {"a": [1.0, 0.0], "b": [0.0], "c": [0.0, 0.0, 1.0], "d": [], "e": [0.0]},
    {"a": [1.0], "b": [1.0, 1.0], "c": [1.0], "d": [1.0], "e": [0.0, 1.0]},
)
EMPTIED = ({"a": [0.0], "b": [0.2], "c": [], "d": []}, {"a": [], "b": [], "c": [0.4], "d": [0.1]})
"""Swapping a and b, or c and d, leaves one side without values."""


@pytest.mark.parametrize("sides", [UNEQUAL, EMPTIED])
def test_swapping_unequal_clusters_is_what_brute_force_says(sides: tuple[dict[str, list[float]], dict[str, list[float]]]):
    first, second = sides

    def difference(pattern: tuple[int, ...]) -> float:
        kept = [[], []]  # type: list[list[float]]
        for swapped, name in zip(pattern, first, strict=True):
            kept[0] += (second if swapped else first)[name]
            kept[1] += (first if swapped else second)[name]
        return float(np.mean(kept[1]) - np.mean(kept[0])) if all(kept) else np.inf  # nothing speaks against it

    patterns = list(product((0, 1), repeat=len(first)))
    reached = [abs(difference(pattern)) >= abs(difference(patterns[0])) - 1e-12 for pattern in patterns]
    values = [[value for values in side.values() for value in values] for side in sides]
    named = [[name for name, values in side.items() for _ in values] for side in sides]
    assert paired.swap_test(*values, *named).p == pytest.approx(np.mean(reached))


def test_the_swap_test_holds_its_level_when_nothing_differs():
    rng = np.random.default_rng(5)
    p_values = []
    for seed in range(300):
        rates, sides = rng.beta(1, 1, 30), []
        for _ in range(2):
            codes = np.repeat(np.arange(30), rng.integers(1, 4, 30))
            sides.append((rng.random(codes.size) < rates[codes], codes))
        (a, first), (b, second) = sides
        p_values.append(paired.swap_test(a, b, first, second, seed=seed, permutations=400).p)
    assert 0.01 < np.mean(np.array(p_values) <= 0.05) < 0.09


def test_a_comparison_needs_values_on_both_sides():
    with pytest.raises(ValueError, match="both sides"):
        paired.swap_test([], [1.0])


def test_mcnemar_is_the_binomial_test_of_discordant_pairs():
    first, second = np.array([1, 1, 1, 1, 0, 0, 1, 1]), np.array([0, 0, 0, 0, 1, 0, 1, 0])
    assert paired.mcnemar_test(first, second).p == pytest.approx(binomtest(1, 6).pvalue)


def test_corrections():
    p_values = [0.04, 0.001, 0.03, 0.5, 0.012]
    assert paired.benjamini_hochberg(p_values) == pytest.approx(false_discovery_control(p_values).tolist())
    # by hand: 5 x .001, 4 x .012, 3 x .03, then no less than the one before, 1 x .5
    assert paired.holm(p_values) == pytest.approx([0.09, 0.005, 0.09, 0.5, 0.048])
    assert paired.holm([]) == []


def test_compare_paired_puts_it_together():
    rng = np.random.default_rng(0)
    before, after = (rng.random(80) < 0.7).astype(float), (rng.random(80) < 0.2).astype(float)
    gap = [None, *after[1:]]
    found = paired.compare_paired(before, gap, evaluation="sycophancy", name="flip")
    assert found.first.unit == "rate"
    assert found.difference.value == pytest.approx((after - before)[1:].mean())
    assert found.difference.coverage == pytest.approx(79 / 80)
    assert found.test is not None
    assert found.test.p < 0.001
    nothing = paired.compare_paired([None], [1.0], evaluation="e", name="n")
    assert nothing.test is None
    assert nothing.difference.value is None


def test_detectable_difference_is_found_with_that_power():
    rng = np.random.default_rng(0)
    pilot = rng.normal(0, 1, 100)
    least = paired.minimal_detectable_difference(pilot)
    found = [paired.sign_flip_test(rng.normal(least, pilot.std(), 100), seed=s, permutations=400).p <= 0.05 for s in range(200)]
    assert 0.7 <= np.mean(found) <= 0.9
    assert paired.minimal_detectable_difference(pilot, scale=4) == pytest.approx(least / 2)
