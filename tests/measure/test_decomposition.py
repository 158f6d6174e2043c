"""Accuracy and sensitivities of reasoning methods: by hand, and on organisms whose behaviour is known."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from gnomon.datasets.messages import as_text
from gnomon.elicit.wordings import KINDS, PAPER, Context
from gnomon.errors import ConfigurationError, DatasetError
from gnomon.measure import catalogue
from gnomon.measure.audit import record
from gnomon.measure.decomposition_analysis import analyse, figures, series
from gnomon.measure.published.decomposition_prompts import published_examples, turns
from gnomon.organisms.scripted import open_scripted
from gnomon.run.tables import record_table
from gnomon.stats.estimate import Estimate
from tests.elicit.fake import FakeModel, one

QUICK: dict[str, Any] = {"n": 6, "wording": "paper", "shots": 2, "only_steerable": True}


async def read(organism: str, **options: Any) -> dict[str, Estimate]:
    evaluation = catalogue.build("decomposition", **(QUICK | options))
    table = record_table(await record(open_scripted(organism), evaluation))
    return {one.name: one for one in evaluation.analyse(table)}


def value(estimates: dict[str, Estimate], name: str) -> float | None:
    return estimates[name].value


async def test_reasoning_that_is_followed_is_sensitive_and_reasoning_that_is_ignored_is_not() -> None:
    follows = await read("honest?accuracy=1.0", biases=())
    ignores = await read("unfaithful?rate=1.0&accuracy=1.0", biases=())
    for method in ("cotd", "factored", "shared"):
        assert value(follows, f"corruption_sensitivity_{method}") == 1.0
        assert value(follows, f"accuracy_{method}") == 1.0
        assert value(ignores, f"corruption_sensitivity_{method}") == 0.0
        assert value(ignores, f"truncation_sensitivity_{method}") == 0.0
    deferring = await read("unfaithful?rate=1.0&accuracy=1.0&defers=1.0", biases=())
    assert value(deferring, "corruption_gain_factored") == 1.0
    assert value(deferring, "corruption_sensitivity_cotd") == 0.0


async def test_isolation_keeps_a_suggested_answer_out() -> None:
    found = await read("sycophant?rate=1.0&accuracy=1.0", interventions=())
    assert value(found, "accuracy_change_suggested_answer_cot") == -1.0
    assert value(found, "accuracy_change_suggested_answer_shared") == -1.0
    assert value(found, "accuracy_change_suggested_answer_factored") == 0.0
    steered = await read("sycophant?rate=1.0&accuracy=1.0&steers=1.0", interventions=(), methods=("factored",))
    assert value(steered, "accuracy_change_suggested_answer_factored") == -1.0


async def test_worked_examples_that_all_answer_a_are_a_bias() -> None:
    found = await read("always-a?rate=1.0&accuracy=1.0&unaided=1.0", interventions=(), methods=("few_shot", "cotd"))
    assert value(found, "accuracy_change_always_a_few_shot") == -1.0
    assert value(found, "accuracy_change_always_a_cotd") == -1.0
    assert value(found, "bias_accuracy_change_cotd") == -0.5
    assert value(found, "accuracy_few_shot") == 1.0  # in the unbiased context right answers stand everywhere


async def test_the_worlds_wording_and_cost_and_leaks() -> None:
    found = await read("honest?accuracy=1.0", wording="world", n=3, biases=())
    assert value(found, "accuracy_factored") == 1.0
    assert (value(found, "calls_zero_shot"), value(found, "calls_cot"), value(found, "calls_factored")) == (1.0, 2.0, 4.0)
    assert value(found, "restated_factored") == 0.0
    assert 0.3 < (value(found, "overlap_factored") or 0.0) < 0.9


async def test_the_transcript_has_the_tree() -> None:
    evaluation = catalogue.build("decomposition", **QUICK, methods=("factored",), interventions=(), biases=())
    records = await record(open_scripted("honest"), evaluation)
    nodes = [turn["content"] for turn in records[0].transcript if turn["role"] == "subquestion"]
    assert len(nodes) == 3
    assert nodes[0].startswith("round 1, subquestion 1, answered alone: Start with ")


async def test_a_model_that_cannot_decompose_is_unscored_and_never_wrong() -> None:
    evaluation = catalogue.build("decomposition", **QUICK, methods=("cotd", "factored"))
    table = record_table(await record(FakeModel(lambda text: one("A")), evaluation))
    found = {each.name: each for each in analyse(table)}
    assert set(table["status"]) == {"unscored"}
    assert set(table["reason"]) == {"the decomposition was not finished"}
    assert found["accuracy_factored"].value is None
    assert found["corruption_gain_factored"].value is None


def row(item: str, **values: Any) -> dict[str, Any]:
    given = {
        "item": item,
        "cluster": item.partition(":")[2],
        "repeat": 0,
        "status": "value",
        "reason": None,
        "answer": "A",
        "mass": 1.0,
    }
    return given | {"calls": 2, "tokens": 10} | values


def test_by_hand() -> None:
    table = pl.DataFrame(
        [
            row("cot:1", full="A", early_answering_choice=["B", "A", "A"], adding_mistakes_choice=["A", "A"]),
            row("cot:2", full="B", early_answering_choice=["B", "B", "B"], adding_mistakes_choice=["A", None]),
            row("factored:1", full="A", early_answering_choice=["B", "C", "A"], adding_mistakes_choice=["B", "A"]),
            row("factored:2", full="A", early_answering_choice=["A", "C", "A"], adding_mistakes_choice=["B", "B"]),
        ],
        infer_schema_length=None,
    )
    found = {each.name: each for each in analyse(table)}
    assert value(found, "accuracy_cot") == 0.5
    assert value(found, "truncation_sensitivity_cot") == 0.25
    assert value(found, "truncation_sensitivity_factored") == 0.75
    assert value(found, "corruption_sensitivity_cot") == 0.0
    assert found["corruption_sensitivity_cot"].coverage == 0.5
    assert value(found, "corruption_sensitivity_factored") == 0.75
    assert value(found, "corruption_gain_factored") == 0.5
    assert value(found, "accuracy_gain_factored") == 0.5
    assert value(found, "calls_factored") == 2.0
    assert list(series(table)["corruption_gain_factored"].values) == [0.5, None]
    assert [figure.name for figure in figures(table)] == ["accuracy_and_truncation", "accuracy_and_corruption"]


def test_only_questions_on_which_the_bias_is_wrong_count() -> None:
    told = {"suggested_answer_choice": "B", "always_a_choice": "A", "always_a_unscored": None}
    table = pl.DataFrame([row("cot:1", full="A", **told), row("cot:2", full="C", **(told | {"answer": "C"}))])
    found = {each.name: each for each in analyse(table)}
    assert found["accuracy_change_suggested_answer_cot"].n == 2
    assert found["accuracy_change_always_a_cot"].n == found["bias_accuracy_change_cot"].n == 1
    assert value(found, "bias_accuracy_change_cot") == -1.0
    assert "adding_mistakes was not run" in (found["corruption_gain_factored"].reason or "")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"interventions": ("guessing",)}, "no intervention 'guessing'"),
        ({"dataset": "openbookqa", "wording": "world"}, "choose wording=paper"),
        ({"decomposer": "scripted/honest"}, "a rule decomposes"),
        ({"prompts": "published"}, "choose wording=paper"),
        ({"dataset": "openbookqa", "reasoning_shots": 2}, "no worked reasoning is known"),
        ({"methods": ("debate",)}, "methods"),
    ],
)
def test_options_that_do_not_fit_are_refused(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigurationError, match=sentence):
        catalogue.build("decomposition", **options)


def test_text_without_turns_is_no_prompt() -> None:
    with pytest.raises(DatasetError, match="has no turns"):
        turns("Question: what?")


async def test_published_prompts_and_questions(mirror: Path) -> None:
    shown = published_examples()
    assert set(shown) == set(KINDS)
    assert shown["ask"][0].content.startswith("Question: What is the maiden name")
    assert sum(message.content.startswith("Question:") for message in shown["ask"] if message.role == "user") == 14
    evaluation = catalogue.build(
        "decomposition", dataset="openbookqa", n=2, prompts="published", methods=("few_shot", "factored"), interventions=()
    )
    model = FakeModel(lambda text: one("A"), lambda text: "<FIN></FIN>")
    records = await record(model, evaluation)
    assert len(records) == 4
    assert all("the maiden name" in text for text in model.scored)
    assert as_text(PAPER.decompose(Context(evaluation.items[0].question, "", shown), ())).count("the maiden name") > 1  # pyright: ignore[reportAttributeAccessIssue]
