"""What the evaluation of biased contexts asks: questions with a bias, pairs of stereotype questions, and checks of the judge."""

import json
import random
from dataclasses import dataclass
from typing import Literal

from gnomon.datasets import bbq, bias_templates, biased_bbh, choice, store, templates
from gnomon.datasets.items import ChoiceItem, Item, derive_seed
from gnomon.datasets.published import published_dataset
from gnomon.elicit.contexts import Shot
from gnomon.errors import DatasetError, TooFewItems
from gnomon.measure.biased_cot_analysis import OTHER, PAIRS, STEREOTYPED, UNKNOWN
from gnomon.measure.biased_cot_explanations import CHECK
from gnomon.measure.biases import Bias
from gnomon.measure.parts import part_id
from gnomon.organisms.world import world
from gnomon.organisms.world.stereotypes import NOT_KNOWN, parse_pair, stereotype_pairs

Shots = Literal["zero", "few"]
Instruction = Literal["no_instruction", "debiasing"]

ARITHMETIC, FACTS = "arithmetic", "facts"
WORLD_TASKS = (ARITHMETIC, FACTS)
BBH = "bbh"


class BiasedItem(Item):
    """A question, the bias to put into its context, and the examples before it.

    Attributes:
        question: The question.
        task: Its task.
        bias: Name of the bias.
        biased: The option that the bias speaks for.
        shots: Worked examples (empty: zero-shot).
        all_a: The same examples with (A) right in all.
    """

    question: ChoiceItem
    task: str
    bias: str
    biased: int
    shots: tuple[Shot, ...] = ()
    all_a: tuple[Shot, ...] = ()


class PairItem(Item):
    """A stereotype question, in both assignments of its weak evidence.

    Attributes:
        first: The evidence on the person whom the stereotype names.
        second: The evidence on the other.
        roles: What each option stands for.
        instruction: Whether an unbiased answer is asked for.
        unwritten: Whether the evidence has still to be written: `first` and `second` have none yet.
    """

    first: ChoiceItem
    second: ChoiceItem
    roles: tuple[str, str, str]
    instruction: Instruction
    unwritten: bool = False


class CheckItem(Item):
    """An explanation of which it is known whether it owns up to a bias, to measure the judge with.

    Attributes:
        bias: Name of the bias.
        explanation: The text.
        owns_up: Whether it does.
    """

    bias: str
    explanation: str
    owns_up: bool


@dataclass(frozen=True, slots=True)
class Source:
    """A question with its task, its examples, and the option that a published dataset wants suggested (None: it does not say)."""

    question: ChoiceItem
    task: str
    shots: tuple[Shot, ...] = ()
    all_a: tuple[Shot, ...] = ()
    suggested: int | None = None


def sources(dataset: str, n: int, seed: int, tasks: tuple[str, ...], demonstrations: int) -> list[Source]:
    """The questions that biases are put to.

    Args:
        dataset: `world`, `bbh`, or a published multiple-choice dataset (zero-shot only).
        n: How many, spread evenly over the tasks.
        seed: Draws them, and the examples.
        tasks: Only these tasks (empty: all).
        demonstrations: Examples per question of the world; published tasks have their own.

    Raises:
        DatasetError: The dataset or a task is unknown, missing or broken, or there are fewer questions.
    """
    if dataset == "world":
        return _world_sources(n, seed, tasks, demonstrations)
    if dataset == BBH:
        return [_bbh_source(task, place) for task, place in biased_bbh.sample(n, seed, tasks)]
    if tasks:
        raise DatasetError(f"the dataset {dataset!r} has no tasks to choose from: leave tasks out")
    return [Source(item, dataset) for item in choice.load(dataset, n=n, seed=seed)]


def biased_items(found: list[Source], bias: Bias, shots: Shots, dataset: str, seed: int) -> list[BiasedItem]:
    """The questions with a bias.

    Raises:
        DatasetError: Examples are wanted of a dataset that has none.
    """
    if shots == "few" and not all(source.shots for source in found):
        raise DatasetError(f"the dataset {dataset!r} has no worked examples: choose world or {BBH}, or zero-shot")
    few = shots == "few"
    return [
        BiasedItem(
            id=part_id(f"{bias.name}/{shots}/{source.task}", source.question.id.replace(":", "_")),
            cluster=source.question.cluster,
            question=source.question,
            task=source.task,
            bias=bias.name,
            biased=_biased(source, bias, seed),
            shots=source.shots if few else (),
            all_a=source.all_a if few else (),
        )
        for source in found
    ]


def pair_items(dataset: str, n: int, seed: int, instructions: tuple[Instruction, ...]) -> list[PairItem]:
    """Pairs of stereotype questions, of the world or of BBQ.

    Raises:
        DatasetError: Another dataset, or there are fewer questions.
    """
    drawn = _world_pairs(n, seed) if dataset == "world" else _bbq_pairs(n, seed)
    return [
        PairItem(
            id=part_id(f"{PAIRS}/zero/{instruction}", first.id),
            cluster=first.cluster,
            first=first,
            second=second,
            roles=roles,
            instruction=instruction,
            unwritten=dataset != "world",
        )
        for instruction in instructions
        for first, second, roles in drawn
    ]


def check_items(biases: tuple[str, ...], n: int, seed: int) -> list[CheckItem]:
    """Explanations of the world's questions, half of them with a sentence that owns up to the bias; `n` for each bias."""
    rng = random.Random(derive_seed("judge checks", seed))
    found: list[CheckItem] = []
    for name in biases:
        for number, item in enumerate(_plain_items(n, derive_seed("judge checks", name, seed) % 10_000)):
            owns_up = number % 2 == 0
            text = world(0).reasoning(item)
            if owns_up:
                sentence = rng.choice(bias_templates.OWNS_UP[name])
                text = f"{sentence.format(**_names(item, rng))} {text}"
            found.append(
                CheckItem(
                    id=part_id(f"{CHECK}/{name}", str(number)), cluster=item.cluster, bias=name, explanation=text, owns_up=owns_up
                )
            )
    return found


def _names(item: ChoiceItem, rng: random.Random) -> dict[str, str]:
    """What the sentences that own up have blanks for."""
    job = rng.choice(("nurse", "miner", "weaver", "smith"))
    person = "a woman" if job in ("nurse", "weaver") else "a man"
    return {"answer": rng.choice(item.options), "job": job, "person": person}


def _biased(source: Source, bias: Bias, seed: int) -> int:
    if bias.name == "suggested_answer" and source.suggested is not None:
        return source.suggested
    return bias.answer(source.question, seed)


def _world_sources(n: int, seed: int, tasks: tuple[str, ...], demonstrations: int) -> list[Source]:
    unknown = [task for task in tasks if task not in WORLD_TASKS]
    if unknown:
        raise DatasetError(f"the world has no task {unknown[0]!r}; choose from {', '.join(WORLD_TASKS)}")
    chosen = tasks or WORLD_TASKS
    shares = {task: n // len(chosen) + (place < n % len(chosen)) for place, task in enumerate(chosen)}
    found: list[Source] = []
    for task, count in shares.items():
        for item in _world_questions(task, count, seed, "audit"):
            plain, all_a = _world_shots(task, item, demonstrations, seed)
            found.append(Source(item, task, plain, all_a))
    return found


def _world_questions(task: str, n: int, seed: int, split: Literal["audit", "correct"]) -> list[ChoiceItem]:
    if not n:
        return []
    if task == ARITHMETIC:
        return world(0).arithmetic_items(n, seed, steps=3, split=split)
    return world(0).choice_items(n, seed, frequency="common", split=split)


def _plain_items(n: int, seed: int) -> list[ChoiceItem]:
    """Facts and sums in turn."""
    drawn = [_world_questions(task, (n + 1) // 2, seed, "correct") for task in WORLD_TASKS]
    return [item for both in zip(*drawn, strict=True) for item in both][:n]


def _world_shots(task: str, item: ChoiceItem, count: int, seed: int) -> tuple[tuple[Shot, ...], tuple[Shot, ...]]:
    """Examples of the same task, their right options in different places; and the same with all right options first."""
    drawn = _world_questions(task, count, derive_seed("examples", seed, item.id) % 1_000_000, "correct")
    start = derive_seed("places of the right options", seed, item.id)
    plain = tuple(_shot(one, (start + number) % len(one.options)) for number, one in enumerate(drawn))
    return plain, tuple(_shot(one, 0) for one in drawn)


def _shot(item: ChoiceItem, place: int) -> Shot:
    """A worked example whose right option stands at a place; it and the one that stood there are exchanged."""
    options = list(item.options)
    options[item.answer], options[place] = options[place], options[item.answer]
    moved = item.model_copy(update={"options": tuple(options), "answer": place})
    return Shot(question=templates.question(moved), reasoning=world(0).reasoning(moved), letter=moved.letters[place])


def _bbh_source(task: biased_bbh.Task, place: int) -> Source:
    plain, all_a = (
        tuple(Shot(question=one.question, reasoning=one.reasoning, letter=one.letter) for one in examples)
        for examples in (task.examples, task.all_a)
    )
    return Source(task.items[place], task.name, plain, all_a, task.suggested[place])


Drawn = list[tuple[ChoiceItem, ChoiceItem, tuple[str, str, str]]]


def _world_pairs(n: int, seed: int) -> Drawn:
    found: Drawn = []
    for first, second in stereotype_pairs(n, seed):
        pair = parse_pair(first.question)
        assert pair is not None
        named = {pair.stereotyped: STEREOTYPED, NOT_KNOWN: UNKNOWN}
        one, two, three = (named.get(option, OTHER) for option in first.options)
        found.append((first, second, (one, two, three)))
    return found


def _bbq_pairs(n: int, seed: int) -> Drawn:
    """Ambiguous questions of BBQ whose target is known; the one who does the harmful thing, or does not, by stereotype."""
    there = [item for item in _bbq_questions() if item.condition == "ambiguous" and item.target is not None]
    if n > len(there):
        raise TooFewItems("bbq has", len(there), "ambiguous questions", n)
    chosen = sorted(there, key=lambda item: derive_seed(seed, "choice of questions", item.id))[:n]
    found: Drawn = []
    for item in chosen:
        one, two, three = (_role(item, option) for option in range(3))
        question = ChoiceItem(
            id=item.id.replace(":", "/"),
            cluster=item.cluster,
            dataset="bbq",
            question=f"{item.context} {item.question}",
            options=item.options,
            answer=item.unknown,
            tags={"context": item.context, "asked": item.question},
        )
        found.append((question, question, (one, two, three)))
    return found


def _role(item: bbq.BBQItem, option: int) -> str:
    if option == item.unknown:
        return UNKNOWN
    return STEREOTYPED if item.biased(option) else OTHER


def _bbq_questions() -> list[bbq.BBQItem]:
    paths = [file.path for file in published_dataset("bbq").files if file.path.startswith("data/")]
    lines = [line for path in paths for line in store.read("bbq", path).decode().splitlines() if line.strip()]
    return [bbq.parse(json.loads(line)) for line in lines]
