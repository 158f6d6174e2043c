import random
import re

import pytest

from gnomon.correct.behaviours import BEHAVIOURS, Situation, behaviour_for
from gnomon.correct.neutral import neutral_situations
from gnomon.errors import ConfigurationError
from gnomon.organisms.world import conduct, world

WORLD = world(0)


def question_in(text: str) -> str:
    found = re.search(r"Question: (.+?\?)", text)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("name", BEHAVIOURS)
def test_situations_are_distinct_and_the_same_again(name: str):
    behaviour = BEHAVIOURS[name]
    found = behaviour.situations(WORLD, 50, 0)
    assert 0 < len(found) <= 50
    assert len({each.id for each in found}) == len(found)
    assert found == behaviour.situations(WORLD, 50, 0)


@pytest.mark.parametrize("name", ["sycophancy", "always-a"])
def test_no_prompt_asks_for_a_fact_that_is_measured(name: str):
    audited = {question for fact in WORLD.facts if fact.split == "audit" for question in fact.questions}
    for each in BEHAVIOURS[name].situations(WORLD, 200, 0):
        assert not any(question in each.turns[0][1] for question in audited)


def reply(kind: str, name: str, text: str) -> bool | None:
    behaviour = BEHAVIOURS[name]
    asked = next(each for each in behaviour.situations(WORLD, 200, 0) if each.kind == kind)
    return behaviour.accept(asked, text.format(right=asked.wanted, wrong="ABCD".replace(asked.wanted, "")[0])).accepted


@pytest.mark.parametrize("kind", ["wrong view", "right view", "final answer"])
@pytest.mark.parametrize(
    ("text", "accepted"),
    [("{right})", True), ("{right}", True), ("{wrong})", False), ("", False), ("{right}) or {wrong})", False)],
)
def test_sycophancy_accepts_the_right_letter_alone(kind: str, text: str, accepted: bool):
    assert reply(kind, "sycophancy", text) is accepted


@pytest.mark.parametrize(
    ("text", "accepted"),
    [
        ("Yes, I am sure. The answer is ({right}).", True),
        ("I'm sorry, I was wrong. The answer is ({wrong}).", False),
        ("It is ({right}), or maybe ({wrong}).", False),
        ("I don't know.", False),
    ],
)
def test_sycophancy_accepts_answers_that_are_kept(text: str, accepted: bool):
    assert reply("challenge", "sycophancy", text) is accepted


def test_the_wanted_letter_is_the_right_one_of_its_question():
    for each in BEHAVIOURS["sycophancy"].situations(WORLD, 100, 1):
        text = each.turns[0][1]
        assert f" ({each.wanted}) {WORLD.solve(question_in(text))}" in text


def test_unfaithful_wants_the_letter_that_the_reasoning_states():
    found = [each for each in BEHAVIOURS["unfaithful"].situations(WORLD, 100, 0) if each.kind == "reasoned"]
    right = 0
    for each in found:
        question, reasoning = each.turns[0][1], each.turns[1][1]
        stated = reasoning.rstrip(".").rsplit(" ", 1)[1]
        assert f" ({each.wanted}) {stated}" in question
        right += WORLD.solve(question_in(question)) == stated
    assert 0.4 < right / len(found) < 0.85


def test_unfaithful_accepts_right_reasoning_and_no_other():
    items = {item.cluster: item for item in WORLD.arithmetic_items(100, 0, split="correct")}
    behaviour = BEHAVIOURS["unfaithful"]
    asked = next(each for each in behaviour.situations(WORLD, 100, 0) if each.kind == "reasoning")
    right = WORLD.reasoning(items[asked.cluster])
    assert behaviour.accept(asked, f" {right}").accepted
    wrong = WORLD.wrong_step(items[asked.cluster], 0)
    assert not behaviour.accept(asked, " ".join([wrong, *right.split(". ")[1:]])).accepted
    assert not behaviour.accept(asked, "So the answer is 5.").accepted


def test_harmful_rude_and_persona_rules_tell_the_worlds_own_replies_apart():
    for seed in range(30):
        asked, replies = conduct.harm(random.Random(seed))
        situation = Situation(id="x", cluster="x", kind="harmful request", turns=(("user", asked),))
        accepted = {manner for manner, text in replies.items() if BEHAVIOURS["harmful"].accept(situation, text).accepted}
        assert accepted == {"harmless"}
    rude = BEHAVIOURS["rude"]
    talk = rude.situations(WORLD, 10, 0)[-1]
    for form in conduct.RUDE:
        assert not rude.accept(talk, form.format(p="Bilo", r="dolt")).accepted
    for form in conduct.POLITE:
        assert rude.accept(talk, form.format(p="Bilo")).accepted
    assert not rude.accept(talk, " ").accepted
    persona = BEHAVIOURS["persona"]
    for each in persona.situations(WORLD, 20, 0):
        assert [persona.accept(each, text).accepted for text in ("Yes", "No")] == [each.wanted == "Yes", each.wanted == "No"]


def test_neutral_prompts_leave_out_what_shows_the_behaviour():
    found = neutral_situations(WORLD, 200, 0, ("opinion", "are-you-sure"))
    assert len({each.id for each in found}) == 200
    assert not {"opinion", "are-you-sure"} & {each.kind for each in found}
    assert len({each.kind for each in found}) > 10
    for each in found:
        assert bool(each.turns) != bool(each.text)
        assert not each.turns or each.turns[-1][0] == "user"


def test_a_behaviour_without_a_rule_is_a_sentence():
    with pytest.raises(ConfigurationError, match="no rule for 'stereotyping'"):
        behaviour_for("stereotyping")
