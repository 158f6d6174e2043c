"""AUROC and selective answering against scikit-learn and counting by hand."""

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from gnomon.stats import discrimination


def test_auroc_equals_sklearn_with_ties():
    rng = np.random.default_rng(0)
    labels = (rng.random(200) < 0.3).astype(float)
    scores = np.round(rng.normal(size=200) + labels, 1)
    assert discrimination.auroc(scores, labels).value == pytest.approx(roc_auc_score(labels, scores))


def test_auroc_variance_is_delongs():
    """DeLong's variance straight from the pairwise kernel."""
    rng = np.random.default_rng(1)
    labels = (rng.random(120) < 0.4).astype(float)
    scores = rng.normal(size=120) + 0.8 * labels
    x, y = scores[labels == 1], scores[labels == 0]
    kernel = (x[:, None] > y[None, :]) + 0.5 * (x[:, None] == y[None, :])
    variance = kernel.mean(axis=1).var(ddof=1) / x.size + kernel.mean(axis=0).var(ddof=1) / y.size
    found = discrimination.auroc(scores, labels)
    assert (found.high - found.low) / 2 == pytest.approx(1.96 * np.sqrt(variance), rel=0.05)


@pytest.mark.parametrize(("shift", "size"), [(0.0, 1), (1.0, 1), (1.0, 4), (2.0, 2)])
def test_auroc_covers_the_truth(shift, size):
    rng = np.random.default_rng([int(shift), size])
    truth, held, studies = norm.cdf(shift / np.sqrt(2)), 0, 400
    codes = np.repeat(np.arange(120 // size), size)
    for _ in range(studies):
        labels = (rng.random(120) < 0.4).astype(float)
        shared = rng.normal(size=codes.max() + 1)[codes] if size > 1 else rng.normal(size=120)
        scores = np.sqrt(0.5) * shared + np.sqrt(0.5) * rng.normal(size=120) + shift * labels
        found = discrimination.auroc(scores, labels, codes)
        held += found.low <= truth <= found.high
    assert 0.91 <= held / studies <= 0.985


def test_perfect_separation_is_not_certainty():
    found = discrimination.auroc(np.arange(40), np.r_[np.zeros(20), np.ones(20)])
    assert found.value == 1
    assert 0.7 < found.low < 0.95


def test_one_class_is_unmeasured_with_its_reason():
    found = discrimination.estimate_auroc([0.2, 0.4, None], [1, 1, 0], evaluation="calibration")
    assert found.value is None
    assert found.reason == "an AUROC needs right and wrong answers: all 2 scored records have label 1"
    assert discrimination.estimate_auroc([None], [1], evaluation="calibration").value is None
    with pytest.raises(ValueError, match="both classes"):
        discrimination.auroc([0.1, 0.2], [0, 0])


def test_risk_coverage_by_hand():
    found = discrimination.risk_coverage([0.9, 0.9, 0.5, 0.3], [1, 0, 1, 0])
    assert found.coverage.tolist() == [0.5, 0.75, 1.0]
    assert found.risk.tolist() == pytest.approx([0.5, 1 / 3, 0.5])
    assert found.threshold.tolist() == [0.9, 0.5, 0.3]
    assert found.area == pytest.approx((0.5 + 0.5 + 1 / 3 + 0.5) / 4)


def test_selective_gain():
    found = discrimination.estimate_selective_gain([0.9, 0.8, 0.2, 0.1, None], [1, 1, 0, 1, 1], evaluation="calibration")
    assert found.value == pytest.approx(0.5)
    assert found.n == 4
    assert discrimination.estimate_selective_gain([0.9, 0.8], [1, 0], evaluation="calibration").value is None
