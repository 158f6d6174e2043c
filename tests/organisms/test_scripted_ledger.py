"""The ledger against arithmetic done otherwise, and against what evaluations read on many questions."""

from typing import Any

import pytest

from gnomon.measure import catalogue
from gnomon.organisms.scripted.ledger import truth
from gnomon.organisms.scripted.parameters import Parameters
from gnomon.validate.readings import read_organism

SPREAD = 0.98


def ledger(**given: Any) -> dict[str, float]:
    return truth(Parameters.model_validate(given))


@pytest.mark.parametrize("accuracy", [0.45, 0.6, 0.9])
@pytest.mark.parametrize("discernment", [-1.0, 0.0, 0.4, 1.0])
def test_top_choices_have_their_closed_forms(accuracy: float, discernment: float) -> None:
    found = ledger(policy="honest", accuracy=accuracy, discernment=discernment)
    half = SPREAD * min(1 - accuracy, accuracy - 0.25)
    variance = half**2 / 3
    assert found["calibration.accuracy"] == pytest.approx(accuracy)
    assert found["calibration.overconfidence"] == 0.0
    assert found["calibration.auroc"] == pytest.approx(0.5 + discernment * half / (6 * accuracy * (1 - accuracy)), abs=1e-3)
    assert found["calibration.brier"] == pytest.approx(accuracy * (1 - accuracy) + variance * (1 - 2 * discernment), abs=1e-5)
    assert found["calibration.ece"] == pytest.approx((1 - discernment) * half / 2, abs=1e-5)
    sure = accuracy * accuracy + discernment * variance  # a sample is right where it is the believed option, and that is right
    else_right = ((1 - accuracy) ** 2 + discernment * variance) / 15
    assert found["calibration.p_true_sample_accuracy"] == pytest.approx(sure + else_right, abs=1e-5)


@pytest.mark.parametrize("rate", [-0.8, -0.3, 0.2, 0.9])
def test_a_stretch_of_confidence_is_overconfidence_and_calibration_error(rate: float) -> None:
    found = ledger(policy="miscalibrated", rate=rate, accuracy=0.7)
    over = rate * (0.3 if rate > 0 else 0.45)
    assert found["calibration.overconfidence"] == pytest.approx(over)
    assert found["calibration.ece"] == pytest.approx(abs(over), abs=1e-5)
    assert found["calibration.confidence"] == pytest.approx(0.7 + over, abs=1e-5)


@pytest.mark.parametrize("temperature", [0.4, 1.0, 3.0])
def test_the_temperature_is_repaired_by_its_inverse(temperature: float) -> None:
    found = ledger(policy="miscalibrated", temperature=temperature, accuracy=0.7)
    assert found["calibration.temperature"] == pytest.approx(1 / temperature, rel=1e-4)


def test_what_is_not_defined_has_no_entry() -> None:
    assert "calibration.p_true_selective_gain" not in ledger(policy="honest", accuracy=0.3)


CASES: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (
        "feedback-sycophancy",
        {"policy": "sycophant", "rate": 0.6, "accuracy": 0.8, "discernment": -0.5, "letters": 0.4},
        {"n": 240},
    ),
    ("mimicry-sycophancy", {"policy": "sycophant", "rate": 0.4, "accuracy": 0.6}, {"n": 600}),
    (
        "sycophancy",
        {"policy": "sycophant", "rate": 0.4, "accuracy": 0.6, "wavers": 0.3, "second": 0.8, "letters": 0.6, "discernment": 0.5},
        {"n": 400},
    ),
    (
        "calibration",
        {"policy": "miscalibrated", "rate": -0.5, "accuracy": 0.8, "none": 0.6, "discernment": -0.5, "letters": 0.3},
        {
            "n": 600,
            "formats": ("choice", "none_of_the_above", "true_false", "p_true", "option_text", "p_true_comparison"),
        },
    ),
    (
        "faithfulness",
        {
            "policy": "unfaithful",
            "rate": 0.3,
            "accuracy": 0.7,
            "unaided": 0.5,
            "checks": 0.4,
            "drifts": 0.4,
            "literal": 0.4,
            "filler": 0.6,
            "letters": 0.5,
        },
        {"n": 200, "repeats": 2, "only_steerable": True},
    ),
    (
        "bbq",
        {
            "policy": "stereotyping",
            "rate": 0.5,
            "corrects": 0.4,
            "reconsiders": 1.6,
            "overrides": 0.7,
            "accuracy": 0.8,
            "letters": 0.5,
        },
        {"n": 800},
    ),
    (
        "admissions",
        {"policy": "stereotyping", "rate": 0.6, "corrects": 0.5, "reconsiders": 1.5, "whims": 0.5, "letters": 0.6},
        {"n": 400},
    ),
    (
        "winogender",
        {
            "policy": "stereotyping",
            "rate": 0.6,
            "corrects": 0.5,
            "reconsiders": 1.5,
            "whims": 0.05,
            "matches": 0.5,
            "neutral": 0.3,
        },
        {},
    ),
]
SIZES = {
    "ece",
    "rms_calibration_error",
    "ece_all_options",
    "none_of_the_above_ece",
    "p_true_ece",
    "true_false_ece",
    "option_text_ece",
}
"""Read too high by definition where noise is not small beside them."""


UNTOLD = {"calibration": ("ece_at_temperature", "ece_change_at_temperature")}
"""Without a closed form: what a temperature leaves over."""


@pytest.mark.parametrize(("evaluation", "organism", "options"), CASES, ids=[case[0] for case in CASES])
async def test_many_questions_read_what_the_ledger_says(
    evaluation: str, organism: dict[str, Any], options: dict[str, Any]
) -> None:
    reading = await read_organism(catalogue.build(evaluation, **options), Parameters.model_validate(organism))
    told = {name for name in reading.true if name.startswith(f"{evaluation}.")}
    assert reading.estimates.keys() == told | {f"{evaluation}.{name}" for name in UNTOLD.get(evaluation, ())}
    for name, estimate in reading.estimates.items():
        if name not in told:
            continue
        assert estimate.value is not None
        assert estimate.low is not None
        assert estimate.high is not None
        if name.partition(".")[2] not in SIZES:  # within twice the interval: about four standard errors
            below, above = estimate.value - estimate.low, estimate.high - estimate.value
            assert -2 * below <= reading.true[name] - estimate.value <= 2 * above, name
