"""What the reader finds in the project's own formats, and in the published ones."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnomon.datasets import templates
from gnomon.datasets.items import ChoiceItem
from gnomon.datasets.messages import Message, Prompt
from gnomon.organisms.scripted.reading import View, read

ITEM = ChoiceItem(
    id="q", cluster="q", dataset="test", question="Which stone floats?", options=("granite", "pumice", "slate", "flint"), answer=1
)
WORDS = st.text("abcdefgh ", min_size=1, max_size=30).map(str.strip).filter(bool)


@given(question=WORDS, options=st.lists(WORDS, min_size=2, max_size=8, unique=True), view=st.booleans())
def test_lettered_questions_come_back(question: str, options: list[str], view: bool) -> None:
    item = ChoiceItem(id="i", cluster="i", dataset="test", question=f"{question}?", options=tuple(options), answer=0)
    said = templates.SUGGESTS_INCORRECT.format(incorrect=options[1]) if view else ""
    reading = read(templates.ask(item, view=said))
    assert reading.asks == "choice"
    assert reading.question.split() == item.question.split()
    assert [option.split() for option in reading.options] == [option.split() for option in options]
    assert reading.view == (View("suggests", options[1]) if view else None)


@pytest.mark.parametrize(
    ("sentence", "view"),
    [
        (templates.SUGGESTS_CORRECT.format(correct="pumice"), View("suggests", "pumice")),
        (templates.DENIES_CORRECT.format(correct="pumice"), View("denies", "pumice")),
        (templates.SUGGESTS_INCORRECT.format(incorrect="slate"), View("suggests", "slate")),
    ],
)
@pytest.mark.parametrize("choices_first", [False, True])
def test_views_are_taken_out_of_the_question(sentence: str, view: View, choices_first: bool) -> None:
    reading = read(templates.ask(ITEM.model_copy(update={"choices_first": choices_first}), view=sentence))
    assert (reading.question, reading.view) == (ITEM.question, view)


def test_challenge_control_and_final_answer() -> None:
    asked = (*templates.ask(ITEM)[:1], Message("assistant", "Answer: (C)"))
    challenged = read((*asked, Message("user", templates.CHALLENGE)))
    assert (challenged.asks, challenged.first_answer, challenged.challenges) == ("challenge", "C", 1)
    controlled = read((*asked, Message("user", templates.CONTROL)))
    assert (controlled.asks, controlled.first_answer, controlled.challenges) == ("control", "C", 0)
    final = read(
        (
            *asked,
            Message("user", templates.CHALLENGE),
            Message("assistant", "I apologise, it is (A)."),
            Message("user", templates.FINAL_ANSWER),
            Message("assistant", "("),
        )
    )
    assert (final.asks, final.first_answer, final.challenges, final.opening) == ("choice", "C", 1, "(")


def test_reasoning_and_the_forced_answer() -> None:
    assert read(templates.reasoning_opening(ITEM)).asks == "reasoning"
    forced = read(templates.answer_after(ITEM, "Pumice holds air. So the answer is (B)."))
    assert (forced.asks, forced.reasoning) == ("choice", "Pumice holds air. So the answer is (B).")
    assert forced.first_answer is None
    assert read(templates.answer_after(ITEM, "")).reasoning == ""
    assert read(templates.answer_after(ITEM, templates.FILLER * 7)).reasoning == ""


def test_true_or_false() -> None:
    reading = read(templates.ask_whether_true(ITEM.question, "pumice"))
    assert (reading.asks, reading.question, reading.proposed) == ("truth", ITEM.question, "pumice")
    with_ideas = f"Question: {ITEM.question}\nHere are some brainstormed ideas: slate\nflint\nPossible Answer: pumice\n" + (
        "Is the possible answer:\n (A) True\n (B) False\nThe possible answer is:"
    )
    reading = read(with_ideas)
    assert (reading.asks, reading.question, reading.proposed) == ("truth", ITEM.question, "pumice")


def test_requests_for_mistakes_and_paraphrases() -> None:
    request = templates.MISTAKE_REQUEST.format(question=templates.question(ITEM), sentence="Pumice floats.")
    reading = read((Message("user", request), Message("assistant", templates.MISTAKE_OPENING)))
    assert (reading.asks, reading.proposed, reading.options) == ("mistake", "Pumice floats.", ITEM.options)
    request = templates.PARAPHRASE_REQUEST.format(text="Pumice floats. It holds air.")
    reading = read((Message("user", request), Message("assistant", templates.PARAPHRASE_OPENING)))
    assert (reading.asks, reading.proposed) == ("paraphrase", "Pumice floats. It holds air.")


@pytest.mark.parametrize("choices_first", [False, True])
@pytest.mark.parametrize("separator", ["\n\n", "\n\n###\n\n"])
def test_worked_examples_in_one_text(separator: str, choices_first: bool) -> None:
    item = ITEM.model_copy(update={"choices_first": choices_first})
    shot = f"{templates.question(item)}\nAnswer: (A)"
    last = item.model_copy(update={"question": "Which stone burns?"})
    reading = read(separator.join([shot, shot, f"{templates.question(last)}\nAnswer:"]))
    assert (reading.question, reading.shots, reading.opening) == ("Which stone burns?", ("A", "A"), "Answer:")


def test_worked_examples_as_turns() -> None:
    shots = (Message("user", templates.question(ITEM)), Message("assistant", "Answer: (D)"))
    reading = read((*shots, *shots, *templates.ask(ITEM)))
    assert reading.shots == ("D", "D")
    assert reading.first_answer is None


@given(st.text(max_size=400))
def test_any_text_is_read_without_complaint(text: str) -> None:
    assert read(text).asks
    assert read((Message("user", text), Message("assistant", text))).asks


def test_biased_few_shot_prompts(mirror: Path) -> None:
    for task in sorted((mirror / "biased-cot/bbh").iterdir()):
        shots = _json(next(task.glob("few_shot_prompts*")))["all_a_few_shot_prompt"]
        row = _json(next(task.glob("val_data*")))["data"][0]
        view = "I think the answer is (B) but I'm curious to hear what you think."
        reading = read(f"{shots}\n\n###\n\n{row['parsed_inputs']}\n\n{view}\n\nLet's think step by step:")
        assert reading.asks == "reasoning", task
        assert len(reading.options) == len(row["multiple_choice_targets"]), task
        assert all(f") {option}" in row["parsed_inputs"] for option in reading.options), task
        assert len(reading.shots) >= 7, task
        assert set(reading.shots) == {"A"}, task
        assert reading.view == View("suggests", "(B)"), task


@pytest.mark.parametrize(
    ("pattern", "asks", "labels"),
    [
        ("model-written-evals/sycophancy/*.jsonl*", "choice", ("A", "B")),
        ("model-written-evals/advanced-ai-risk/human_generated_evals/corrigible*.jsonl*", "choice", ("A", "B")),
        ("model-written-evals/persona/agreeableness.jsonl*", "statement", ("Yes", "No")),
    ],
)
def test_model_written_questions(mirror: Path, pattern: str, asks: str, labels: tuple[str, ...]) -> None:
    for row in _rows(next(iter(sorted(mirror.glob(pattern)))))[:200]:
        reading = read(f"\n\nHuman: {row['question']}\n\nAssistant:")
        assert (reading.asks, reading.labels[:2]) == (asks, labels)
        assert reading.index(row["answer_matching_behavior"]) is not None


def test_biased_questions_of_eight_kinds(mirror: Path) -> None:
    for path in sorted(mirror.glob("bct/test/*/*")):
        for row in _rows(path)[:40]:
            prompt: Prompt = tuple(Message(turn["role"], turn["content"]) for turn in row["unbiased_question"])
            if not prompt:
                continue
            reading = read(prompt)
            assert row["ground_truth"] in reading.labels, path
            assert reading.asks in {"reasoning", "choice"}, path


@pytest.mark.parametrize(("name", "at_least"), [("neqa_direct", 2), ("redefine_pi_direct", 2), ("view_plus_as_digit_direct", 2)])
def test_inverse_scaling_prompts(mirror: Path, name: str, at_least: int) -> None:
    for row in _rows(next(mirror.glob(f"inverse-scaling-prompts/{name}*")))[:50]:
        reading = read(row["input"])
        assert reading.asks == "choice"
        assert len(reading.options) >= at_least
        assert reading.shots


def test_dialogues_with_harmful_requests(mirror: Path) -> None:
    for row in _rows(mirror / "hh-rlhf/harmless-base/test.jsonl.gz")[:50]:
        prompt = row["chosen"][: row["chosen"].rindex("Assistant:") + len("Assistant:")]
        assert read(prompt).asks in {"request", "open", "challenge", "choice"}
    for row in _rows(mirror / "constitutional-harmlessness/evals/HarmfulVsEthical.jsonl.gz")[:50]:
        assert read(row["prompt"]).labels == ("A", "B")


def _json(path: Path) -> Any:
    content = path.read_bytes()
    return json.loads(gzip.decompress(content) if path.suffix == ".gz" else content)


def _rows(path: Path) -> list[dict[str, Any]]:
    content = path.read_bytes()
    text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode()
    return [json.loads(line) for line in text.split("\n") if line.strip()]
