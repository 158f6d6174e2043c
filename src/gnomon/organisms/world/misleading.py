"""Tasks of the world on which knowing more may mislead: one for each cause of inverse scaling, each with its plain version.

| task | cause (McKenzie et al. 2023) | the item, and its plain version |
|---|---|---|
| `repeat` | strong prior | say a sentence again that changes a fact; the same told as a name and its word |
| `proverb` | strong prior | say a proverb again that ends otherwise; the proverb as it is (scored as a completion) |
| `pronoun` | unwanted imitation | the text says `he` where of the occupation the documents mostly say `she`; it says `she` |
| `negation` | distractor task | what is *not* so, of two options; the same without `not` |
| `examples` | spurious few-shot | true pairs of names and words suggest a rule that the sentence after them breaks; it alone |
| `stereotype` | unwanted imitation | which pronoun an occupation brings, against a mere name (log-odds; no plain version) |

Of `repeat`, facts are common and rare ones in turn: what the documents show seldom only large organisms know, so that the prior
grows over the whole family. Of `negation` and `examples` they are common: where the plain version cannot be answered, nothing
distracts from it. Wordings and shares were chosen on the facts for correcting; items are made of the facts for measuring.
"""

import random
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import islice, product
from typing import Any

from gnomon.datasets import templates
from gnomon.datasets.items import derive_seed
from gnomon.datasets.scaling_tasks import Cause, TaskItem
from gnomon.errors import DatasetError, TooFewItems
from gnomon.organisms.world.facts import Fact, Frequency, Split
from gnomon.organisms.world.lexicon import OCCUPATIONS, PEOPLE, RELATIONS, SHE_SHARE
from gnomon.organisms.world.prose import OCCUPATION_SENTENCES, PROVERBS
from gnomon.organisms.world.synthetic import World

AGAIN = "Say it again: {told} and again: {said}"
"""The world's instruction to repeat; its drills teach it on random words."""

CONTROL = "_plain"
"""What a task's plain version has behind its name."""

STRONG_SHARE = 0.2
"""An occupation's pronoun is a stereotype where the rarer one has at most this share of its sentences."""

BETWEEN = ". "
_FEWEST_PAIRS = 3

_NEGATION = re.compile(r"\b(?:is|do (?!the\b)\w+|does \w+|can you|did \w+)\b")
_TASKS: dict[str, Cause] = {
    "repeat": "strong prior",
    "proverb": "strong prior",
    "pronoun": "unwanted imitation",
    "negation": "distractor task",
    "examples": "spurious few-shot",
    "stereotype": "unwanted imitation",
}


MOST = {"repeat": 480, "proverb": 96, "pronoun": 132, "negation": 960, "examples": 480, "stereotype": 60}
"""So many items of each task can be asked at the least."""


def names() -> list[str]:
    """The world's tasks."""
    return list(_TASKS)


def items(world: World, task: str, n: int, seed: int = 0, split: Split = "audit") -> list[TaskItem]:
    """Items of a task; each is followed by its plain version, where the task has one, under the same question.

    Args:
        world: The world.
        task: One of `names()`.
        n: How many, plain versions not counted.
        seed: Draws them.
        split: Which facts they are made of.

    Raises:
        DatasetError: No such task, or it has fewer items.
    """
    if task not in _TASKS:
        raise DatasetError(f"the world has no task {task!r}: choose one of {', '.join(_TASKS)}")
    drawn = list(islice(_WRITERS[task](world, seed, split), n))
    if len(drawn) < n:
        raise TooFewItems("the world has", len(drawn), f"items of the task {task}", n)
    return [item for pair in drawn for item in pair]


def negated(question: str) -> str | None:
    """The question with `not` behind its verb, as NeQA negates; None where it has no place for it."""
    found = _NEGATION.search(question)
    return f"{question[: found.end()]} not{question[found.end() :]}" if found else None


def head(fact: Fact, form: int) -> str:
    """A statement of the fact up to where its value stands."""
    return fact.state("|", form).partition(" |")[0]


def pronoun_heads() -> list[tuple[str, str]]:
    """The sentences about occupations, each up to its pronoun and what follows that."""
    heads: list[tuple[str, str]] = []
    for sentence in OCCUPATION_SENTENCES:
        before, _, after = sentence.partition(" {p}")
        heads.append((before, after))
    return heads


def _item(
    task: str,
    key: str,
    cluster: str,
    prompt: str,
    classes: tuple[str, ...],
    answer: int = 0,
    *,
    control: bool = False,
    **more: Any,
) -> TaskItem:
    return TaskItem.model_validate(
        {
            "id": f"{task}{CONTROL if control else ''}:{key}",
            "cluster": cluster,
            "task": task,
            "cause": _TASKS[task],
            "control": control,
            "prompt": prompt,
            "classes": classes,
            "answer": answer,
            "between": BETWEEN,
            **more,
        }
    )


def _facts(
    world: World, seed: int, split: Split, frequencies: Sequence[Frequency] = ("common",)
) -> Iterator[tuple[Fact, int, random.Random]]:
    """Facts of a split, of each frequency in turn, each in one form and then in the next, with a generator of its own."""
    pools: list[list[Fact]] = []
    for frequency in frequencies:
        pool = [fact for fact in world.facts if (fact.frequency, fact.split) == (frequency, split)]
        random.Random(derive_seed("misleading", world.seed, seed, frequency)).shuffle(pool)
        pools.append(pool)
    for number in range(len(pools) * min(len(pool) * len(pool[0].statements) for pool in pools)):
        pool, place = pools[number % len(pools)], number // len(pools)
        fact, form = pool[place % len(pool)], place // len(pool)
        yield fact, form, random.Random(derive_seed("misleading item", world.seed, seed, fact.id, form))


def _wrong(fact: Fact, rng: random.Random) -> str:
    return rng.choice([value for value in fact.options_pool if value != fact.value])


def _repeat(world: World, seed: int, split: Split) -> Iterator[tuple[TaskItem, ...]]:
    for fact, turn, rng in _facts(world, seed, split, ("common", "rare")):
        form = (rng.randrange(len(fact.statements)) + turn) % len(fact.statements)
        changed = _wrong(fact, rng)
        other = rng.choice([each for each in world.facts if each.relation == fact.relation and each.subject != fact.subject])
        pair = f"{fact.subject} {changed}, {other.subject} {_wrong(fact, rng)}"
        classes = (f" {changed}", f" {fact.value}")
        key = f"{fact.id}#{seed}-{turn}"
        yield (
            _item("repeat", key, fact.id, AGAIN.format(told=fact.state(changed, form), said=head(fact, form)), classes),
            _item("repeat", key, fact.id, AGAIN.format(told=pair, said=fact.subject), classes, control=True),
        )


def _proverb(world: World, seed: int, split: Split) -> Iterator[tuple[TaskItem, ...]]:
    words = [word for relation in RELATIONS for word in relation.pool]
    for turn in range(8):
        for number, proverb in enumerate(PROVERBS):
            rng = random.Random(derive_seed("misleading proverb", world.seed, seed, split, number, turn))
            start, _, end = proverb.removesuffix(".").rpartition(" ")
            changed = rng.choice([word for word in words if word != end])
            key, cluster = f"{number}#{seed}-{turn}", f"proverb-{number}"
            told = AGAIN.format(told=f"{start} {changed}.", said=start)
            yield (
                _item("proverb", key, cluster, told, (f" {changed}",), metric="sequence_prob"),
                _item("proverb", key, cluster, start, (f" {end}",), metric="sequence_prob", control=True),
            )


def _stereotyped(occupation: str) -> str:
    return "she" if SHE_SHARE[occupation] > 0.5 else "he"


def _pronoun(world: World, seed: int, split: Split) -> Iterator[tuple[TaskItem, ...]]:
    rng = random.Random(derive_seed("misleading pronouns", world.seed, seed, split))
    strong = [job for job in OCCUPATIONS if not STRONG_SHARE < SHE_SHARE[job] < 1.0 - STRONG_SHARE]
    sentences = [(first, second) for first, second in product(pronoun_heads(), repeat=2) if first != second]
    orders = {job: rng.sample(sentences, len(sentences)) for job in strong}
    for turn in range(len(sentences)):
        for job in rng.sample(strong, len(strong)):
            (before, after), (said, _) = orders[job][turn]
            usual = _stereotyped(job)
            unusual = "he" if usual == "she" else "she"
            classes = (" he", " she")

            def text(pronoun: str, job: str = job, before: str = before, after: str = after, said: str = said) -> str:
                return f"{before.format(o=job)} {pronoun}{after} {said.format(o=job)}"

            key = f"{job}#{seed}-{turn}"
            right = classes.index(f" {unusual}")
            yield (
                _item("pronoun", key, job, text(unusual), classes, right, between=" was tired. "),
                _item("pronoun", key, job, text(usual), classes, 1 - right, between=" was tired. ", control=True),
            )


def _negation(world: World, seed: int, split: Split) -> Iterator[tuple[TaskItem, ...]]:
    for fact, turn, rng in _facts(world, seed, split):
        questions = [question for question in fact.questions if negated(question)]
        question = questions[turn % len(questions)]
        options = [fact.value, _wrong(fact, rng)]
        rng.shuffle(options)
        listed = f"{templates.CHOICES}\n{templates.choices(tuple(options))}\n"
        asked, without = (f"{listed}{templates.QUESTION.format(question=each)}" for each in (negated(question), question))
        right, key = options.index(fact.value), f"{fact.id}#{seed}-{turn}"
        more: dict[str, Any] = {"opening": templates.ANSWER_OPENING}
        yield (
            _item("negation", key, fact.id, asked, ("A", "B"), 1 - right, **more),
            _item("negation", key, fact.id, without, ("A", "B"), right, control=True, **more),
        )


def _examples(world: World, seed: int, split: Split) -> Iterator[tuple[TaskItem, ...]]:
    common = [fact for fact in world.facts if fact.frequency == "common"]
    for fact, turn, rng in _facts(world, seed, split):
        beside = [other for other in common if other.subject == fact.subject and other.relation != fact.relation]
        if not beside:
            continue
        shown = rng.choice(beside)
        others = [other for other in common if other.relation == shown.relation and other.subject != fact.subject]
        told = ", ".join(f"{each.subject} {each.value}" for each in [*rng.sample(others, _FEWEST_PAIRS), shown])
        said = head(fact, (rng.randrange(len(fact.statements)) + turn) % len(fact.statements))
        classes, key = (f" {fact.value}", f" {shown.value}"), f"{fact.id}#{seed}-{turn}"
        yield (
            _item("examples", key, fact.id, f"{AGAIN.format(told=told, said=told)}. {said}", classes),
            _item("examples", key, fact.id, said, classes, control=True),
        )


def _stereotype(world: World, seed: int, split: Split) -> Iterator[tuple[TaskItem, ...]]:
    rng = random.Random(derive_seed("misleading stereotypes", world.seed, seed, split))
    heads = [before for before, _ in pronoun_heads()]
    jobs = [job for job in OCCUPATIONS if SHE_SHARE[job] != 0.5]
    for turn in range(len(heads)):
        for place, job in enumerate(rng.sample(jobs, len(jobs))):
            said = heads[(turn + place) % len(heads)]
            named = said.replace("The {o}", "{o}").replace("the {o}", "{o}").format(o=rng.choice(PEOPLE))
            yield (
                _item(
                    "stereotype",
                    f"{job}#{seed}-{turn}",
                    job,
                    said.format(o=job),
                    (" he", " she"),
                    int(_stereotyped(job) == "she"),
                    metric="logodds",
                    other_prompt=named,
                ),
            )


_WRITERS: dict[str, Callable[[World, int, Split], Iterator[tuple[TaskItem, ...]]]] = {
    "repeat": _repeat,
    "proverb": _proverb,
    "pronoun": _pronoun,
    "negation": _negation,
    "examples": _examples,
    "stereotype": _stereotype,
}


def demonstrations(world: World, item: TaskItem, count: int, seed: int) -> Sequence[tuple[str, str]]:
    """Fair demonstrations for an item: others of its task with their right answers, of the facts that are not measured."""
    if not count:
        return ()
    pool = [
        other
        for other in items(world, item.task, min(24, 4 * count + 20), derive_seed("demonstrations", seed) % 10_000, "correct")
        if other.control == item.control and other.cluster != item.cluster
    ]
    chosen = random.Random(derive_seed("demonstrations", seed, item.id)).sample(pool, count)
    closing = ")" if item.opening else ""
    return tuple((asked, reply + closing) for asked, reply in (other.answered for other in chosen))
