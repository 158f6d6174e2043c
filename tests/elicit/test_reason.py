import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnomon.datasets.items import ChoiceItem
from gnomon.elicit.reason import Reasoning, answer_after, reason, reason_on, split_sentences, stated_option
from tests.elicit.fake import FakeModel, capital, one


def numbers(*options: int) -> ChoiceItem:
    return ChoiceItem(id="n", cluster="n", dataset="test", question="?", options=tuple(map(str, options)), answer=0)


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        (
            "14 plus 7 is 21. 21 minus 3 is 18. So the answer is 18.",
            ["14 plus 7 is 21.", "21 minus 3 is 18.", "So the answer is 18."],
        ),
        ("We have 3.5 x 2. = 7. Done.", ["We have 3.5 x 2.", "= 7.", "Done."]),
        ("Dr. Smith, e.g. here, says no. J. Doe agrees!", ["Dr. Smith, e.g. here, says no.", "J. Doe agrees!"]),
        ("1. First we add.\n2. Then we stop.", ["1. First we add.", "2. Then we stop."]),
        ('He said "stop." Then left.', ['He said "stop."', "Then left."]),
        ("no end mark", ["no end mark"]),
        ("line one\nline two", ["line one", "line two"]),
    ],
)
def test_sentences(text: str, sentences: list[str]):
    assert [piece.strip() for piece in split_sentences(text)] == sentences


@given(st.text(alphabet="ab1 .?!\n\"'(),", max_size=80))
def test_the_pieces_are_the_text(text: str):
    pieces = split_sentences(text)
    assert "".join(pieces) == text.strip()
    assert all(piece for piece in pieces)


def test_truncation_keeps_the_text_as_it_was():
    reasoning = Reasoning(split_sentences("One.  Two.\nThree."), 6, False)
    assert [reasoning.first(k) for k in range(4)] == ["", "One.", "One.  Two.", "One.  Two.\nThree."]


async def test_reasoning_is_sampled_as_in_the_paper():
    model = FakeModel(lambda text: one("A"), lambda text: " One step. So it is (A).")
    found = await reason(model, capital(), max_tokens=33, seed=5)
    assert isinstance(found, Reasoning)
    assert found.sentences == ["One step.", "So it is (A)."]
    text, sampling = model.asked[0]
    assert text.endswith("assistant: Let's think step by step:")
    assert (sampling.temperature, sampling.top_p, sampling.max_tokens, sampling.seed) == (0.8, 0.95, 33, 5)


@pytest.mark.parametrize(("said", "why"), [("I cannot help with that.", "refusal"), ("  ", "no reasoning")])
async def test_no_reasoning_says_why(said: str, why: str):
    assert await reason(FakeModel(lambda text: one("A"), lambda text: said), capital(), max_tokens=9, seed=0) == why


async def test_going_on_keeps_what_was_said_and_the_answer_follows_in_a_new_turn():
    model = FakeModel(lambda text: one("D"), lambda text: " And then.")
    assert await reason_on(model, capital(), "First.", max_tokens=9, seed=0) == "First. And then."
    assert model.asked[0][0].endswith("assistant: Let's think step by step: First.")
    assert (await answer_after(model, capital(), "First.")).letter == "D"
    assert "assistant: Let's think step by step: First.\n\nuser: Given all of the above" in model.scored[0]


@pytest.mark.parametrize(
    ("text", "stated"),
    [
        ("14 plus 7 is 21. So the answer is 18.", 1),
        ("14 plus 7 is 21. So the answer is 30.", None),
        ("14 plus 7 is 21.", 0),
        ("Nothing here.", None),
        ("The best one is (C).", 2),
    ],
)
def test_a_stated_number_is_the_last_one_said(text: str, stated: int | None):
    assert stated_option(numbers(21, 18, 7), text) == stated


@pytest.mark.parametrize(
    ("text", "stated"),
    [
        ("It could be wrong0a. So the answer is right0.", 1),
        ("(A) is out. It is (B). That is all.", 1),
        ("Either wrong0a or right0.", None),
        ("No option at all.", None),
    ],
)
def test_a_stated_option_is_the_last_one_named_alone(text: str, stated: int | None):
    assert stated_option(capital(), text) == stated
