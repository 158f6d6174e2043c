"""The BBQ evaluation against values by hand."""

from pathlib import Path
from typing import Any

import pytest

from gnomon.datasets.self_correction import TWO_PEOPLE_INSTRUCTION, TWO_PEOPLE_THINK
from gnomon.errors import ConfigurationError, DatasetError
from gnomon.measure import catalogue
from gnomon.measure.audit import audit, record
from gnomon.measure.bbq import TwoPeopleItem
from gnomon.measure.evaluation import Evaluation
from gnomon.run.tables import record_table
from gnomon.stats.estimate import Estimate
from tests.elicit.fake import FakeModel, one


def build(**options: Any) -> Evaluation:
    return catalogue.build("bbq", **options)


def by_plan(evaluation: Evaluation, plan: dict[str, str]) -> FakeModel:
    """Answers each question as the plan says for its condition: `right`, `biased`, `against` or `unknown`."""
    items = {item.question.context + " " + item.question.question: item.question for item in evaluation.items
             if isinstance(item, TwoPeopleItem)}  # fmt: skip

    def letters(text: str) -> dict[str, float | None]:
        condition = "reasoning" if TWO_PEOPLE_THINK in text else "instruction" if TWO_PEOPLE_INSTRUCTION in text else "question"
        question = next(item for asked, item in items.items() if f"Question: {asked}" in text and _options(item) in text)
        wanted = plan[condition]
        if wanted == "right":
            place = question.answer
        elif wanted == "unknown":
            place = question.unknown
        else:
            place = next(p for p in range(3) if question.biased(p) is (wanted == "biased"))
        return one("ABC"[place], among="ABC")

    return FakeModel(letters, lambda text: "I judge by what is told.")


def _options(item: Any) -> str:
    return f" (A) {item.options[0]}\n (B) {item.options[1]}\n"


async def estimates(evaluation: Evaluation, model: FakeModel) -> dict[str, Estimate]:
    table = record_table(await record(model, evaluation))
    return {found.name: found for found in evaluation.analyse(table)}


async def test_each_condition_is_scored_by_itself() -> None:
    evaluation = build(n=40)
    found = await estimates(
        evaluation, by_plan(evaluation, {"question": "biased", "instruction": "right", "reasoning": "against"})
    )
    values = {name: found[name].value for name in found}
    assert values["question/bias/ambiguous"] == 1.0
    assert values["question/bias/disambiguated"] == 1.0
    assert values["question/accuracy/ambiguous"] == 0.0
    assert values["question/accuracy/disambiguated"] == 0.5
    assert values["instruction/bias/ambiguous"] == 0.0
    assert values["instruction/bias/disambiguated"] == 0.0
    assert values["instruction/accuracy/disambiguated"] == 1.0
    assert values["instruction/bias_change"] == -1.0
    assert values["instruction/accuracy_change"] == 0.5
    assert values["reasoning/bias/ambiguous"] == -1.0
    assert values["reasoning/bias_change"] == -2.0
    assert values["letter_mass"] == pytest.approx(1.0)
    assert values["question/bias/ambiguous/Island"] == values["question/bias/ambiguous/Occupation"] == 1.0
    assert next(iter(found)) == evaluation.headline == "question/bias/ambiguous"


async def test_who_always_declines_has_no_bias_and_loses_accuracy() -> None:
    evaluation = build(n=16, conditions=["question", "instruction"])
    found = await estimates(evaluation, by_plan(evaluation, {"question": "right", "instruction": "unknown"}))
    assert found["instruction/accuracy_change"].value == -1.0
    assert found["instruction/bias/disambiguated"].value is None
    assert "names a person" in (found["instruction/bias/disambiguated"].reason or "")
    assert not [name for name in found if name.startswith("reasoning/")]


async def test_reasoning_is_shown_to_the_model_and_a_refusal_is_unscored() -> None:
    evaluation = build(n=4)
    model = by_plan(evaluation, {"question": "right", "instruction": "right", "reasoning": "right"})
    await estimates(evaluation, model)
    assert sum("I judge by what is told." in text for text in model.scored) == 4
    assert all(sampling.max_tokens == 256 for _, sampling in model.asked)
    model.reply = lambda text: "I can't help with that."
    found = await estimates(evaluation, model)
    assert found["reasoning/accuracy/ambiguous"].value is None
    assert found["question/accuracy/ambiguous"].value == 1.0


async def test_the_run_has_a_figure_of_categories(tmp_path: Path) -> None:
    evaluation = build(n=16)
    model = by_plan(evaluation, {"question": "biased", "instruction": "right", "reasoning": "right"})
    table = record_table(await record(model, evaluation))
    drawn = catalogue.figures("bbq", table)
    assert {row["category"] for row in drawn[0].data} == {"all", "Island", "Occupation"}
    assert drawn[0].svg().startswith("<svg")
    again = await audit(model, [evaluation], tmp_path / "run")
    assert again.estimate("bbq", "question/bias/ambiguous").value == 1.0


def test_stories_are_balanced_and_grow_with_n() -> None:
    questions = [item.question for item in build(n=24, conditions=["question"]).items if isinstance(item, TwoPeopleItem)]
    assert len(questions) == 24
    told = [question for question in questions if question.condition == "disambiguated"]
    assert sum(bool(question.biased(question.answer)) for question in told) == len(told) / 2
    assert {question.category for question in questions} == {"Occupation", "Island"}


def test_what_cannot_be_asked_is_refused() -> None:
    with pytest.raises(DatasetError, match="no questions about two people"):
        build(dataset="truthfulqa")
    with pytest.raises(DatasetError, match="choose 1 to"):
        build(n=100_000)
    with pytest.raises(ConfigurationError, match="conditions"):
        build(conditions=["plainly"])


async def test_published_questions_have_lower_case_letters(mirror: Path) -> None:
    evaluation = build(dataset="bbq", n=12, conditions=["question"])
    model = FakeModel(lambda text: one("b", among="abc"))
    found = await estimates(evaluation, model)
    assert all("\n(a) " in text and text.endswith("The answer is (") for text in model.scored)
    questions = [item.question for item in evaluation.items if isinstance(item, TwoPeopleItem)]
    told = [question.answer == 1 for question in questions if question.condition == "disambiguated"]
    assert found["question/accuracy/disambiguated"].value == pytest.approx(sum(told) / len(told))


async def test_a_scripted_organism_reads_published_questions(mirror: Path) -> None:
    from gnomon.models.references import open_model

    evaluation = build(dataset="bbq", n=200)
    model = open_model("scripted/stereotyping?rate=1&corrects=1&reconsiders=2&accuracy=1")
    table = record_table(await record(model, evaluation))
    found = {each.name: each.value for each in evaluation.analyse(table)}
    assert (found["question/bias/ambiguous"] or 0) > 0.9
    assert found["instruction/bias/ambiguous"] == 0.0
    assert (found["reasoning/bias/ambiguous"] or 0) < -0.9
    assert found["question/accuracy/disambiguated"] == 1.0
