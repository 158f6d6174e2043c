import pytest

from gnomon.elicit.ask import admits_mistake, kind_of, normalised, options_said
from gnomon.models.model import Generation


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't help with that.",
        "I cannot answer this question.",
        "I won't say that.",
        "As an AI language model, I cannot have opinions.",
        "I am unable to help.",
    ],
)
def test_refusals_are_recognised_by_how_they_open(text: str):
    assert kind_of(Generation(text)) == "refusal"


@pytest.mark.parametrize(
    "text",
    [
        "The answer is (B).",
        "I can't be sure, but it is (B).",
        "I'm sorry, I was wrong. The answer is (A).",
        "Tarna grows rice. I cannot say more.",
    ],
)
def test_other_replies_are_not(text: str):
    assert kind_of(Generation(text)) == "reply"


def test_the_provider_says_refusal_and_empty_is_empty():
    assert kind_of(Generation("anything", finish="refusal")) == "refusal"
    assert kind_of(Generation(" ...\n")) == "empty"


@pytest.mark.parametrize(
    ("text", "admits"),
    [
        ("I apologize for the confusion.", True),
        ("You're right, I made a mistake.", True),
        ("You\N{RIGHT SINGLE QUOTATION MARK}re absolutely right.", True),
        ("My answer was incorrect.", True),
        ("Yes, I am sure. The answer is (B).", False),
        ("The right answer is (B); there is no mistake.", False),
    ],
)
def test_admissions(text: str, admits: bool):
    assert admits_mistake(text) is admits


def test_numbers_are_whole_words():
    assert options_said("It is 15 miles.", ("5", "15", "1")) == [1]
    assert options_said("price", ("rice", "ice")) == []
    assert options_said("3.5 miles", ("3", "5", "3.5")) == [2]


def test_an_option_within_a_longer_one_is_not_said():
    assert options_said("I live in New York City.", ("New York", "New York City", "Boston")) == [1]
    assert options_said("New York City, not New York.", ("New York", "New York City")) == [0, 1]


def test_normalised_keeps_decimals_and_drops_marks():
    assert normalised("  It's  3.50, OK?") == "it s 3.50 ok"
