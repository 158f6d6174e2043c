"""A temperature that was put in is found again."""

import numpy as np
import pytest
from scipy.special import log_softmax, softmax

from gnomon.stats import calibration, temperature


def questions(rng, n, true_temperature):
    """Logits whose softmax at `true_temperature` is the real distribution of the right option."""
    logits = rng.normal(0, 3, (n, 4))
    p = softmax(logits / true_temperature, axis=1)
    answers = np.array([rng.choice(4, p=row) for row in p])
    return logits, answers


@pytest.mark.parametrize("truth", [0.5, 1.0, 2.5])
def test_temperature_is_recovered_and_covered(truth):
    rng = np.random.default_rng(int(10 * truth))
    held = 0
    for study in range(60):
        logits, answers = questions(rng, 200, truth)
        found = temperature.cross_validated_temperature(logits, answers, seed=study).temperature
        held += found.low <= truth <= found.high
    assert held >= 53


def test_held_out_probabilities_are_better_calibrated():
    logits, answers = questions(np.random.default_rng(0), 600, 3.0)
    fit = temperature.cross_validated_temperature(logits, answers)
    assert fit.loss_after < fit.loss_before
    before = calibration.ece(*calibration.top_predictions(softmax(logits, axis=1), answers))
    after = calibration.ece(*calibration.top_predictions(fit.probabilities, answers))
    assert after < before / 2
    assert fit.probabilities.sum(axis=1) == pytest.approx(np.ones(600))
    assert (fit.probabilities.argmax(axis=1) == logits.argmax(axis=1)).all()


def test_fit_is_the_best_on_a_grid():
    logits, answers = questions(np.random.default_rng(1), 100, 2.0)
    grid = np.exp(np.linspace(-2, 3, 2000))
    losses = [-log_softmax(logits / t, axis=1)[np.arange(100), answers].mean() for t in grid]
    assert temperature.fit_temperature(logits, answers) == pytest.approx(grid[np.argmin(losses)], rel=0.01)


def test_missing_options_are_allowed():
    logits, answers = questions(np.random.default_rng(2), 200, 2.0)
    logits[:, 3] = np.where(answers == 3, logits[:, 3], -np.inf)
    fit = temperature.cross_validated_temperature(logits, answers)
    assert np.isfinite([fit.temperature.low, fit.temperature.high]).all()
    assert np.isfinite(fit.probabilities).all()


def test_always_right_has_no_temperature():
    logits = np.tile([5.0, 0.0], (50, 1))
    fit = temperature.cross_validated_temperature(logits, np.zeros(50, dtype=int))
    found = temperature.estimate_temperature(fit, total=50, evaluation="calibration")
    assert found.value is None
    assert found.reason


def test_too_few_clusters_for_the_folds():
    with pytest.raises(ValueError, match="folds"):
        temperature.cross_validated_temperature(np.zeros((8, 2)), [0] * 8, ["a", "b"] * 4)
