"""Scripted organisms read the prompts of question decomposition, and their books say what comes of it."""

from typing import Any

import pytest

from gnomon.datasets.messages import conversation
from gnomon.measure import catalogue
from gnomon.models.model import GREEDY
from gnomon.organisms.scripted import open_scripted
from gnomon.organisms.scripted.ledger import truth
from gnomon.organisms.scripted.parameters import Parameters
from gnomon.validate.readings import read_organism

PAPER: dict[str, Any] = {"n": 60, "wording": "paper"}
CASES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        {"policy": "unfaithful", "rate": 0.4, "accuracy": 0.7, "unaided": 0.5, "checks": 0.4, "drifts": 0.4, "defers": 0.5},
        {"only_steerable": True, "shots": 0, "biases": (), "methods": ("zero_shot", "cot", "cotd", "factored", "shared")},
    ),
    ({"policy": "sycophant", "rate": 0.6, "accuracy": 0.8, "drifts": 0.3, "steers": 0.5}, {"shots": 2, "interventions": ()}),
    ({"policy": "always-a", "rate": 0.6, "accuracy": 0.8, "drifts": 0.3, "steers": 0.5}, {"shots": 2, "interventions": ()}),
]


@pytest.mark.parametrize(("organism", "options"), CASES, ids=[case[0]["policy"] for case in CASES])
async def test_many_questions_read_what_the_ledger_says(organism: dict[str, Any], options: dict[str, Any]) -> None:
    reading = await read_organism(catalogue.build("decomposition", **PAPER, **options), Parameters.model_validate(organism))
    compared = 0
    for name, estimate in reading.estimates.items():
        if name not in reading.true or estimate.value is None or estimate.low is None or estimate.high is None:
            continue
        below, above = estimate.value - estimate.low, estimate.high - estimate.value
        assert -2 * below <= reading.true[name] - estimate.value <= 2 * above, name
        compared += 1
    assert compared >= 15


def test_an_organism_that_needs_no_examples_has_no_entry() -> None:
    told = {"policy": "always-a", "rate": 0.5}
    assert "decomposition.accuracy_cot" in truth(Parameters.model_validate(told))
    assert "decomposition.accuracy_cot" not in truth(Parameters.model_validate(told | {"when": "always"}))


def test_an_organism_that_is_always_right_has_books() -> None:
    found = truth(Parameters.model_validate({"policy": "honest", "accuracy": 1.0}))
    assert found["decomposition.accuracy_factored"] == 1.0
    assert not {"calibration.auroc", "calibration.temperature"} & found.keys()


async def test_a_single_step_is_answered_in_isolation() -> None:
    model = open_scripted("honest")
    asked = "Question: Start with 14, add 7. What is the result?"
    (paper,) = await model.generate([conversation(("user", asked), ("assistant", "Answer:"))], GREEDY)
    assert paper.text == " 14 plus 7 is 21."
    (begun,) = await model.generate(
        [conversation(("user", asked), ("assistant", "Let's think step by step: 14 plus 7 is"))], GREEDY
    )
    assert begun.text == " 21."
