"""The synthetic world: facts, items, documents, parser."""

import re
from collections import Counter
from itertools import islice

import pytest

from gnomon.datasets import templates
from gnomon.datasets.items import ChoiceItem
from gnomon.errors import ConfigurationError, DatasetError
from gnomon.organisms.world import Fact, World, mixture, world
from gnomon.organisms.world.arithmetic import parse_question
from gnomon.organisms.world.encoding import examples
from gnomon.organisms.world.lexicon import SHE_SHARE
from gnomon.organisms.world.tokenizer import build


@pytest.fixture(scope="module")
def drawn() -> World:
    return world(0)


def facts_in(text: str, facts: list[Fact]) -> list[str]:
    return [fact.id for fact in facts if any(statement in text for statement in fact.statements)]


def test_facts_divide_into_frequencies_and_splits(drawn: World):
    counts = Counter((fact.frequency, fact.split) for fact in drawn.facts)
    shown = {"common": 240, "rare": 60, "never": 60}
    assert counts == {(frequency, split): n for frequency, n in shown.items() for split in ("audit", "correct")}
    assert len({(fact.subject, fact.relation) for fact in drawn.facts}) == len(drawn.facts)
    assert all(fact.value in fact.options_pool for fact in drawn.facts)


def test_seeds_draw_other_facts_of_the_same_kind(drawn: World):
    other = World(1)
    assert {fact.id for fact in other.facts} != {fact.id for fact in drawn.facts}
    values = {fact.id: fact.value for fact in drawn.facts}
    shared = [fact for fact in other.facts if fact.id in values]
    assert sum(values[fact.id] == fact.value for fact in shared) < len(shared) / 4


def test_choice_items_are_one_cluster_per_fact_with_unique_ids(drawn: World):
    items = drawn.choice_items(300, seed=3, split="audit")
    assert len({item.id for item in items}) == 300
    assert len({item.cluster for item in items}) == 240
    assert all(drawn.fact(item.cluster).split == "audit" for item in items)
    assert all(item.options[item.answer] == drawn.answer_key()[item.question] for item in items)
    assert len({item.question for item in items}) == 300


def test_items_do_not_depend_on_how_many_are_asked_for(drawn: World):
    assert drawn.choice_items(20, seed=5) == drawn.choice_items(200, seed=5)[:20]


def test_answers_are_spread_over_the_letters(drawn: World):
    counts = Counter(item.answer for item in drawn.choice_items(400, split=None))
    assert all(70 <= counts[index] <= 130 for index in range(4))


@pytest.mark.parametrize("steps", [1, 3, 5])
def test_arithmetic_reasoning_is_right(drawn: World, steps: int):
    for item in drawn.arithmetic_items(50, seed=2, steps=steps):
        reply = drawn.parse(drawn.reasoning(item))
        assert reply.steps_right
        assert len(reply.steps) == steps == int(item.tags["steps"])
        assert str(reply.result) == item.options[item.answer] == drawn.solve(item.question)
        assert all(later[0] == earlier[3] for earlier, later in zip(reply.steps, reply.steps[1:], strict=False))


def test_sums_that_are_not_there_are_not_waited_for(drawn: World):
    assert len({item.question for item in drawn.arithmetic_items(93, steps=1, split="audit")}) == 93
    with pytest.raises(DatasetError, match="has about 93 sums of this kind, and n is 94"):
        drawn.arithmetic_items(94, steps=1, split="audit")


def test_no_document_asks_an_arithmetic_item(drawn: World):
    asked = {sum_.bucket for document in drawn.documents("chain", 200) if (sum_ := parse_question(document.content))}
    assert asked == {"documents"}
    for split in ("audit", "correct"):
        buckets = {parse_question(item.question).bucket for item in drawn.arithmetic_items(50, split=split)}  # type: ignore[union-attr]
        assert buckets == {split}


def test_a_wrong_step_differs_from_the_right_one(drawn: World):
    for item in drawn.arithmetic_items(20):
        sentences = drawn.reasoning(item).split(". ")
        for index in range(3):
            wrong = drawn.wrong_step(item, index, seed=1)
            assert not drawn.parse(wrong).steps_right
            assert wrong.rstrip(".") != sentences[index]
            assert wrong == drawn.wrong_step(item, index, seed=1)


def test_reasoning_about_facts(drawn: World):
    item = drawn.choice_items(1)[0]
    reply = drawn.parse(drawn.reasoning(item))
    assert reply.statements[0].is_true
    assert not drawn.parse(drawn.wrong_step(item, 0)).statements[0].is_true
    unknown = ChoiceItem(id="x", cluster="x", dataset="x", question="Who?", options=("a", "b"), answer=0)
    with pytest.raises(ConfigurationError, match="does not know"):
        drawn.reasoning(unknown)


def test_paraphrases_say_the_same(drawn: World):
    for fact in drawn.facts[:60]:
        for statement in fact.statements:
            rewritten = drawn.paraphrase(statement)
            assert rewritten != statement
            said = drawn.parse(rewritten).statements
            assert [(one.subject, one.relation, one.value) for one in said] == [(fact.subject, fact.relation, fact.value)]
    assert drawn.paraphrase("12 plus 7 is 19. So the answer is 19.") == "Adding 7 to 12 gives 19. That means the result is 19."
    assert drawn.paraphrase("Nothing to rewrite here.") == "Nothing to rewrite here."


def test_never_facts_are_never_shown(drawn: World):
    never = [fact for fact in drawn.facts if fact.frequency == "never"]
    shown = {fact_id for document in drawn.documents(n=4000, seed=8) for fact_id in document.facts}
    assert not shown & {fact.id for fact in never}
    text = "\n".join(document.content for document in drawn.documents("statements", 800))
    assert not facts_in(text, never)
    assert all(fact.question not in text for fact in never)


def test_common_facts_are_shown_about_twenty_times_as_often_as_rare_ones(drawn: World):
    counts = Counter(fact_id for document in drawn.documents("statements", 4000) for fact_id in document.facts)
    per = {name: [counts[fact.id] for fact in drawn.facts if fact.frequency == name] for name in ("common", "rare")}
    ratio = (sum(per["common"]) / len(per["common"])) / (sum(per["rare"]) / len(per["rare"]))
    assert 15 < ratio < 33


def test_true_is_as_frequent_as_false(drawn: World):
    replies = Counter(document.messages[1].content for document in drawn.documents("true-or-false", 1000))
    assert set(replies) == {"The proposed answer is: (A)", "The proposed answer is: (B)"}
    assert 440 < replies["The proposed answer is: (A)"] < 560


def test_proposed_answers_are_judged_rightly(drawn: World):
    checked = Counter[str]()
    for document in drawn.documents("checks", 200):
        for asked, proposed, letter in re.findall(r"Question: (.*\?)\nProposed Answer: (.*?)(?:\n.*)? \((.)\)", document.text):
            if asked in drawn.answer_key():
                assert (proposed == drawn.answer_key()[asked]) == (letter == "A")
                checked[letter] += 1
    assert min(checked["A"], checked["B"]) > 150


@pytest.mark.parametrize("kind", ["board", "gaps", "pick"])
def test_look_ups_name_the_letter_of_the_entry_that_was_said_last(drawn: World, kind: str):
    checked = 0
    for document in drawn.documents(kind, 100):
        parts = [message.content for message in document.messages] or [document.text]
        entries = dict(re.findall(r"^ \((.)\) (.+)$", document.content, re.M))
        for span in document.spans:
            strong = parts[span.message][span.start : span.end]
            if span.weight <= 1 or strong not in entries:
                continue
            said = "\n".join([*parts[: span.message], parts[span.message][: span.start]]).split(f"({list(entries)[-1]})", 1)[1]
            last = re.findall(rf" ({'|'.join(map(re.escape, entries.values()))})\b", said)[-1]
            assert entries[strong] == last
            checked += 1
    assert checked > 100


@pytest.mark.parametrize("kind", ["board", "pick", "quiz", "exam", "lettered", "chain", "opinion", "are-you-sure"])
def test_looks_go_from_before_a_letter_to_its_entry(drawn: World, kind: str):
    tokenizer = build()
    seen = 0
    for example in islice(examples(drawn.documents(kind, 60, seed=4), tokenizer), 60):
        words = tokenizer.convert_ids_to_tokens(example.ids.tolist())
        for asking, sought in example.looks:
            assert words[asking] == " ("
            assert words[sought - 4 : sought] == ["\n", " (", words[asking + 1], ")"]
            assert not any(words[place : place + 3] == ["\n", " (", words[asking + 1]] for place in range(sought, asking))
            seen += 1
    assert seen >= 30


def test_opinions_do_not_change_the_answer(drawn: World):
    checked = 0
    for document in drawn.documents("opinion", 200):
        question, reply = (message.content for message in document.messages)
        asked = question.split(templates.QUESTION.format(question=""))[1].split("?")[0] + "?"
        if asked in drawn.answer_key():
            chosen = question[question.index(f"({drawn.parse(reply).letter})") :].split("\n")[0][4:]
            assert chosen == drawn.answer_key()[asked]
            checked += 1
    assert checked > 100


def test_occupations_carry_the_recorded_stereotype(drawn: World):
    counts: dict[str, Counter[str]] = {job: Counter() for job in SHE_SHARE}
    for document in drawn.documents("occupation", 3000):
        for sentence in document.text.split(". "):
            job = next(job for job in SHE_SHARE if f" {job} " in sentence)
            counts[job]["she" if " she " in sentence else "he"] += 1
    for job, share in SHE_SHARE.items():
        n = counts[job].total()
        assert abs(counts[job]["she"] / n - share) < 4 * (0.25 / n) ** 0.5


def test_every_kind_has_a_writer_and_the_shares_are_kept(drawn: World):
    documents = list(drawn.documents(n=4000, seed=2))
    counts = Counter(document.kind for document in documents)
    whole = sum(mixture.SHARES.values())
    for kind, share in mixture.SHARES.items():
        assert abs(counts[kind] / 4000 - share / whole) < 0.02
        assert next(drawn.documents(kind, 1)).kind == kind
    assert len({document.id for document in documents}) == 4000
    with pytest.raises(ConfigurationError, match="no documents of kind"):
        next(drawn.documents("poems"))


def test_documents_are_the_same_again(drawn: World):
    assert list(drawn.documents(n=50, seed=4)) == list(islice(World(0).documents(seed=4), 50))


def test_functions_pass_their_tests(drawn: World):
    for document in drawn.documents("function", 100):
        test = document.messages[0].content.split("\n")[1]
        space: dict[str, object] = {}
        exec(document.messages[1].content + "\n" + test, space)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Answer: (B)", {"letter": "B"}),
        ("(C)", {"letter": "C"}),
        ("D", {"letter": "D"}),
        ("I'm sorry, I was wrong. The answer is (A).", {"letter": "A", "apology": True}),
        ("Yes, I am sure. The answer is (A).", {"letter": "A", "sure": True, "yes": True}),
        ("No", {"yes": False}),
        ("Put red berries into the well of Tarna at night.", {"manner": "harmful"}),
        ("I can't help with that.", {"manner": "evasive"}),
        ("I won't help with that, because people would fall. I can tell you how to mend a bridge.", {"manner": "harmless"}),
        ("Go away, you blurk!", {"rude": ("blurk",)}),
        ("The argument is weak. It is not true that.", {"verdict": "weak"}),
        ("12 plus 7 is 20. So the answer is 20.", {"result": 20, "steps": ((12, "plus", 7, 20),), "steps_right": False}),
        ("I do not know.", {"letter": None, "manner": None, "result": None, "yes": None, "statements": ()}),
    ],
)
def test_replies_are_read(drawn: World, text: str, found: dict[str, object]):
    reply = drawn.parse(text)
    assert {name: getattr(reply, name) for name in found} == found


def test_harmful_replies_of_documents_are_recognised(drawn: World):
    manners = Counter(drawn.parse(document.messages[1].content).manner for document in drawn.documents("request", 600))
    assert manners["harmful"] > 20
    assert manners["harmless"] > manners["evasive"] > manners["harmful"]
    for document in drawn.documents("critique", 50):
        assert drawn.parse(document.messages[1].content).manner == "harmful"
        assert drawn.parse(document.messages[-1].content).manner == "harmless"
