"""The regression of preferences: against quadrature, against scikit-learn's penalised fit, and on data of known truth."""

import sys

import numpy as np
import pytest
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from gnomon.errors import ConfigurationError, MissingExtra
from gnomon.stats.bayesian_logistic import SCALE, Posterior, fit, most_probable


def simulated(alpha: np.ndarray, pairs: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    phi = rng.integers(-1, 2, size=(pairs, len(alpha))).astype(float)
    return phi, (rng.random(pairs) < expit(phi @ alpha)).astype(float)


def named(count: int) -> list[str]:
    return [f"feature {number}" for number in range(count)]


def test_one_coefficient_is_that_of_quadrature() -> None:
    phi, y = simulated(np.array([0.4]), 120, seed=3)
    grid = np.linspace(-3, 3, 60_001)
    log = -np.abs(grid) / 0.3 - (np.logaddexp(0, grid[:, None] * phi[:, 0]) - y * grid[:, None] * phi[:, 0]).sum(axis=1)
    weights = np.exp(log - log.max())
    weights /= weights.sum()
    cumulated = np.cumsum(weights)
    quantiles = expit(grid[np.searchsorted(cumulated, [0.025, 0.25, 0.5, 0.75, 0.975])])
    found = fit(phi, y, ["a"], scale=0.3, draws=2500, seed=1)
    effect = found.effects()[0]
    read = [effect.interval[0], *effect.half, effect.interval[1]]
    assert [read[0], read[1], effect.probability, read[2], read[3]] == pytest.approx(quantiles, abs=0.006)
    assert effect.alpha == pytest.approx(float(weights @ grid), abs=0.02)
    assert effect.above == pytest.approx(float(weights[grid > 0].sum()), abs=0.01)


def test_known_coefficients_are_found_and_the_chains_agree() -> None:
    rng = np.random.default_rng(5)
    alpha = rng.laplace(0.0, 0.3, size=20)
    phi, y = simulated(alpha, 1_200, seed=6)
    found = fit(phi, y, named(20), scale=0.3, draws=300, warmup=200, seed=2)
    assert found.converged
    assert found.samples.shape == (4, 300, 20)
    inside = [
        low <= truth <= high
        for truth, (low, high) in ((expit(a), e.interval) for a, e in zip(alpha, found.effects(), strict=True))
    ]
    assert sum(inside) >= 16  # 19 are expected; fewer than 16 of 20 has a probability of 0.3 %
    halves = [
        low <= truth <= high for truth, (low, high) in ((expit(a), e.half) for a, e in zip(alpha, found.effects(), strict=True))
    ]
    assert 4 <= sum(halves) <= 16
    assert np.corrcoef(alpha, found.draws.mean(axis=0))[0, 1] > 0.95
    fresh, wanted = simulated(alpha, 2_000, seed=7)
    accuracy = np.mean((found.predict(fresh) > 0.5) == (wanted == 1))
    best = np.mean((expit(fresh @ alpha) > 0.5) == (wanted == 1))
    assert accuracy == pytest.approx(best, abs=0.03)


def test_features_that_move_together_have_one_sure_effect_and_unsure_shares_of_it() -> None:
    phi, y = simulated(np.array([0.3, 0.3]), 3_000, seed=8)
    phi[:, 1] = np.where(np.random.default_rng(9).random(3_000) < 0.95, phi[:, 0], phi[:, 1])
    y = (np.random.default_rng(10).random(3_000) < expit(phi @ [0.3, 0.3])).astype(float)
    found = fit(phi, y, ["explicit", "implicit"], scale=0.5, draws=500)
    assert found.draws.sum(axis=1).mean() == pytest.approx(most_probable(phi, y, found.names, scale=0.5).sum(), abs=0.01)
    assert found.correlations[0, 1] < -0.7
    both = found.combined(["explicit", "implicit"], "beliefs")
    width = both.interval[1] - both.interval[0]
    assert width < min(one.interval[1] - one.interval[0] for one in found.effects())
    assert both.interval[0] <= expit(0.6) <= both.interval[1]


def test_the_papers_prior_keeps_effects_small() -> None:
    phi, y = simulated(np.array([1.0, 0.0]), 200, seed=11)
    found = fit(phi, y, ["a", "b"], draws=500)
    assert found.scale == SCALE
    assert 0.5 < found.effects()[0].probability < 0.65


@pytest.mark.parametrize("scale", [0.01, 0.05, 1.0])
def test_the_mode_is_that_of_an_l1_penalised_regression(scale: float) -> None:
    phi, y = simulated(np.array([0.8, -0.3, 0.0, 0.1]), 600, seed=12)
    reference = LogisticRegression(l1_ratio=1.0, C=scale, solver="saga", fit_intercept=False, tol=1e-10, max_iter=50_000).fit(
        phi, y
    )
    assert most_probable(phi, y, named(4), scale=scale) == pytest.approx(reference.coef_[0], abs=1e-4)


def test_the_same_seed_gives_the_same_posterior() -> None:
    phi, y = simulated(np.array([0.5]), 50)
    first, again = (fit(phi, y, ["a"], draws=50, warmup=50, seed=4).samples for _ in range(2))
    assert np.array_equal(first, again)


def test_what_has_not_converged_says_so() -> None:
    rng = np.random.default_rng(1)
    apart = Posterior(("a",), rng.normal(size=(2, 100, 1)), np.array([1.3]), np.array([900.0]), 0, 0.01, 10)
    few = Posterior(("a",), rng.normal(size=(2, 100, 1)), np.array([1.0]), np.array([90.0]), 0, 0.01, 10)
    diverged = Posterior(("a",), rng.normal(size=(2, 100, 1)), np.array([1.0]), np.array([900.0]), 3, 0.01, 10)
    assert not any(one.converged for one in (apart, few, diverged))


@pytest.mark.parametrize(
    ("phi", "y", "names", "options", "sentence"),
    [
        ([[1.0]], [1.0, 0.0], ["a"], {}, "do not fit 2 preferences"),
        ([[1.0, 0.0]], [1.0], ["a", "a"], {}, "same name"),
        ([[2.0]], [1.0], ["a"], {}, "between -1 and"),
        ([[float("nan")]], [1.0], ["a"], {}, "between -1 and"),
        ([[1.0]], [float("nan")], ["a"], {}, "between 0 and 1"),
        ([[1.0]], [1.0], ["a"], {"scale": 0.0}, "positive number"),
        ([[1.0]], [1.0], ["a"], {"chains": 1}, "1 chains"),
        (np.zeros((0, 1)), [], ["a"], {}, "do not fit 0 preferences"),
    ],
)
def test_bad_input_is_one_sentence(phi, y, names, options, sentence) -> None:
    with pytest.raises(ConfigurationError, match=sentence):
        fit(phi, y, names, **options)


def test_an_unknown_feature_is_said() -> None:
    found = Posterior(("a",), np.zeros((2, 5, 1)), np.ones(1), np.ones(1), 0, 0.01, 10)
    with pytest.raises(ConfigurationError, match="no feature 'b'"):
        found.combined(["b"], "b")


def test_without_numpyro_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numpyro", None)
    with pytest.raises(MissingExtra, match=r"gnomon\[bayes\]"):
        fit([[1.0]], [1.0], ["a"])
