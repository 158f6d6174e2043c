import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnomon.datasets import templates
from gnomon.datasets.messages import conversation
from gnomon.elicit.choose import NO_LETTER, choose, closed, said
from gnomon.models.model import Score
from tests.elicit.fake import FakeModel, capital, one

OPENED = templates.ask(capital())


async def test_probabilities_are_renormalised_over_the_letters():
    choice = await choose(FakeModel(lambda text: {"A": 0.1, "B": 0.3, "C": 0.05, "D": 0.05}), OPENED, "ABCD")
    assert choice.letter == "B"
    assert choice.probabilities == pytest.approx((0.2, 0.6, 0.1, 0.1))
    assert choice.mass == pytest.approx(0.5)
    assert choice.top == pytest.approx(0.6)
    assert choice.unscored is None


@given(st.lists(st.floats(1e-6, 0.2), min_size=2, max_size=5))
async def test_probabilities_add_up_to_one_and_keep_their_ratios(weights: list[float]):
    letters = "ABCDE"[: len(weights)]
    choice = await choose(FakeModel(lambda text: dict(zip(letters, weights, strict=True))), OPENED, letters)
    assert math.fsum(choice.probabilities) == pytest.approx(1)
    assert choice.letter == letters[weights.index(max(weights))]
    assert choice.probabilities[1] / choice.probabilities[0] == pytest.approx(weights[1] / weights[0])


async def test_a_missing_score_is_unscored_with_its_reason_and_no_number():
    choice = await choose(FakeModel(lambda text: {"A": 0.9, "B": None}), OPENED, "AB")
    assert (choice.letter, choice.probabilities, choice.top) == (None, (), None)
    assert choice.method == "top_logprobs"
    assert choice.unscored == "no score for (B): not among the top log-probabilities"


async def test_a_letter_that_no_sample_said_has_the_share_zero():
    class Sampled(FakeModel):
        async def score(self, prefix, continuations):
            shares = {"A": 0.75, "C": 0.25}
            return [
                Score(math.log(shares[one]) if one in shares else None, reason="not said in 20 samples", method="sampling")
                for one in continuations
            ]

    choice = await choose(Sampled(lambda text: {}), OPENED, "ABCD")
    assert (choice.letter, choice.method) == ("A", "sampling")
    assert choice.probabilities == pytest.approx((0.75, 0.0, 0.25, 0.0))
    nothing = await choose(Sampled(lambda text: {}), OPENED, "BD")
    assert nothing.unscored == "no score for (B): not said in 20 samples"


async def test_no_probability_on_any_letter_is_unscored():
    choice = await choose(FakeModel(lambda text: {}), OPENED, "AB")
    assert choice.letter is None
    assert choice.unscored == NO_LETTER


async def test_the_transcript_shows_the_completed_answer_or_leaves_it_open():
    chosen = await choose(FakeModel(lambda text: one("C")), OPENED, "ABCD")
    open_ = await choose(FakeModel(lambda text: {}), OPENED, "ABCD")
    assert said(OPENED, chosen)[-1] == {"role": "assistant", "content": "Answer: (C)"}
    assert said(OPENED, open_)[-1] == {"role": "assistant", "content": "Answer: ("}
    assert closed(OPENED, "A")[0] == OPENED[0]


async def test_words_are_chosen_as_letters_are() -> None:
    opened = conversation(("user", "Well?"), ("assistant", "It is"))
    found = await choose(FakeModel(lambda text: {" good": 0.1, " weak": 0.3}), opened, (" good", " weak"))
    assert found.letter == " weak"
    assert found.probabilities == pytest.approx((0.25, 0.75))
    assert found.mass == pytest.approx(0.4)
