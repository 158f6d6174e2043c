"""Calibration numbers against scikit-learn, brute force and simulations with known truth."""

import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss

from gnomon.stats import calibration


def brute_force_ece(p, y, bins):
    order = np.argsort(p)
    return np.mean([abs(p[part].mean() - y[part].mean()) for part in np.split(order, bins)])


@pytest.fixture
def answers():
    rng = np.random.default_rng(0)
    p = rng.beta(4, 2, 400)
    return p, (rng.random(400) < p**2).astype(float)


def test_ece_equals_brute_force_and_sklearn(answers):
    p, y = answers
    assert calibration.ece(p, y) == pytest.approx(brute_force_ece(p, y, 10))
    observed, predicted = calibration_curve(y, p, n_bins=10, strategy="quantile")
    assert calibration.ece(p, y) == pytest.approx(np.mean(np.abs(observed - predicted)), abs=1e-9)
    assert calibration.rms_calibration_error(p, y) == pytest.approx(np.sqrt(np.mean((observed - predicted) ** 2)), abs=1e-9)


def test_reliability_bins_equal_sklearns(answers):
    p, y = answers
    observed, predicted = calibration_curve(y, p, n_bins=10, strategy="quantile")
    bins = calibration.reliability(p, y)
    assert [b.predicted for b in bins] == pytest.approx(predicted.tolist())
    assert [b.observed for b in bins] == pytest.approx(observed.tolist())
    assert all(b.low < b.observed < b.high for b in bins)
    assert sum(b.mass for b in bins) == pytest.approx(400)


def test_ties_do_not_depend_on_order():
    rng = np.random.default_rng(1)
    p = rng.choice([0.3, 0.6, 0.9], size=203)
    y = (rng.random(203) < 0.5).astype(float)
    first = calibration.ece(p, y)
    for _ in range(5):
        order = rng.permutation(203)
        assert calibration.ece(p[order], y[order]) == pytest.approx(first)
    assert calibration.ece(np.full(50, 0.7), np.r_[np.ones(30), np.zeros(20)]) == pytest.approx(0.1)


def test_bins_split_boundary_records():
    share = [b.mass for b in calibration.reliability(np.linspace(0.1, 0.9, 25), np.tile([0, 1], 13)[:25])]
    assert share == pytest.approx([2.5] * 10)


def test_brier_and_its_parts(answers):
    p, y = answers
    parts = calibration.brier_decomposition(p, y)
    assert parts.brier == pytest.approx(brier_score_loss(y, p))
    assert parts.reliability - parts.resolution + parts.uncertainty + parts.within == pytest.approx(parts.brier)
    assert parts.uncertainty == pytest.approx(y.var())
    grouped = np.repeat([0.2, 0.8], 50)
    outcome = np.r_[np.ones(20), np.zeros(30), np.ones(35), np.zeros(15)]
    exact = calibration.brier_decomposition(grouped, outcome, bins=2)
    assert exact.reliability == pytest.approx((0.2**2 + 0.1**2) / 2)
    assert exact.within == pytest.approx(0)


def test_expected_ece_is_what_calibrated_models_show():
    rng = np.random.default_rng(2)
    p = rng.beta(4, 2, 200)
    shown = [calibration.ece(p, (rng.random(200) < p).astype(float)) for _ in range(300)]
    expected = calibration.expected_ece(p)
    assert expected.mean == pytest.approx(np.mean(shown), abs=0.004)
    assert expected.mean > 0.03
    assert (expected.low, expected.high) == pytest.approx(np.quantile(shown, [0.025, 0.975]).tolist(), abs=0.012)


@pytest.mark.parametrize("sharpening", [1.0, 0.5, 0.2])
def test_ece_interval_covers_the_truth(sharpening):
    """A model that is calibrated, or over-confident by a known factor on the log odds; its true ECE from 400,000 questions."""

    def chance(p):
        return 1 / (1 + (1 / p - 1) ** sharpening)

    rng = np.random.default_rng(3)
    population = 0.25 + 0.749 * rng.beta(4, 1.5, 400_000)
    truth = calibration.ece(population, chance(population))
    held, plain, unbiased = 0, [], []
    for study in range(150):
        p = rng.choice(population, 200)
        y = (rng.random(200) < chance(p)).astype(float)
        found = calibration.ece_interval(p, y, seed=study, simulations=400)
        plain.append(calibration.ece(p, y))
        unbiased.append(found.mean)
        held += found.low <= truth <= max(found.high, plain[-1])
    assert held / 150 >= 0.88
    assert abs(np.mean(unbiased) - truth) < 0.03
    assert abs(np.mean(unbiased) - truth) <= abs(np.mean(plain) - truth) + 0.005


def test_estimate_ece_says_how_large_chance_is(answers):
    p, y = answers
    found = calibration.estimate_ece(p, y, evaluation="calibration")
    assert found.value == pytest.approx(calibration.ece(p, y))
    assert found.low <= found.value <= found.high
    assert "perfectly calibrated model" in found.method
    debiased = calibration.estimate_ece(p, y, evaluation="calibration", name="ece_debiased", debiased=True)
    assert debiased.value < found.value


def test_fewer_records_than_bins_is_unmeasured():
    found = calibration.estimate_ece([0.5] * 7 + [None], [1] * 8, evaluation="calibration")
    assert found.value is None
    assert found.reason == "7 scored records are fewer than the 10 bins"
    assert found.coverage == 7 / 8
    assert len(calibration.reliability([0.2, 0.4, 0.6], [0, 1, 1])) == 3


def test_perfect_answers_still_have_an_interval():
    found = calibration.estimate_ece([1.0] * 50, [1.0] * 50, evaluation="calibration")
    assert found.value == 0
    assert 0 < found.high < 0.2


def test_top_predictions_and_all_options_are_different_objects():
    probabilities = np.array([[0.7, 0.2, 0.1], [0.2, 0.2, 0.6], [0.5, 0.5, np.nan]])
    confidence, correct = calibration.top_predictions(probabilities, [0, 1, 1])
    assert confidence.tolist() == [0.7, 0.6, 0.5]
    assert correct.tolist() == [1, 0, 0]
    p, right, question = calibration.all_options(probabilities, [0, 1, 1])
    assert len(p) == 8
    assert right.sum() == 3
    assert question.tolist() == [0, 0, 0, 1, 1, 1, 2, 2]


def test_estimate_brier_leaves_unscored_out():
    found = calibration.estimate_brier([0.8, None, 0.4], [1, 1, 0], evaluation="calibration")
    assert found.value == pytest.approx((0.04 + 0.16) / 2)
    assert found.worst_high == pytest.approx((0.04 + 0.16 + 1) / 3)
