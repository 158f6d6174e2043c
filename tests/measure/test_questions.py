"""How many questions can be asked: as many as there are, each once."""

from collections.abc import Callable

import pytest

from gnomon.datasets.items import ChoiceItem
from gnomon.errors import DatasetError
from gnomon.measure.questions import choice_questions, mixed_questions, reasoning_questions, steerable_questions


@pytest.mark.parametrize("draw", [choice_questions, mixed_questions])
def test_all_questions_about_facts_can_be_asked_and_no_more(draw: Callable[[str, int, int], list[ChoiceItem]]):
    questions = draw("world", 720, 3)
    assert len({question.question for question in questions}) == len(questions) == 720
    with pytest.raises(DatasetError, match="has 720 questions about facts to ask, and n is 721: choose 1 to 720"):
        draw("world", 721, 3)


@pytest.mark.parametrize("draw", [reasoning_questions, steerable_questions])
def test_more_sums_than_there_are_are_refused_at_once(draw: Callable[[str, int, int], list[ChoiceItem]]):
    with pytest.raises(DatasetError, match=r"n is 99,999,999: choose 1 to [\d,]+$"):
        draw("world", 99_999_999, 0)


def test_steerable_sums_are_as_many_as_asked_for_or_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("gnomon.measure.questions.SUMS", 400)
    few = steerable_questions("world", 20, 0)
    many = steerable_questions("world", 250, 0)
    assert (len(few), len(many)) == (20, 250)
    assert many[:20] == few
    with pytest.raises(DatasetError, match="such sums to ask, and n is 390"):
        steerable_questions("world", 390, 0)
