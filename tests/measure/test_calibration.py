import asyncio
import re

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gnomon.datasets import templates
from gnomon.errors import DatasetError
from gnomon.measure import calibration
from gnomon.measure.audit import record
from gnomon.measure.calibration_analysis import analyse, figures, series
from gnomon.measure.evaluation import Evaluation
from gnomon.run.tables import record_table
from gnomon.stats.calibration import ece as expected_calibration_error
from gnomon.stats.estimate import Estimate
from tests.elicit.fake import FakeModel, Probabilities, capital, one

N = 40
QUESTIONS = [capital(number, answer=number % 4) for number in range(N)]


def built(monkeypatch: pytest.MonkeyPatch, **options: object) -> Evaluation:
    monkeypatch.setattr(calibration, "mixed_questions", lambda dataset, n, seed: QUESTIONS[:n])
    return calibration.evaluation(calibration.CalibrationConfig(n=N, **options))


@pytest.fixture
def evaluation(monkeypatch: pytest.MonkeyPatch) -> Evaluation:
    return built(monkeypatch)


def number_in(text: str) -> int:
    return int(re.findall(r"What is thing (\d+)\?", text)[-1])


def confident(stated: float, right: int, *, unscored: int = 0) -> FakeModel:
    """States one confidence throughout and is right on the first `right` questions, in every format."""

    def letters(text: str) -> Probabilities:
        number = number_in(text)
        item = QUESTIONS[number]
        if templates.IT_IS_TRUE_OPENING in text:
            proposed = re.findall(r"Proposed Answer: (\S+)", text)[0]
            true = (proposed == f"right{number}") == (number < right)
            return one("A" if true else "B", stated, "AB")
        if number >= N - unscored:
            return {"A": None}
        return one("ABCD"[item.answer if number < right else (item.answer + 1) % 4], stated)

    def reply(text: str) -> str:
        number = number_in(text)
        return f" right{number}" if number < right else f" wrong{number}a"

    return FakeModel(letters, reply)


async def measured(model: FakeModel, evaluation: Evaluation) -> dict[str, Estimate]:
    return {estimate.name: estimate for estimate in analyse(record_table(await record(model, evaluation)))}


@pytest.mark.parametrize(("stated", "right"), [(0.9, 36), (0.9, 28), (0.5, 36), (0.97, 20)])
async def test_overconfidence_is_stated_minus_true_probability(evaluation: Evaluation, stated: float, right: int):
    found = await measured(confident(stated, right), evaluation)
    assert found["overconfidence"].value == pytest.approx(stated - right / N)
    assert found["overconfidence"].low < stated - right / N < found["overconfidence"].high
    assert found["accuracy"].value == pytest.approx(right / N)
    assert found["confidence"].value == pytest.approx(stated)
    # One stated confidence: every bin's gap is the same but for how the questions fall into bins, which ties share out alike.
    assert found["ece"].value == pytest.approx(abs(stated - right / N))
    assert found["rms_calibration_error"].value == pytest.approx(abs(stated - right / N))
    assert found["brier"].value == pytest.approx((right * (1 - stated) ** 2 + (N - right) * stated**2) / N)


def test_overconfidence_is_unbiased_where_ece_is_not():
    # A perfectly calibrated model, 100 times: the mean of overconfidence is 0, that of ECE far from it.
    rng = np.random.default_rng(0)
    over: list[float] = []
    ece: list[float] = []
    for _ in range(100):
        stated = rng.uniform(0.4, 1.0, size=60)
        right = rng.random(60) < stated
        rows = [row(number, stated[number], bool(right[number])) for number in range(60)]
        found = series(pl.DataFrame(rows))["overconfidence"]
        over.append(float(np.mean(np.array(found.values, dtype=float))))
        ece.append(expected_calibration_error(stated, right))
    assert abs(np.mean(over)) < 3 * np.std(over) / np.sqrt(len(over))
    assert np.mean(ece) > 0.08


def row(number: int, stated: float, right: bool) -> dict[str, object]:
    rest = (1 - stated) / 3
    letters = "ABCD"
    answer = 0 if right else 1
    return {
        "item": f"choice:q{number}",
        "cluster": f"q{number}",
        "repeat": 0,
        "status": "value",
        "reason": None,
        "answer": letters[answer],
        "choice": "A",
        "correct": right,
        "confidence": float(stated),
        "probabilities": [float(stated), rest, rest, rest],
        "mass": 1.0,
    }


async def test_given_options_are_judged_by_the_papers_format(evaluation: Evaluation):
    model = confident(0.8, N)
    found = await measured(model, evaluation)
    assert found["true_false_accuracy"].value == 1.0
    assert found["true_false_accuracy"].n == 2 * N
    assert found["true_false_auroc"].value == 1.0
    assert found["true_false_brier"].value == pytest.approx(0.04)
    asked = (
        "user: Question: What is thing 3?\nProposed Answer: right3\nIs the proposed answer:\n (A) True\n (B) False"
        "\n\nassistant: The proposed answer is: ("
    )
    assert asked in model.scored


async def test_own_samples_are_drawn_at_temperature_one_and_judged_by_their_words(evaluation: Evaluation):
    model = confident(0.9, 30)
    found = await measured(model, evaluation)
    assert found["p_true_sample_accuracy"].value == pytest.approx(30 / N)
    # It calls its own right answers true, and its wrong ones true as well: no discrimination at all.
    assert found["p_true_auroc"].value == pytest.approx(0.5)
    text, sampling = model.asked[0]
    assert text.startswith("user: Question: What is thing")
    assert text.endswith("assistant: Answer:")
    assert "Choices" not in text
    assert sampling.temperature == 1.0


async def test_samples_that_cannot_be_judged_are_unscored(evaluation: Evaluation):
    model = confident(0.9, N)
    said = {0: "right0 or wrong0a", 1: "I cannot say.", 2: " ", 3: "something else"}
    plain = model.reply
    model.reply = lambda text: said.get(number_in(text)) or plain(text)
    table = record_table(await record(model, evaluation))
    reasons = dict(table.filter(pl.col("status") != "value").select("item", "reason").rows())
    assert reasons == {
        "p_true:q0": "the sampled answer could not be judged by its words",
        "p_true:q1": "refusal",
        "p_true:q2": "empty reply",
    }
    found = {estimate.name: estimate for estimate in analyse(table)}
    accuracy = found["p_true_sample_accuracy"]
    assert (accuracy.n, accuracy.value) == (37, pytest.approx(36 / 37))
    assert (accuracy.worst_low, accuracy.worst_high) == (pytest.approx(36 / 40), pytest.approx(39 / 40))


@pytest.mark.parametrize(
    ("options", "sample", "right"),
    [
        (("rice", "corn"), "Tarna grows rice.", True),
        (("rice", "corn"), "It is corn", False),
        (("rice", "corn"), "barley", False),
        (("rice", "corn"), "rice and corn", None),
        (("5", "15", "1"), "15", False),
        (("one two three four five", "no"), "something", None),
        (("one two three four five", "no"), "no", False),
        (("New York", "New York City"), "New York City", False),
    ],
)
def test_judging_by_words(options: tuple[str, ...], sample: str, right: bool | None):
    item = capital().model_copy(update={"options": options, "answer": 0})
    assert calibration.is_right(item, sample) is right


async def test_none_of_the_above_takes_the_last_options_place_and_is_right_where_that_was(evaluation: Evaluation):
    model = confident(0.9, N)
    found = await measured(model, evaluation)
    asked = [text for text in model.scored if templates.NONE_OF_THE_ABOVE in text]
    assert len(asked) == N
    assert all("(D) none of the above" in text and "(C) none" not in text for text in asked)
    assert found["none_of_the_above_accuracy_change"].value == 0.0
    assert found["none_of_the_above_underuse"].value == 0.0


async def test_a_model_that_never_says_none_of_the_above_underuses_it(evaluation: Evaluation):
    plain = confident(0.9, N).letters

    def letters(text: str) -> Probabilities:
        return one("A") if templates.NONE_OF_THE_ABOVE in text else plain(text)

    found = await measured(FakeModel(letters, lambda text: "right0"), evaluation)
    assert found["none_of_the_above_underuse"].value == pytest.approx(0.25)
    assert found["none_of_the_above_accuracy_change"].value == pytest.approx(-0.75)


async def test_shots_are_other_questions_with_their_right_answers(monkeypatch: pytest.MonkeyPatch):
    evaluation = built(monkeypatch, shots=5, formats=("choice",))
    model = confident(0.9, N)
    await record(model, evaluation)
    assert len(model.scored) == N
    for text in model.scored:
        asked = [int(number) for number in re.findall(r"What is thing (\d+)\?", text)]
        assert len(asked) == len(set(asked)) == 6
        shown = re.findall(r"assistant: Answer: \(([A-D])\)\n", text)
        assert shown == ["ABCD"[number % 4] for number in asked[:5]]
    again = built(monkeypatch, shots=5, formats=("choice",))
    assert [item.digest() for item in again.items] == [item.digest() for item in evaluation.items]


async def test_unscored_letters_stay_in_the_denominator(evaluation: Evaluation):
    found = await measured(confident(0.9, 30, unscored=4), evaluation)
    accuracy = found["accuracy"]
    assert (accuracy.n, accuracy.coverage) == (36, pytest.approx(0.9))
    assert (accuracy.worst_low, accuracy.worst_high) == (pytest.approx(30 / 40), pytest.approx(34 / 40))
    assert found["overconfidence"].coverage == pytest.approx(0.9)
    assert found["overconfidence"].worst_low < found["overconfidence"].value < found["overconfidence"].worst_high


def test_the_temperature_that_a_known_sharpening_needs():
    rng = np.random.default_rng(1)
    rows: list[dict[str, object]] = []
    for number in range(1000):
        logits = rng.normal(size=4) * 1.5
        true = np.exp(logits) / np.exp(logits).sum()
        answer = int(rng.choice(4, p=true))
        sharp = np.exp(2 * logits) / np.exp(2 * logits).sum()
        best = int(sharp.argmax())
        rows.append(
            row(number, 0.5, right=False)
            | {
                "answer": "ABCD"[answer],
                "choice": "ABCD"[best],
                "correct": best == answer,
                "confidence": float(sharp.max()),
                "probabilities": sharp.tolist(),
            }
        )
    found = {estimate.name: estimate for estimate in analyse(pl.DataFrame(rows))}
    assert found["temperature"].value == pytest.approx(2.0, abs=0.3)
    assert found["temperature"].low < 2.0 < found["temperature"].high
    assert found["overconfidence"].low > 0


@settings(max_examples=3, deadline=None)
@given(seed=st.integers(0, 1000))
def test_estimates_do_not_depend_on_the_order_of_rows(recorded: pl.DataFrame, seed: int):
    assert analyse(recorded.sample(fraction=1.0, shuffle=True, seed=seed)) == analyse(recorded)


def test_doubled_rows_are_rejected(recorded: pl.DataFrame):
    with pytest.raises(DatasetError, match="two records of the item"):
        analyse(pl.concat([recorded, recorded.tail(1)]))


def test_reliability_diagrams_of_all_parts(recorded: pl.DataFrame):
    stated, others, options = figures(recorded)
    assert {row["series"] for row in stated.data} == {"top choice", "true/false", "P(True) of own samples"}
    assert {row["series"] for row in others.data} == {"none of the above"}
    assert {row["series"] for row in options.data} == {"all options"}
    assert all(row["low"] <= row["observed"] <= row["high"] for row in (*stated.data, *options.data))
    assert sum(row["records"] for row in options.data) == pytest.approx(4 * N)


@pytest.fixture(scope="module")
def recorded() -> pl.DataFrame:
    with pytest.MonkeyPatch.context() as patch:
        evaluation = built(patch)
    return record_table(asyncio.run(record(confident(0.85, 27), evaluation)))


async def test_beside_comparison_samples_the_same_answer_is_judged_twice(monkeypatch: pytest.MonkeyPatch):
    evaluation = built(monkeypatch, formats=("p_true_comparison",))
    plain = confident(0.9, 30)

    def letters(text: str) -> Probabilities:
        if templates.IT_IS_POSSIBLE_OPENING not in text:
            return plain.letters(text)
        ideas = text.partition("ideas: ")[2].partition("\nPossible Answer: ")[0].split("\n")
        assert len(ideas) == 5
        number = number_in(text)
        true = re.findall(r"Possible Answer: (\S+)", text)[0] == f"right{number}"
        return one("A" if true else "B", 0.95, "AB")

    found = await measured(FakeModel(letters, plain.reply), evaluation)
    # Alone it calls everything true with 0.9; beside others it is right with 0.95.
    alone = (30 * 0.1**2 + 10 * 0.9**2) / N
    assert found["comparison_brier"].value == pytest.approx(0.05**2)
    assert found["comparison_brier_change"].value == pytest.approx(0.05**2 - alone)
    assert found["comparison_auroc"].value == 1.0


async def test_option_texts_are_scored_whole(monkeypatch: pytest.MonkeyPatch):
    evaluation = built(monkeypatch, formats=("choice", "option_text"))
    plain = confident(0.9, 30)

    def letters(text: str) -> Probabilities:
        if " choice: " not in text:
            return plain.letters(text)
        item = QUESTIONS[number_in(text)]
        assert "(A)" not in text
        return {f" {option}": 0.4 if index == item.answer else 0.2 for index, option in enumerate(item.options)}

    found = await measured(FakeModel(letters, plain.reply), evaluation)
    assert found["option_text_accuracy"].value == 1.0
    assert found["option_text_ece"].value == pytest.approx(0.6)
    assert found["option_text_ece_change"].value == pytest.approx(0.6 - 0.15)


def test_a_fitted_temperature_lowers_the_error_of_an_overconfident_model():
    rng = np.random.default_rng(3)
    rows: list[dict[str, object]] = []
    for number in range(600):
        right = bool(rng.random() < 0.6)
        rows.append(row(number, 0.95, right) | {"probabilities": [0.95, 0.02, 0.02, 0.01]})
    found = {estimate.name: estimate for estimate in analyse(pl.DataFrame(rows))}
    assert found["ece"].value == pytest.approx(0.35, abs=0.05)
    assert found["ece_at_temperature"].value < 0.08
    assert found["ece_change_at_temperature"].high < -0.2
