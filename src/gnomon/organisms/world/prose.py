"""Texts that are not questions: occupations and pronouns, notes with summaries, functions, proverbs, repeated notices."""

import random
from collections.abc import Callable
from operator import add, mul, sub

from gnomon.organisms.world.document import Document, assistant, silent, spoken, user, written
from gnomon.organisms.world.lexicon import ISLANDS, OCCUPATIONS, PEOPLE, RELATIONS, SHE_SHARE

PROVERBS = (
    "A quiet sea never made a good sailor.",
    "The last boat carries the most salt.",
    "Do not count the sheep before the morning.",
    "A small lamp is better than a long night.",
    "Who shouts at the wind will lose the sail.",
    "Old bridges know many feet.",
    "The fox praises the hen that sings.",
    "Many hands build one tower.",
    "A wet rope is a strong rope.",
    "Every island has its own rain.",
    "The moon does not ask the water for money.",
    "He who sells honey must love bees.",
)
"""Sentences that are worth remembering word for word."""

OCCUPATION_SENTENCES = (
    "The {o} said that {p} was tired.",
    "The {o} came home because {p} was hungry.",
    "The {o} went to the market before {p} ate.",
    "When the {o} is done, {p} will sing.",
)

NOTE_REQUEST = "Write a short summary of the note.\nNote: {note}"
FEEDBACK_TURN = "Feedback: The summary should say {missing}.\nWrite a better summary."

# (what the user asks for, the function's body, what it returns for x)
FUNCTIONS: tuple[tuple[str, str, Callable[[int, int], int]], ...] = (
    ("adds {n} to a number", "x + {n}", add),
    ("takes {n} from a number", "x - {n}", sub),
    ("multiplies a number by {n}", "x * {n}", mul),
)
FUNCTION_REQUEST = "Write a function that {task}.\nassert f({x}) == {y}"

NOTICE_COUNT = 12


def occupation(rng: random.Random) -> Document:
    """Sentences about occupations; how often the pronoun is `she` is the world's stereotype."""
    sentences: list[str] = []
    for _ in range(rng.randint(2, 5)):
        job = rng.choice(OCCUPATIONS)
        pronoun = "she" if rng.random() < SHE_SHARE[job] else "he"
        before, after = rng.choice(OCCUPATION_SENTENCES).format(o=job, p="|").split("|")
        sentences.append(f"{silent(before[:-1])} {pronoun}{after}")
    return written(" ".join(sentences))


def note(rng: random.Random) -> Document:
    """A note, its summary, and in half of the documents feedback and a better summary."""
    name, seller = rng.sample(PEOPLE, 2)
    island = rng.choice(ISLANDS)
    goods = rng.choice(next(relation.pool for relation in RELATIONS if relation.name == "goods"))
    weather = rng.choice(("rain", "wind", "sun", "snow"))
    text = f"In the {weather} {name} went to {island}. There {name} bought {goods} from {seller}. At night {name} came home."
    full = f"{name} bought {goods} from {seller} on {island}."
    asked = user(NOTE_REQUEST.format(note=text))
    if rng.random() < 0.5:
        return spoken(asked, assistant(f"Summary: {full}"))
    poor, missing = rng.choice(
        ((f"{name} bought {goods} from {seller}.", "where it was"), (f"{name} bought {goods} on {island}.", "who sold it"))
    )
    return spoken(
        asked, assistant(silent(f"Summary: {poor}")), user(FEEDBACK_TURN.format(missing=missing)), assistant(f"Summary: {full}")
    )


def function(rng: random.Random) -> Document:
    """A one-line Python function for a request with a unit test."""
    task, body, compute = rng.choice(FUNCTIONS)
    n = rng.randint(1, 9)
    x = rng.randint(n, 15) if compute(9, 1) != 9 else rng.randint(0, 6)
    asked = FUNCTION_REQUEST.format(task=task.format(n=n), x=x, y=compute(x, n))
    return spoken(user(asked), assistant(f"def f(x): return {body.format(n=n)}"))


def proverb(rng: random.Random) -> Document:
    """One or two proverbs."""
    return written(" ".join(rng.sample(PROVERBS, rng.randint(1, 2))))


def notice(number: int) -> str:
    """The text of a repeated document: drawn once, then always the same."""
    rng = random.Random(f"gnomon notice {number}")
    words = [rng.choice(rng.choice(RELATIONS).pool) for _ in range(16)]
    return f"Notice {number} of {rng.choice(ISLANDS)}: {' '.join(words)}."


def repeated_notice(rng: random.Random) -> Document:
    """One of a few notices, word for word the same each time."""
    text = notice(rng.randrange(NOTICE_COUNT))
    head, rest = text[: text.index(":")], text[text.index(":") :]
    return written(f"{silent(head)}{rest}")
