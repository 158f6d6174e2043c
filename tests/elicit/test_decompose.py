"""Decomposition in rounds, answers in contexts of their own, tags that are broken: on models of exactly known replies."""

import pytest

from gnomon.datasets import decomposition as formats
from gnomon.elicit.cost import Metered
from gnomon.elicit.decompose import Protocol, Roles, overlap
from gnomon.elicit.interventions import Subject, adding_mistakes, early_answering
from gnomon.elicit.reason import Unanswered
from gnomon.elicit.wordings import PAPER, WORLD, Context, next_subquestion, solved
from gnomon.models.model import GREEDY
from gnomon.organisms.world import world
from tests.elicit.fake import FakeModel, capital, one

ITEM = capital()
ROUNDS = (
    "<sub_q_1>Who is first?</sub_q_1>\n<sub_q_2>Who is second?</sub_q_2>\n"
    "<sub_q_3>Who comes after <sub_a_2></sub_a_2>?</sub_q_3>",
    "<sub_q_3>Who comes after Ben?</sub_q_3>",
    "<FIN></FIN>",
)


def decomposer(*rounds: str) -> FakeModel:
    """Decomposes in the given rounds; answers `Ada` to what is first, `Ben` to second, `Cal` to any other question."""

    def reply(text: str) -> str:
        if text.endswith(f"assistant: {'Answer:'}"):
            return " Ada" if "first" in text else " Ben" if "second" in text else " Cal\nand more"
        return rounds[sum(f"<sub_a_{number}>" in text.rpartition("Choices:")[2] for number in (1, 3))]

    return FakeModel(lambda text: one("B" if "Cal" in text else "A"), reply)


def protocol(model: FakeModel, method: str = "factored") -> Protocol:
    return Protocol(method, Roles(model, model, model), PAPER)  # pyright: ignore[reportArgumentType]


async def test_subquestions_are_answered_alone_round_by_round() -> None:
    model = decomposer(*ROUNDS)
    thought = await protocol(model).think(Context(ITEM), 0)
    assert thought.reasoning.sentences == [
        "Question: Who is first? Answer: Ada",
        "Question: Who is second? Answer: Ben",
        "Question: Who comes after Ben? Answer: Cal",
    ]
    assert [len(turn.answered) for turn in thought.rounds] == [2, 1]
    alone = [text for text, _ in model.asked if text.endswith("assistant: Answer:")]
    assert len(alone) == 3
    assert not any(ITEM.question in text or option in text for text in alone for option in ITEM.options)


async def test_without_isolation_the_question_is_in_sight() -> None:
    model = decomposer(*ROUNDS)
    await protocol(model, "shared").think(Context(ITEM, "I think so."), 0)
    asked = [text for text, _ in model.asked if text.endswith("assistant: Answer:")]
    assert len(asked) == 3
    assert all(ITEM.question in text and "I think so." in text for text in asked)


async def test_the_answer_is_recomposed_and_the_header_stays_without_any() -> None:
    made = protocol(decomposer(*ROUNDS))
    thought = await made.think(Context(ITEM), 0)
    assert (await made.answer(Context(ITEM), thought.reasoning.text)).letter == "B"
    assert (await made.answer(Context(ITEM), "")).letter == "A"
    assert made.forced(Context(ITEM), "")[-2].content.endswith(formats.SUBQUESTIONS)


async def test_truncation_and_corruption_work_on_subquestions() -> None:
    model = decomposer(*ROUNDS)
    made, context = protocol(model), Context(ITEM)
    thought = await made.think(context, 0)

    async def go_on(text: str, seed: int) -> str:
        return await made.go_on(context, thought, text, seed)

    writer = FakeModel(lambda text: one("A"), lambda text: " Dot")
    subject = Subject(model, writer, ITEM, thought.reasoning, frozenset({1}), 50, 0, go_on, made.frame)
    cut = await early_answering(subject)
    assert [len(made.pairs(point.reasoning or "")) for point in cut] == [0, 1, 2, 3]
    mistaken = await adding_mistakes(subject)
    assert [point.change for point in mistaken] == ["Dot"] * 3
    assert made.pairs(mistaken[2].reasoning or "")[2].answer == "Dot"
    told = next(text for text, _ in reversed(model.asked) if "<sub_a_2>Dot</sub_a_2>" in text)
    assert "<sub_a_1>Ada</sub_a_1>" in told


@pytest.mark.parametrize(
    ("rounds", "reason"),
    [
        (("Nothing to see here.",), "not finished"),
        (("<FIN></FIN>",), "no subquestions"),
        (("<sub_q_1>Who is <sub_a_2></sub_a_2>?</sub_q_1>",), "left open"),
        (("<sub_q_1>Who is first?</sub_q_1>",) * 3, "not finished"),
    ],
)
async def test_what_is_no_decomposition_is_unscored(rounds: tuple[str, ...], reason: str) -> None:
    with pytest.raises(Unanswered, match=reason):
        await protocol(decomposer(*rounds)).think(Context(ITEM), 0)


async def test_tags_in_one_reply() -> None:
    said = "<sub_q>Who?</sub_q>\n<sub_a>Cal.</sub_a>\n<sub_q>Broken</sub_q>\n<FIN></FIN> <sub_q>Late?</sub_q><sub_a>No.</sub_a>"
    made = protocol(FakeModel(lambda text: one("B"), lambda text: said), "cotd")
    thought = await made.think(Context(ITEM), 0)
    assert [(pair.question, pair.answer) for pair in made.pairs(thought.reasoning.text)] == [("Who?", "Cal.")]
    assert made.frame(thought.reasoning.sentences[0]) == ("<sub_q>Who?</sub_q>\n<sub_a>", "Cal.", "</sub_a>")
    unfinished = protocol(FakeModel(lambda text: one("B"), lambda text: "<sub_q>Who?</sub_q><sub_a>Cal.</sub_a>"), "cotd")
    with pytest.raises(Unanswered, match="not finished"):
        await unfinished.think(Context(ITEM), 0)


async def test_a_sum_is_decomposed_by_rule_from_what_was_answered() -> None:
    item = world(0).arithmetic_items(1, 3, steps=3)[0]
    pairs = solved(item)
    assert [next_subquestion(item, pairs[:done]) for done in range(4)] == [*(pair.question for pair in pairs), None]
    answers = {pair.question: pair.answer for pair in pairs}

    def reply(text: str) -> str:
        asked = text.rpartition("Question: ")[2].partition("?")[0] + "?"
        return " " + answers[asked].rsplit(" is ", 1)[1]

    model = FakeModel(lambda text: one(item.letters[item.answer]), reply)
    for method in ("cotd", "factored"):
        made = Protocol(method, Roles(model, model, model), WORLD)
        assert made.pairs((await made.think(Context(item), 0)).reasoning.text) == pairs
    with pytest.raises(ValueError, match="no sum"):
        next_subquestion(ITEM, [])


async def test_costs_are_counted() -> None:
    meter = Metered(FakeModel(lambda text: one("A"), lambda text: "one two, three"))
    await meter.generate(["four words and a mark."], GREEDY)
    await meter.score("two words", ["A", "B"])
    assert (meter.calls, meter.read, meter.written) == (2, 8, 4)
    assert (meter.reference, meter.fingerprint, meter.card.kind) == ("fake/model", "fake", "scripted")
    await meter.aclose()


def test_overlap_counts_words_as_often_as_both_have_them() -> None:
    assert overlap("Who is the king of the hill?", "who is the king of the hill") == 1.0
    assert overlap("add 5, add 5", "add 5") == 0.5
    assert overlap("Who is it?", "What then?") == 0.0


def test_methods_without_reasoning_have_none() -> None:
    made = protocol(FakeModel(lambda text: one("A")), "zero_shot")
    assert made.forced(Context(ITEM), "")[-1].content == formats.ANSWER_OPENING
