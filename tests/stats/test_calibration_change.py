import numpy as np
import pytest

from gnomon.stats.calibration import ece
from gnomon.stats.calibration_change import estimate_ece_change


def test_the_value_is_the_difference_and_the_same_answers_differ_by_nothing():
    rng = np.random.default_rng(0)
    p, y = rng.uniform(0.3, 1, 120), rng.random(120) < 0.5
    q = np.clip(p - 0.2, 0, 1)
    clusters = [str(number) for number in range(120)]
    told = {"clusters": clusters, "total": 150, "evaluation": "test", "name": "change"}
    found = estimate_ece_change((p.tolist(), y.tolist()), (q.tolist(), y.tolist()), **told)
    assert found.value == pytest.approx(ece(q, y) - ece(p, y))
    assert found.coverage == pytest.approx(0.8)
    same = estimate_ece_change((p.tolist(), y.tolist()), (p.tolist(), y.tolist()), **told)
    assert same.value == 0.0
    few = estimate_ece_change(([0.5], [True]), ([0.5], [True]), ["a"], total=1, evaluation="test", name="change")
    assert few.value is None


def test_a_large_change_is_found():
    rng = np.random.default_rng(1)
    y = rng.random(300) < 0.6
    clusters = [str(number) for number in range(300)]
    sure, fair = [0.95] * 300, [0.6] * 300
    found = estimate_ece_change((sure, y.tolist()), (fair, y.tolist()), clusters, total=300, evaluation="test", name="change")
    assert found.high < -0.2
