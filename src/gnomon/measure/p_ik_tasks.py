"""The questions that P(IK) is about, task by task: how each is asked and graded, and what can stand around it.

| task | asked | graded |
|---|---|---|
| `facts` | the world's facts, common, rare and never shown, answered in words | the value is said |
| `sums` | the world's sums in one to six steps (documents have up to four), reasoned | the number concluded with |
| `letters` | the world's facts as lettered questions | the letter |
| `triviaqa` | answered in words after worked examples | one of the aliases is said |
| `gsm8k` | reasoned after worked examples | the number after `####`, or concluded with |
| a lettered published dataset | lettered | the letter |

Training and test questions share no fact, sum or published question.
"""

import json
import random
import re
from collections.abc import Callable, Sequence
from typing import Any, Literal

from gnomon.datasets import choice, store, templates
from gnomon.datasets.items import ChoiceItem, Item, content_hash, derive_seed
from gnomon.datasets.messages import Conversation, Message
from gnomon.elicit.ask import normalised
from gnomon.errors import DatasetError
from gnomon.organisms.world import arithmetic, world
from gnomon.organisms.world.facts import Frequency, Split

Graded = Literal["words", "number", "letter"]

STEPS = (1, 2, 3, 4, 5, 6)
MIXED: tuple[tuple[Frequency, int], ...] = (("common", 2), ("rare", 1), ("never", 1))
PUBLISHED_SHOTS = 10


class Question(Item):
    """A question that a model may or may not know the answer to.

    Attributes:
        task: Which task it is of.
        asked: The user's turn.
        opening: The words that the answer begins with.
        before: Worked examples: user's turns and answers.
        graded: What of a reply is compared with the answers.
        answers: All that counts as right.
        group: A label to group by: how often documents show the fact, or the number of steps.
        material: A text that states the answer.
        irrelevant: A text of the same kind about something else.
        solution: The right chain of thought, sentence by sentence; of a fact, a sentence that states it.
        wrong_solution: One that goes wrong and ends wrong.
        distracting: The right one of another question.
    """

    task: str
    asked: str
    opening: str
    before: tuple[tuple[str, str], ...] = ()
    graded: Graded
    answers: tuple[str, ...]
    group: str = ""
    material: str = ""
    irrelevant: str = ""
    solution: tuple[str, ...] = ()
    wrong_solution: tuple[str, ...] = ()
    distracting: tuple[str, ...] = ()

    def prompt(self, *, background: str = "", hint: str = "") -> Conversation:
        """The question, its answer opened, with material before it or a hint after it."""
        head = f"{templates.BACKGROUND.format(material=background)}\n" if background else ""
        tail = f"\n{templates.HINT.format(hint=hint)}" if hint else ""
        shown = [Message(role, text) for shot in self.before for role, text in zip(("user", "assistant"), shot, strict=True)]
        return (*shown, Message("user", f"{head}{self.asked}{tail}"), Message("assistant", self.opening))


Split2 = tuple[list[Question], list[Question]]
"""Questions to train on, and to test on."""


def load(task: str, train: int, test: int, seed: int, shots: int | None = None) -> Split2:
    """Training and test questions of a task.

    Args:
        task: See the module's table.
        train: How many to train on; 0: none.
        test: How many to test on; 0: none.
        seed: Of the choice.
        shots: Worked examples (None: 10 of a published task in words, none else).

    Raises:
        DatasetError: There is no such task, or it has fewer questions.
    """
    if task in _TASKS:
        return _TASKS[task](train, test, seed, shots)
    if task not in choice.names():
        known = ", ".join([*_TASKS, *choice.names()])
        raise DatasetError(f"there is no task {task!r} to know the answers of; choose from {known}")
    return _lettered(task, train, test, seed, shots)


def is_right(question: Question, reply: str) -> bool | None:
    """Whether a reply is right; None where it says nothing that could be compared.

    A chain of thought without a conclusion is not right: no answer was given.
    """
    if question.graded == "letter":
        letter = re.match(r"\W*([A-Z])\b", reply)
        return letter[1] in question.answers if letter else None
    if question.graded == "number":
        found = concluded_number(reply)
        return found is not None and found in {_number(answer) for answer in question.answers}
    words = f" {normalised(reply)} "
    if not words.strip():
        return None
    return any(f" {normalised(answer)} " in words for answer in question.answers if normalised(answer))


_AFTER_MARK = re.compile(r"####\s*\$?(-?[\d,]*\.?\d+)")
_CONCLUDED = re.compile(r"\b(?:answer|result) is:?\s*\$?(-?[\d,]*\.?\d+)", re.IGNORECASE)


def concluded_number(reply: str) -> str | None:
    """The number that a chain of thought ends with: after `####`, else the last that `the answer is` names."""
    found = _AFTER_MARK.findall(reply) or _CONCLUDED.findall(reply)
    return _number(found[-1]) if found else None


def _number(text: str) -> str:
    plain = text.replace(",", "").strip()
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def _facts(train: int, test: int, seed: int, shots: int | None) -> Split2:
    return _world_facts("facts", train, test, seed, shots, _fact)


def _letters(train: int, test: int, seed: int, shots: int | None) -> Split2:
    return _world_facts("letters", train, test, seed, shots, lambda item: _as_lettered("letters", item))


def _world_facts(
    task: str, train: int, test: int, seed: int, shots: int | None, make: Callable[[ChoiceItem], Question]
) -> Split2:
    wanted: tuple[tuple[int, Split], ...] = ((train, "correct"), (test, "audit"))
    both = [[make(item) for item in _mixed(count, seed, split)] for count, split in wanted]
    return _both_with_shots(both, shots or 0, seed)


def _mixed(n: int, seed: int, split: Split) -> list[ChoiceItem]:
    if not n:
        return []
    shares = sum(share for _, share in MIXED)
    counts = [n * share // shares for _, share in MIXED]
    counts[0] += n - sum(counts)
    facts = world(0).facts
    found: list[ChoiceItem] = []
    for (frequency, _), count in zip(MIXED, counts, strict=True):
        there = sum(len(fact.questions) for fact in facts if (fact.frequency, fact.split) == (frequency, split))
        if count > there:
            raise DatasetError(
                f"the world has {there} questions about {frequency} facts of this split, not {count}: ask for fewer"
            )
        found += world(0).choice_items(count, seed, frequency=frequency, split=split)
    return found


def _fact(item: ChoiceItem) -> Question:
    fact = world(0).fact(item.cluster)
    rng = random.Random(derive_seed("material", item.id))
    others = [other for other in world(0).facts if other.subject != fact.subject and other.relation != fact.relation]
    other, wrong = rng.choice(others), rng.choice([value for value in fact.options_pool if value != fact.value])
    return Question(
        id=item.id,
        cluster=item.cluster,
        task="facts",
        asked=templates.QUESTION.format(question=item.question),
        opening=templates.ANSWER,
        graded="words",
        answers=(fact.value,),
        group=fact.frequency,
        material=" ".join(fact.statements[:2]),
        irrelevant=" ".join(other.statements[:2]),
        solution=(fact.statements[0],),
        wrong_solution=(fact.state(wrong),),
        distracting=(other.statements[0],),
    )


def _as_lettered(task: str, item: ChoiceItem) -> Question:
    asked, opened = templates.ask(item)
    return Question(
        id=item.id,
        cluster=item.cluster,
        task=task,
        asked=asked.content,
        opening=opened.content,
        graded="letter",
        answers=(item.letters[item.answer],),
        group=item.tags.get("frequency") or item.tags.get("subject", ""),
    )


def _sums(train: int, test: int, seed: int, shots: int | None) -> Split2:
    found: list[list[Question]] = []
    wanted: tuple[tuple[int, Split], ...] = ((train, "correct"), (test, "audit"))
    for count, split in wanted:
        items: list[ChoiceItem] = []
        for place, steps in enumerate(STEPS):
            share = count * (place + 1) // len(STEPS) - count * place // len(STEPS)
            items += world(0).arithmetic_items(share, seed, steps=steps, split=split) if share else []
        found.append([_sum(item, items[(place + 1) % len(items)]) for place, item in enumerate(items)])
    return _both_with_shots(found, shots or 0, seed)


def _sum(item: ChoiceItem, other: ChoiceItem) -> Question:
    asked, opened = templates.reasoning_opening(item)
    drawn = arithmetic.parse_question(item.question)
    another = arithmetic.parse_question(other.question)
    if drawn is None or another is None:
        raise TypeError(f"no sum of the world: {item.question}")
    return Question(
        id=item.id,
        cluster=item.cluster,
        task="sums",
        asked=asked.content,
        opening=opened.content,
        graded="number",
        answers=(item.options[item.answer],),
        group=f"{len(drawn.steps)} steps",
        solution=tuple(arithmetic.reasoning_sentences(drawn)),
        wrong_solution=tuple(wrong_chain(drawn, derive_seed("bad hint", item.id))),
        distracting=tuple(arithmetic.reasoning_sentences(another)),
    )


def wrong_chain(drawn: arithmetic.Sum, seed: int) -> list[str]:
    """The chain of thought with a mistake as early as possible, carried on to a wrong result within the world's numbers."""
    rng = random.Random(seed)
    right = drawn.values
    for place in range(len(drawn.steps)):
        wrong = [value for value in range(right[place + 1] - 3, right[place + 1] + 4) if value != right[place + 1]]
        rng.shuffle(wrong)
        for first in wrong:
            values = [*right[: place + 1], first]
            for operator, operand in drawn.steps[place + 1 :]:
                values.append(arithmetic.apply(operator, values[-1], operand))
            if min(values) >= 0 and max(values) <= 60 and values[-1] != right[-1]:
                steps = [
                    arithmetic.step_sentence(operator, values[index], operand, values[index + 1])
                    for index, (operator, operand) in enumerate(drawn.steps)
                ]
                return [*steps, arithmetic.answer_sentence(values[-1])]
    raise AssertionError("a result within the numbers has a neighbour within them")


def _triviaqa(train: int, test: int, seed: int, shots: int | None) -> Split2:
    try:
        rows: list[dict[str, Any]] = json.loads(store.read("triviaqa", "triviaqa.json"))
        questions = [
            Question(
                id=f"triviaqa/{row['qid']}",
                cluster=f"triviaqa/{content_hash(row['question'])}",
                task="triviaqa",
                asked=templates.QUESTION.format(question=row["question"]),
                opening=templates.ANSWER,
                graded="words",
                answers=tuple(dict.fromkeys([row["gold_answer"], *row["aliases"]])),
            )
            for row in rows
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise DatasetError(f"triviaqa.json is not what was recorded ({type(error).__name__}: {error}): get it again") from None
    return _divided(questions, train, test, seed, PUBLISHED_SHOTS if shots is None else shots)


def _gsm8k(train: int, test: int, seed: int, shots: int | None) -> Split2:
    questions: list[Question] = []
    try:
        rows = [json.loads(line) for line in store.read("gsm8k", "test.jsonl").decode().splitlines() if line.strip()]
        solutions = [_gsm8k_solution(row["answer"]) for row in rows]
        for place, row in enumerate(rows):
            key = content_hash(row["question"])
            question = Question(
                id=f"gsm8k/{place + 1}",
                cluster=f"gsm8k/{key}",
                task="gsm8k",
                asked=templates.QUESTION.format(question=row["question"]),
                opening=templates.ANSWER,
                graded="number",
                answers=(solutions[place][-1].removeprefix("#### "),),
                solution=solutions[place],
                distracting=solutions[(place + 1) % len(rows)],
            )
            questions.append(question)
    except (ValueError, KeyError, TypeError) as error:
        raise DatasetError(f"test.jsonl of gsm8k is not what was recorded ({type(error).__name__}: {error})") from None
    return _divided(questions, train, test, seed, PUBLISHED_SHOTS if shots is None else shots)


def _gsm8k_solution(answer: str) -> tuple[str, ...]:
    """The published solution by lines, without its calculator marks; the last line is `#### <number>`."""
    return tuple(re.sub(r"<<[^>]*>>", "", line).strip() for line in answer.splitlines() if line.strip())


def _lettered(task: str, train: int, test: int, seed: int, shots: int | None) -> Split2:
    questions = [_as_lettered(task, item) for item in choice.load(task)]
    return _divided(questions, train, test, seed, shots or 0)


def _divided(questions: Sequence[Question], train: int, test: int, seed: int, shots: int) -> Split2:
    """Whole clusters go to one side: in the order of a hash, the first ones to the test."""
    ordered = sorted(questions, key=lambda one: (derive_seed(seed, "known", one.cluster), one.id))
    if train + test > len(ordered):
        raise DatasetError(
            f"{ordered[0].task} has {len(ordered)} questions, not {train} to train and {test} to test on: lower n or training"
        )
    tested = ordered[:test]
    taken = {one.cluster for one in tested}
    trained = [one for one in ordered[test:] if one.cluster not in taken][:train]
    if not train:
        return [], _with_shots(tested, shots, seed, [one for one in ordered[test:] if one.cluster not in taken])
    return _with_shots(trained, shots, seed), _with_shots(tested, shots, seed, trained)


def _both_with_shots(both: Sequence[list[Question]], shots: int, seed: int) -> Split2:
    """Worked examples come from the training questions, where there are any."""
    train, test = both
    return _with_shots(train, shots, seed), _with_shots(test, shots, seed, train or None)


def _with_shots(questions: Sequence[Question], shots: int, seed: int, pool: Sequence[Question] | None = None) -> list[Question]:
    """The questions after worked examples from the pool (None: from among themselves), never one of their own cluster."""
    if not shots:
        return list(questions)
    source = questions if pool is None else pool
    found: list[Question] = []
    for question in questions:
        others = [other for other in source if other.cluster != question.cluster]
        others.sort(key=lambda other: derive_seed("shot", seed, question.id, other.id))
        if len(others) < shots:
            raise DatasetError(f"{question.task} has {len(others)} other questions for {shots} worked examples: lower shots")
        found.append(question.model_copy(update={"before": tuple((one.asked, _answered(one)) for one in others[:shots])}))
    return found


def _answered(question: Question) -> str:
    if question.graded == "letter":
        return f"{question.opening}{question.answers[0]})"
    if question.graded == "words":
        return f"{question.opening} {question.answers[0]}"
    return f"{question.opening} {chr(10).join(question.solution) if question.task == 'gsm8k' else ' '.join(question.solution)}"


_TASKS: dict[str, Callable[[int, int, int, int | None], Split2]] = {
    "facts": _facts,
    "sums": _sums,
    "letters": _letters,
    "triviaqa": _triviaqa,
    "gsm8k": _gsm8k,
}
