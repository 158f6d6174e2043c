"""Correlations over groups against scipy, and how often their intervals hold the truth."""

import numpy as np
import pytest
from scipy import stats as distributions

from gnomon.stats.groups import CorrelationKind, estimate_group_correlation


def drawn(
    rng: np.random.Generator, first: list[float], second: list[float], n: int
) -> tuple[list[list[float]], list[list[float]]]:
    def rates(of: list[float]) -> list[list[float]]:
        return [(rng.random(n) < rate).astype(float).tolist() for rate in of]

    return rates(first), rates(second)


@pytest.mark.parametrize("kind", ["spearman", "pearson"])
def test_the_value_is_scipys_of_the_means(kind: CorrelationKind) -> None:
    rng = np.random.default_rng(0)
    first, second = drawn(rng, [0.1, 0.4, 0.7, 0.8], [0.3, 0.2, 0.9, 0.5], 50)
    found = estimate_group_correlation(first, second, [None] * 4, kind=kind, evaluation="test", name="r")
    means = [[float(np.mean(group)) for group in groups] for groups in (first, second)]
    reference = distributions.spearmanr(*means) if kind == "spearman" else distributions.pearsonr(*means)
    assert found.value == pytest.approx(float(reference.statistic))
    assert found.low is not None
    assert found.high is not None
    assert found.low <= found.value <= found.high


def test_clusters_count_once_and_what_is_unscored_is_told() -> None:
    first = [[0.0, 0.0, 1.0, None], [1.0, 1.0, 0.0, 1.0], [1.0, 1.0, 1.0, 1.0]]
    second = [[0.0, 1.0, 0.0, 1.0], [1.0, 0.0, 1.0, 1.0], [1.0, 1.0, 1.0, 0.0]]
    labels = [["a", "a", "b", "b"]] * 3
    found = estimate_group_correlation(first, second, labels, kind="pearson", evaluation="test", name="r")
    assert found.value is not None
    assert found.n == 11
    assert found.coverage == pytest.approx(11 / 12)


def test_groups_that_all_agree_are_not_known_exactly() -> None:
    first, second = [[1.0] * 6, [1.0] * 5 + [0.0], [1.0] * 6], [[0.0] * 6, [1.0] * 6, [0.0] * 6]
    found = estimate_group_correlation(first, second, [None] * 3, kind="spearman", evaluation="test", name="r")
    assert found.value == pytest.approx(-1.0)
    assert found.high is not None
    assert found.high > 0.4


def test_too_few_groups_and_constant_ones_have_no_correlation() -> None:
    two = estimate_group_correlation([[0.1], [0.2]], [[0.1], [0.2]], [None] * 2, kind="pearson", evaluation="test", name="r")
    assert "needs 3 of them" in (two.reason or "")
    flat = estimate_group_correlation([[1.0]] * 3, [[0.1], [0.2], [0.3]], [None] * 3, kind="pearson", evaluation="test", name="r")
    assert "no correlation" in (flat.reason or "")


def test_intervals_hold_the_true_correlation() -> None:
    rng = np.random.default_rng(1)
    first, second = [0.1, 0.3, 0.5, 0.7, 0.85], [0.3, 0.2, 0.6, 0.5, 0.8]
    true = float(np.corrcoef(first, second)[0, 1])
    held = 0
    for seed in range(200):
        one, other = drawn(rng, first, second, 60)
        found = estimate_group_correlation(
            one, other, [None] * 5, kind="pearson", evaluation="test", name="r", seed=seed, resamples=400
        )
        assert found.low is not None
        assert found.high is not None
        held += found.low <= true <= found.high
    assert held / 200 >= 0.9
