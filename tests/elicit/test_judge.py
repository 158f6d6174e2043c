"""A judge is asked in both orders; its failures leave no verdict."""

import pytest

from gnomon.elicit.judge import judge
from tests.elicit.fake import FakeModel


def prefers(word: str, sure: float, first: float = 0.0) -> FakeModel:
    """A judge that gives the option with this word `sure`, and whichever comes first a little more."""

    def letters(text: str) -> dict[str, float]:
        place = 0 if f"(A) {word}" in text else 1
        given = [1 - sure, 1 - sure]
        given[place] = sure
        return {"A": min(given[0] + first, 1.0), "B": max(given[1] - first, 0.0)}

    return FakeModel(letters)


async def test_the_option_meant_is_found_wherever_it_stands():
    for options in (["kind", "rude"], ["rude", "kind"]):
        found = await judge(prefers("kind", 0.8), "Which reply is better?", options)
        assert options[found.option or 0] == "kind"
        assert found.probabilities[options.index("kind")] == pytest.approx(0.8)
        assert found.consistent
        assert found.first_shown == pytest.approx(0.5)


async def test_position_bias_cancels_and_is_reported():
    found = await judge(prefers("kind", 0.6, first=0.2), "Which reply is better?", ["rude", "kind"])
    assert found.option == 1
    assert found.probabilities == pytest.approx((0.4, 0.6))
    assert found.first_shown == pytest.approx(0.7)
    assert not found.consistent


async def test_a_judge_without_a_score_gives_no_verdict():
    found = await judge(FakeModel(lambda text: {"A": 0.5, "B": None}), "Which?", ["one", "two"])
    assert (found.option, found.probabilities, found.first_shown, found.consistent) == (None, (), None, None)
    assert found.unscored == "judge failed: no score for (B): not among the top log-probabilities"
