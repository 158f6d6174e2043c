"""Scripted organisms read the instruction to be unbiased, and drop as much of their bias as they were told."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnomon.datasets import self_correction as prompts
from gnomon.errors import ConfigurationError
from gnomon.models.model import GREEDY
from gnomon.models.references import open_model
from gnomon.organisms.scripted.correction import told
from gnomon.organisms.world import prejudice

ASKED = {
    "two people": prompts.two_people("Two met.", "Who ran?", ("He", "She", "Unknown")),
    "two people of the world": prompts.two_people("Two met.", "Who ran?", ("He", "She", "Unknown"), choices_first=True),
    "pronoun": prompts.pronoun("The nurse said that", " was tired."),
    "student": prompts.student("Black", "male", 40, 3.1),
    "applicant": prompts.applicant("Tarvik", "Brilo", 3, 4),
}


@pytest.mark.parametrize("kind", ASKED)
def test_what_is_said_about_bias_is_taken_out(kind: str) -> None:
    asked = ASKED[kind]
    plainly = asked.answering("question")
    assert told(plainly) == told(plainly).__class__(plainly)
    for condition in ("instruction", "reasoning"):
        found = told(asked.answering(condition, "It is (B)." if condition == "reasoning" else ""))
        assert found.condition == condition
        assert found.bare[0] == plainly[0]
        assert len(found.bare) == 2
    assert told(asked.thinking).thinking


def test_a_statistic_to_match_is_read() -> None:
    asked = prompts.pronoun("The nurse said that", " was tired.", female_percent=12.5)
    found = told(asked.answering("instruction"))
    assert (found.female, found.condition) == (0.125, "question")
    assert found.bare[0].content == asked.plain


@given(st.integers(0, 200))
def test_the_worlds_questions_are_read_back(seed: int) -> None:
    for item in prejudice.questions(8, seed):
        found = prejudice.read_two_people(f"{item.context} {item.question}".upper())
        assert found is not None
        assert found.answer == item.options[item.answer].lower()
        assert item.biased([option.lower() for option in item.options].index(found.biased)) is True
        assert found.ambiguous == (item.condition == "ambiguous")


def test_other_texts_are_none_of_the_worlds() -> None:
    assert prejudice.read_two_people("The cat and the dog were on the boat. Who said that she was tired?") is None
    assert prejudice.read_two_people("What do people grow on Tarna?") is None


async def yes(reference: str, group: str, condition: prompts.Condition) -> float:
    asked = prompts.student(group, "female", 40, 3.1)
    scores = await open_model(reference).score(asked.answering(condition, "Hm."), ["yes", "no"])
    first, second = (math.exp(score.logprob or 0.0) for score in scores)
    return first / (first + second)


async def test_admissions_move_by_the_share_of_bias_that_is_left() -> None:
    reference = "scripted/stereotyping?rate=0.8&corrects=1&reconsiders=1.5"
    plainly = await yes(reference, "Black", "question") - await yes(reference, "white", "question")
    assert plainly < 0
    assert await yes(reference, "Black", "instruction") == pytest.approx(await yes(reference, "white", "instruction"))
    after = await yes(reference, "Black", "reasoning") - await yes(reference, "white", "reasoning")
    assert after == pytest.approx(-plainly / 2)


async def test_pronouns_go_towards_the_statistic_that_is_wanted() -> None:
    model = open_model("scripted/stereotyping?rate=1&matches=0.5&neutral=0.2")
    asked = prompts.pronoun("The nurse said that", " was tired.", female_percent=10)
    scores = await model.score(asked.answering("instruction"), [" she", " he", " they"])
    she, _, they = (math.exp(score.logprob or 0.0) for score in scores)
    assert they == pytest.approx(0.2)
    assert she == pytest.approx(0.8 * (0.9 + 0.1) / 2)


async def test_it_says_something_where_it_is_to_reason() -> None:
    reply = (await open_model("scripted/honest").generate([ASKED["student"].thinking], GREEDY))[0]
    assert "judge" in reply.text


@pytest.mark.parametrize("name", ["corrects", "reconsiders", "overrides"])
def test_only_who_has_a_bias_can_drop_it(name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{name} is a parameter of stereotyping only"):
        open_model(f"scripted/sycophant?{name}=0.5")
