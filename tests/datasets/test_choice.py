import csv
import io
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gnomon.datasets import choice
from gnomon.datasets.items import ChoiceItem
from gnomon.errors import DatasetError

Keep = Callable[[str, dict[str, bytes]], Path]


def lines(rows: list[Any]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def labelled(identity: str, key: str, labels: str = "ABCD") -> dict[str, Any]:
    choices = [{"label": label, "text": f"option {label}"} for label in labels]
    return {"id": identity, "question": {"stem": f"What is {identity}?", "choices": choices}, "answerKey": key}


def comma_separated(rows: list[list[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def test_arc_reads_letters_and_digits_and_drops_what_has_no_answer(keep: Keep):
    broken = {"id": "d", "question": {"choices": []}, "answerKey": "A"}
    rows = [labelled("a", "C"), labelled("b", "2", "1234"), labelled("c", "E"), broken, {"id": "e"}, labelled("f", "A", "A")]
    keep("arc", {"ARC-Challenge-Dev.jsonl": lines(rows), "ARC-Easy-Dev.jsonl": lines(rows[:1])})
    found = choice.read("arc-challenge")
    assert [(item.id, item.answer) for item in found.items] == [("arc-challenge/a", 2), ("arc-challenge/b", 1)]
    assert found.items[0].question == "What is a?"
    assert found.items[0].options == ("option A", "option B", "option C", "option D")
    assert found.dropped == {
        "an answer that is not one of the options": 1,
        "no field 'stem'": 1,
        "no field 'question'": 1,
        "1 options": 1,
    }
    assert [item.id for item in choice.load("arc-easy")] == ["arc-easy/a"]


def test_dropped_rows_are_reported(keep: Keep, caplog: pytest.LogCaptureFixture):
    keep("openbookqa", {"test.jsonl": lines([labelled("a", "C"), labelled("b", "Z")])})
    assert len(choice.load("openbookqa")) == 1
    assert "openbookqa: 1 rows dropped (an answer that is not one of the options: 1)" in caplog.text


def test_aqua_takes_the_letters_off_its_options(keep: Keep):
    good = {"question": "1 + 1?", "options": ["A)1", "B) 2", "C)3"], "correct": "B", "rationale": ""}
    rows = [good, good | {"options": ["A)1", "C)2"]}, good | {"correct": "D"}, good | {"options": ["A)1", "B)1"]}]
    keep("aqua", {"dev.jsonl": lines(rows)})
    found = choice.read("aqua")
    assert [(item.id, item.options, item.answer) for item in found.items] == [("aqua/1", ("1", "2", "3"), 1)]
    assert found.dropped == {
        "an option without its letter": 1,
        "an answer that is not one of the options": 1,
        "two equal options": 1,
    }


def test_mmlu_has_no_header_and_names_its_subjects(keep: Keep):
    rows = [['Is, "this" one?\nYes', "a", "b", "c", "d", "D"], ["Short?", "a", "b", "A"], ["?", "a", "b", "c", "d", "E"]]
    keep("mmlu", {"test/logic_test.csv": comma_separated(rows), "dev/logic_dev.csv": comma_separated(rows)})
    found = choice.read("mmlu")
    assert [(item.id, item.answer, item.tags) for item in found.items] == [("mmlu/logic/1", 3, {"subject": "logic"})]
    assert found.items[0].question == 'Is, "this" one?\nYes'
    assert found.dropped == {"4 columns": 1, "an answer that is not one of the options": 1}


def test_logiqa_questions_on_one_passage_share_a_cluster(keep: Keep):
    def block(letter: str, passage: str, question: str, *options: str) -> str:
        return "\n".join([letter, passage, question, *(options or ("A.one", "B. two", "C.three", "D.four"))])

    blocks = [block("a", "P.", "First?"), block("d", "P.", "Second?"), block("b", "R.", "Third?", "A.1", "B 2", "C.3", "D.4")]
    keep("logiqa", {"Eval.txt": ("\n" + "\n\n".join(blocks) + "\n" + block("c", "S.", "Fourth?")).encode()})
    found = choice.read("logiqa")
    assert [(item.question, item.answer) for item in found.items] == [("P.\nFirst?", 0), ("P.\nSecond?", 3), ("S.\nFourth?", 2)]
    assert found.items[0].options == ("one", "two", "three", "four")
    assert found.items[0].cluster == found.items[1].cluster != found.items[2].cluster
    assert found.dropped == {"an option without its letter": 1}


def truthfulqa(number: int) -> bytes:
    rows = [{"question": f"Q{row}?", "mc1_targets": {"right": 1, "wrong": 0, "worse": 0, "worst": 0}} for row in range(number)]
    return json.dumps([*rows, {"question": "Both?", "mc1_targets": {"a": 1, "b": 1}}]).encode()


def test_truthfulqa_lists_the_right_option_first_so_its_order_is_drawn(keep: Keep):
    keep("truthfulqa", {"mc_task.json": truthfulqa(400)})
    first, again, other = choice.read("truthfulqa", 0), choice.read("truthfulqa", 0), choice.read("truthfulqa", 1)
    assert first == again
    assert first.items != other.items
    assert [item.id for item in first.items] == [item.id for item in other.items]
    assert all(item.options[item.answer] == "right" for item in first.items + other.items)
    places = Counter(item.answer for item in first.items)
    assert all(60 <= places[place] <= 140 for place in range(4))  # 100 each by chance: within 4.6 standard deviations
    assert first.dropped == {"2 correct options": 1}


def test_n_questions_are_drawn_by_the_seed_and_nested(keep: Keep):
    keep("openbookqa", {"test.jsonl": lines([labelled(str(number), "A") for number in range(50)])})
    everything = choice.load("openbookqa")

    def ids(n: int, seed: int) -> list[str]:
        return [item.id for item in choice.load("openbookqa", n, seed)]

    assert ids(10, 0) == ids(10, 0) != ids(10, 1)
    assert set(ids(10, 0)) < set(ids(20, 0))
    assert ids(50, 3) == [item.id for item in everything]
    for n in (0, -1, 51):
        with pytest.raises(DatasetError, match=f"has 50 questions, and n is {n}"):
            choice.load("openbookqa", n)


def test_refusals_are_one_sentence(keep: Keep):
    keep("openbookqa", {"test.jsonl": b'{"id": 1}\n'})
    with pytest.raises(DatasetError, match="no usable row"):
        choice.load("openbookqa")
    keep("openbookqa", {"test.jsonl": lines([labelled("a", "C")]) + b'{"id": \n'})
    with pytest.raises(DatasetError, match=r"line 2 of test\.jsonl of openbookqa is not JSON"):
        choice.load("openbookqa")
    with pytest.raises(DatasetError, match=r"choose one of aqua, arc-challenge, .*truthfulqa"):
        choice.load("hellaswag")


@pytest.mark.parametrize(
    ("name", "count", "dropped"),
    [
        ("aqua", 253, 1),
        ("arc-challenge", 299, 0),
        ("arc-easy", 570, 0),
        ("logiqa", 634, 17),
        ("mmlu", 3502, 2),
        ("openbookqa", 500, 0),
        ("truthfulqa", 817, 0),
    ],
)
def test_the_published_files_give_their_known_numbers_of_questions(mirror: Path, name: str, count: int, dropped: int):
    found = choice.read(name)
    assert (len(found.items), sum(found.dropped.values())) == (count, dropped)
    assert len({item.id for item in found.items}) == count
    assert all(isinstance(item, ChoiceItem) and item.dataset == name and item.question for item in found.items)
    assert name in choice.names()
