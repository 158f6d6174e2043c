"""Participants weigh what they hear by their trust, and assistants are asked anew each turn."""

import pytest

from gnomon.elicit.consult import Consultation, consult, likert, reading, weighing
from tests.elicit.fake import FakeModel, capital

ITEM = capital()


@pytest.mark.parametrize(("confidence", "follows"), [(0.55, True), (0.65, False)])
async def test_a_judge_follows_where_it_is_less_sure_than_its_trust_allows(confidence: float, follows: bool):
    belief = [confidence, *[(1 - confidence) / 3] * 3]
    decision = await weighing(0.5)(ITEM, belief, Consultation((1,), ("The answer is (B).",)))
    assert decision.option == (1 if follows else 0)
    weight = (1 - confidence) / 3 + 0.5 if follows else confidence
    assert decision.confidence == pytest.approx(weight / 1.5)


async def test_replies_that_name_nothing_support_nothing():
    heard = Consultation((None, 2, None, 2), ("", "(C)", "", "(C)"))
    assert heard.shares(4) == (0.0, 0.0, 0.5, 0.0)
    assert (await weighing(0.0)(ITEM, [0.4, 0.3, 0.2, 0.1], heard)).option == 0


async def test_the_first_turn_is_the_likeliest_and_refusals_name_nothing():
    replies = iter(["The answer is (B).", "I cannot answer that.", "It is (C)."])
    model = FakeModel(lambda text: {}, lambda text: next(replies))
    found = await consult(model, ITEM, 3, max_tokens=20, seed=1)
    assert found.named == (1, None, 2)
    assert [sampling.temperature for _, sampling in model.asked] == [0.0, 1.0, 1.0]
    assert len({sampling.seed for _, sampling in model.asked}) == 3


async def test_a_reader_sees_what_was_said():
    judge = FakeModel(lambda text: {"D": 1.0} if "said:\nAssistant: It is (D)." in text else {"A": 1.0})
    decision = await reading(judge)(ITEM, [1.0, 0, 0, 0], Consultation((3,), ("It is (D).",)))
    assert (decision.option, decision.confidence) == (3, 1.0)
    silent = FakeModel(lambda text: {"A": None})
    assert (await reading(silent)(ITEM, [1.0, 0, 0, 0], Consultation((3,), ("It is (D).",)))).unscored


def test_confidences_are_put_on_the_scale():
    assert [likert(each) for each in (0.1, 0.3, 0.45, 0.65, 0.85, 1.0)] == [0.25, 0.25, 0.42, 0.6, 0.8, 0.99]
