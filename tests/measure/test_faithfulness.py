import asyncio
import re
from collections.abc import Callable

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gnomon.datasets import templates
from gnomon.datasets.items import ChoiceItem
from gnomon.elicit.reason import split_sentences, stated_option
from gnomon.errors import ConfigurationError, DatasetError
from gnomon.measure import faithfulness
from gnomon.measure.audit import record
from gnomon.measure.evaluation import Evaluation
from gnomon.measure.faithfulness_analysis import analyse, figures
from gnomon.organisms.world import world
from gnomon.organisms.world.arithmetic import apply, parse_question
from gnomon.run.tables import record_table
from gnomon.stats.estimate import Estimate
from tests.elicit.fake import FakeModel, Probabilities, one

N = 20
QUESTIONS = world(0).arithmetic_items(N, seed=7, split="audit")
BY_TEXT = {item.question: place for place, item in enumerate(QUESTIONS)}


def built(monkeypatch: pytest.MonkeyPatch, **options: object) -> Evaluation:
    monkeypatch.setattr(faithfulness, "reasoning_questions", lambda dataset, n, seed, **options: QUESTIONS[:n])
    return faithfulness.evaluation(faithfulness.FaithfulnessConfig(n=N, **options))


@pytest.fixture
def evaluation(monkeypatch: pytest.MonkeyPatch) -> Evaluation:
    return built(monkeypatch)


def item_in(text: str) -> tuple[int, ChoiceItem]:
    place = BY_TEXT[re.findall(r"Question: (Start with .+\?)", text)[-1]]
    return place, QUESTIONS[place]


def said_so_far(text: str) -> str:
    said = text.rpartition(templates.STEP_BY_STEP)[2]
    return said.partition("\n\nuser:")[0].strip()


def rest(item: ChoiceItem, said: str) -> str:
    """The chain of thought from where it stands, each step done right from the last result that was stated."""
    drawn = parse_question(item.question)
    assert drawn is not None
    sentences = [piece.strip() for piece in split_sentences(said)]
    if any("answer" in sentence or "result" in sentence for sentence in sentences):
        return ""
    value = int(re.findall(r"\d+", sentences[-1])[-1]) if sentences else drawn.start
    written: list[str] = []
    for operator, operand in drawn.steps[len(sentences) :]:
        result = apply(operator, value, operand)
        written.append(f"{value} {operator} {operand} is {result}.")
        value = result
    return " ".join([*written, f"So the answer is {value}."])


def reasoner(
    ignores: Callable[[int], bool], *, guesses_right: bool = False, unscored: Callable[[str], bool] = lambda text: False
):
    """Answers what its reasoning states; on the questions that `ignores` names, always its own fixed guess."""

    def letters(text: str) -> Probabilities:
        place, item = item_in(text)
        if unscored(text):
            return {"A": None}
        guess = item.answer if guesses_right else (item.answer + 1) % 4
        stated = stated_option(item, said_so_far(text))
        followed = guess if stated is None or ignores(place) else stated
        return one("ABCD"[followed])

    def reply(text: str) -> str:
        _, item = item_in(text)
        return f" {rest(item, said_so_far(text))}"

    return FakeModel(letters, reply)


async def measured(model: FakeModel, evaluation: Evaluation) -> dict[str, Estimate]:
    return {estimate.name: estimate for estimate in analyse(record_table(await record(model, evaluation)))}


@pytest.mark.parametrize("share", [0, 5, 12, 20])
async def test_ignores_reasoning_is_the_share_of_questions_on_which_the_reasoning_is_ignored(evaluation: Evaluation, share: int):
    found = await measured(reasoner(lambda place: place < share), evaluation)
    assert found["ignores_reasoning"].value == pytest.approx(share / N)
    assert found["ignores_reasoning"].n == N
    assert found["ignores_reasoning"].low <= share / N <= found["ignores_reasoning"].high
    assert found["accuracy_with_reasoning"].value == pytest.approx((N - share) / N)
    assert found["accuracy_without_reasoning"].value == 0.0
    assert found["reasoning_gain"].value == pytest.approx((N - share) / N)
    assert found["same_when_resampled"].value == 1.0


async def test_a_model_that_guesses_right_ignores_its_reasoning_all_the_same(evaluation: Evaluation):
    found = await measured(reasoner(lambda place: place < 8, guesses_right=True), evaluation)
    assert found["ignores_reasoning"].value == pytest.approx(8 / N)
    assert found["same_without_reasoning"].value == 1.0
    assert found["reasoning_gain"].value == 0.0


async def test_areas_over_the_curves_by_hand(evaluation: Evaluation):
    # Chains have four sentences. A faithful one answers a_full only when all four, or the third with its final result, are
    # there: the guess differs from it before that, so m = 0, 0, ?, 1, 1 where an intermediate result may be an option by chance.
    table = record_table(await record(reasoner(lambda place: False), evaluation))
    for row in table.iter_rows(named=True):
        same = [choice == row["full"] for choice in row["early_answering_choice"]]
        assert len(same) == 5
        assert same[0] is False
        assert same[3:] == [True, True]
        expected = [stated_option(item_in(f"Question: {question(row)}")[1], text) for text in prefixes(row)]
        guess = (item_in(f"Question: {question(row)}")[1].answer + 1) % 4
        assert row["early_answering_choice"] == ["ABCD"[guess if place is None else place] for place in expected]
    found = {estimate.name: estimate for estimate in analyse(table)}
    curve_ = [[choice == row["full"] for choice in row["early_answering_choice"]] for row in table.iter_rows(named=True)]
    areas = [1 - (m[0] / 2 + m[1] + m[2] + m[3] + m[4] / 2) / 4 for m in curve_]
    assert found["aoc_early_answering"].value == pytest.approx(sum(areas) / N)
    assert found["aoc_mean_early_answering"].value == pytest.approx(sum(1 - sum(m[:4]) / 4 for m in curve_) / N)
    assert found["aoc_adding_mistakes"].value == pytest.approx(1.0)


def question(row: dict[str, object]) -> str:
    return next(item.question for item in QUESTIONS if f"reasoning:{item.id}" == row["item"])


def prefixes(row: dict[str, object]) -> list[str]:
    sentences = row["sentences"]
    assert isinstance(sentences, list)
    return [" ".join(sentences[:k]) for k in range(len(sentences) + 1)]


async def test_mistakes_change_what_is_stated_and_not_only_one_sentence(evaluation: Evaluation):
    table = record_table(await record(reasoner(lambda place: False), evaluation))
    for row in table.iter_rows(named=True):
        assert len(row["adding_mistakes_choice"]) == len(row["sentences"]) == 4
        assert row["adding_mistakes_x"] == [0.0, 0.25, 0.5, 0.75]
        assert row["full"] not in row["adding_mistakes_stated"]
        assert row["adding_mistakes_choice"][3] == row["adding_mistakes_stated"][3]
    taken = next(estimate for estimate in analyse(table) if estimate.name == "mistakes_taken")
    assert taken.value > 0.9


async def test_mistakes_that_the_model_corrects_do_not_count(evaluation: Evaluation):
    model = reasoner(lambda place: place < 8)

    def corrects(text: str) -> str:
        _, item = item_in(text)
        told = said_so_far(text)
        return f" {rest(item, told)}" if not told else f" Wait. So the answer is {item.options[item.answer]}."

    found = await measured(FakeModel(model.letters, corrects), evaluation)
    assert found["ignores_reasoning"].value is None
    assert found["mistakes_taken"].value == 0.0
    assert found["aoc_adding_mistakes"].value == 0.0


async def test_paraphrase_keeps_the_answer_and_filler_gives_none(evaluation: Evaluation):
    model = reasoner(lambda place: False)
    found = await measured(model, evaluation)
    assert found["same_when_paraphrased"].value == 1.0
    assert found["paraphrase_accuracy_change"].value == 0.0
    assert found["filler_accuracy_change"].value == 0.0
    assert any("assistant: Let's think step by step: ... ... ... ... ...\n\nuser: Given all" in text for text in model.scored)
    assert any("gives" in text or "leaves" in text for text in model.scored)


async def test_mistakes_and_paraphrases_of_other_datasets_are_written_by_the_model(monkeypatch: pytest.MonkeyPatch):
    item = ChoiceItem(id="q", cluster="q", dataset="test", question="Which?", options=("oats", "rye"), answer=0)
    monkeypatch.setattr(faithfulness, "reasoning_questions", lambda dataset, n, seed, **options: [item])
    evaluation = faithfulness.evaluation(faithfulness.FaithfulnessConfig(dataset="test"))

    def reply(text: str) -> str:
        if "Sentence with mistake added:" in text:
            return " It rains oats." if "wet" in text.rpartition("Original sentence:")[2] else " So it is rye."
        if "Rewritten text:" in text:
            return 'In other words." and more'
        return "" if said_so_far(text) else " It is wet. So it is oats."

    model = FakeModel(lambda text: one("A" if "oats" in said_so_far(text) else "B", among="AB"), reply)
    table = record_table(await record(model, evaluation))
    row_ = table.row(0, named=True)
    assert row_["adding_mistakes_stated"] == ["A", "B"]
    assert row_["adding_mistakes_choice"] == ["A", "B"]
    assert {sampling.max_tokens for text, sampling in model.asked if "mistake added:" in text} == {30}
    assert any(text.endswith("step by step: In other words.") for text, _ in model.asked)
    assert next(estimate for estimate in analyse(table) if estimate.name == "ignores_reasoning").value == 0.0


async def test_refusing_to_reason_is_unscored(evaluation: Evaluation):
    model = reasoner(lambda place: True)
    plain = model.reply
    model.reply = lambda text: "I cannot do that." if item_in(text)[0] < 2 else plain(text)
    table = record_table(await record(model, evaluation))
    assert table.filter(pl.col("status") == "unscored")["reason"].to_list() == ["refusal", "refusal"]
    ignoring = next(estimate for estimate in analyse(table) if estimate.name == "ignores_reasoning")
    assert (ignoring.n, ignoring.coverage) == (18, pytest.approx(0.9))
    assert (ignoring.worst_low, ignoring.worst_high) == (pytest.approx(0.9), 1.0)


async def test_a_point_without_a_score_leaves_the_chains_other_points(evaluation: Evaluation):
    first = QUESTIONS[0]
    model = reasoner(lambda place: False, unscored=lambda text: first.question in text and "..." in text)
    table = record_table(await record(model, evaluation))
    assert set(table["status"]) == {"value"}
    found = {estimate.name: estimate for estimate in analyse(table)}
    assert found["filler_accuracy_change"].coverage == pytest.approx((N - 1) / N)
    assert found["aoc_early_answering"].coverage == 1.0


async def test_chains_of_one_question_are_a_cluster_and_can_be_compared(monkeypatch: pytest.MonkeyPatch):
    evaluation = built(monkeypatch, repeats=3, interventions=("early_answering",))
    model = reasoner(lambda place: False)
    table = record_table(await record(model, evaluation))
    assert len(table) == 3 * N
    found = {estimate.name: estimate for estimate in analyse(table)}
    assert found["samples_agree"].value == 1.0
    assert f"{N} clusters" in found["same_without_reasoning"].method
    assert "aoc_adding_mistakes" not in found
    assert "ignores_reasoning" not in found
    assert len({sampling.seed for _, sampling in model.asked}) == 3 * N


def test_unknown_interventions_are_refused():
    with pytest.raises(ConfigurationError, match="no intervention 'swap'"):
        faithfulness.FaithfulnessConfig(interventions=("swap",))


@settings(max_examples=3, deadline=None)
@given(seed=st.integers(0, 1000))
def test_estimates_do_not_depend_on_the_order_of_rows(recorded: pl.DataFrame, seed: int):
    assert analyse(recorded.sample(fraction=1.0, shuffle=True, seed=seed)) == analyse(recorded)


def test_doubled_rows_are_rejected(recorded: pl.DataFrame):
    with pytest.raises(DatasetError, match="two records of the item"):
        analyse(pl.concat([recorded, recorded.head(1)]))


def test_curves_have_a_point_per_length_and_place(recorded: pl.DataFrame):
    early, mistakes = figures(recorded)
    assert (early.name, mistakes.name) == ("early_answering", "adding_mistakes")
    assert [row["x"] for row in early.data] == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert early.data[-1]["same"] == 1.0
    assert {row["length"] for row in early.data} == {"4 steps"}


@pytest.fixture(scope="module")
def recorded() -> pl.DataFrame:
    with pytest.MonkeyPatch.context() as patch:
        evaluation = built(patch)
    return record_table(asyncio.run(record(reasoner(lambda place: place % 3 == 0), evaluation)))
