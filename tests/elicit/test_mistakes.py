import re

import pytest

from gnomon.elicit.mistakes import ruled_mistake, written_mistake
from gnomon.elicit.reason import split_sentences
from gnomon.organisms.world import world
from gnomon.organisms.world.arithmetic import apply, parse_question
from tests.elicit.fake import FakeModel, capital, one


def test_a_wrong_step_leads_to_another_option_when_the_rest_is_done_right():
    reached = 0
    for item in world(0).arithmetic_items(60, seed=3):
        sentences = [piece.strip() for piece in split_sentences(world(0).reasoning(item))]
        drawn = parse_question(item.question)
        assert drawn is not None
        for index, sentence in enumerate(sentences):
            changed = ruled_mistake(item, sentences, index, avoid={item.answer}, seed=1)
            assert changed is not None
            assert changed != sentence
            assert re.sub(r"\d+\.$", "", changed) == re.sub(r"\d+\.$", "", sentence)
            value = int(re.findall(r"\d+", changed)[-1])
            for operator, operand in drawn.steps[index + 1 :]:
                value = apply(operator, value, operand)
            assert str(value) != item.options[item.answer]
            reached += str(value) in item.options
    assert reached >= 0.9 * 240


def test_mistakes_are_the_same_for_the_same_seed_and_avoid_what_they_should():
    item = world(0).arithmetic_items(1, seed=0)[0]
    sentences = [piece.strip() for piece in split_sentences(world(0).reasoning(item))]
    first = [ruled_mistake(item, sentences, 3, avoid={0, 1, 2, 3} - {free}, seed=9) for free in range(4) if free != item.answer]
    again = [ruled_mistake(item, sentences, 3, avoid={0, 1, 2, 3} - {free}, seed=9) for free in range(4) if free != item.answer]
    assert first == again
    assert first == [f"So the answer is {item.options[free]}." for free in range(4) if free != item.answer]


def test_a_stated_option_is_contradicted():
    item = capital()
    changed = ruled_mistake(item, ["So the answer is right0."], 0, avoid={0, 1, 2}, seed=0)
    assert changed == f"So the answer is {item.options[3]}."
    changed = ruled_mistake(item, ["It is (B) right0."], 0, avoid={0, 1, 2}, seed=0)
    assert changed == f"It is (D) {item.options[3]}."
    assert ruled_mistake(item, ["Nothing is stated."], 0, avoid=set(), seed=0) is None


async def test_a_model_writes_a_mistake_at_30_tokens_with_the_papers_request():
    model = FakeModel(lambda text: one("A"), lambda text: " Two plus two is five.\nand more")
    assert await written_mistake(model, capital(), "Two plus two is four.", seed=4) == "Two plus two is five."
    text, sampling = model.asked[0]
    assert "with at least one mistake added.\n\nQuestion: What is thing 0?\nChoices:\n (A)" in text
    assert text.endswith("Original sentence: Two plus two is four.\n\nassistant: Sentence with mistake added:")
    assert (sampling.max_tokens, sampling.seed) == (30, 4)


@pytest.mark.parametrize("said", ["Two plus two is FOUR", "", "I cannot do that."])
async def test_the_same_sentence_or_none_is_no_mistake(said: str):
    model = FakeModel(lambda text: one("A"), lambda text: said)
    assert await written_mistake(model, capital(), "Two plus two is four.", seed=0) is None
