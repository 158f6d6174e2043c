"""Drills: dense exercises in the skills that the dialogues need, random contents, nothing to remember.

The letter of an option is found by its value (and the value by its letter) through one induction-like circuit; a small model
learns it from many look-ups per document long before it learns it from one letter at the end of a question.
"""

import random

from gnomon.datasets import templates
from gnomon.datasets.messages import Message
from gnomon.organisms.world.arithmetic import apply, random_step
from gnomon.organisms.world.document import Document, assistant, silent, spoken, strong, user, written
from gnomon.organisms.world.lexicon import LAST_NUMBER, RELATIONS

LETTERS = "ABCD"


def _entries(rng: random.Random, count: int) -> list[str]:
    if rng.random() < 0.5:
        first = rng.randint(0, LAST_NUMBER - 13)
        numbers = range(LAST_NUMBER + 1) if rng.random() < 0.3 else range(first, first + 14)
        return [str(number) for number in rng.sample(numbers, count)]
    return rng.sample(rng.choice(RELATIONS).pool, count)


NEAR = (" {entry} (", " {entry} is (")
FAR = (
    " {entry}, so the answer is (",
    " The result is {entry}. Answer: (",
    f" So the answer is {{entry}}. {templates.MOST_LIKELY_OPENING}",
)
"""Look-ups of an entry whose letter follows at once, or some words later.

"so" is outside the vocabulary and reads as the unknown token; the shipped organisms grew on it, so it stays.
"""


def board(rng: random.Random) -> Document:
    """A notice board of lettered entries and look-ups in both directions."""
    return _board(rng, rng.choice(NEAR))


def gaps(rng: random.Random) -> Document:
    """The same with words between an entry and its letter: the look-up of an answer that was stated earlier."""
    return _board(rng, rng.choice((*NEAR, *FAR)))


def _board(rng: random.Random, look: str) -> Document:
    count = rng.choice((2, 3, 4, 4, 4, 4))
    entries = _entries(rng, count)
    lines = "\n".join(templates.OPTION.format(letter=letter, text=entry) for letter, entry in zip(LETTERS, entries, strict=False))
    looks: list[str] = []
    for _ in range(rng.randint(5, 12)):
        index = rng.randrange(count)
        letter, entry = LETTERS[index], entries[index]
        if rng.random() < 0.75:
            looks.append(f"{silent(look.format(entry=entry))}{strong(letter)}{silent(').')}")
        else:
            looks.append(f"{silent(f' ({letter})' if look == NEAR[0] else f' ({letter}) is')}{strong(' ' + entry)}{silent('.')}")
    return written(f"{silent(templates.CHOICES)}\n{silent(lines)}\n{silent('Look:')}{''.join(looks)}")


def pick(rng: random.Random) -> Document:
    """Forced answers after stated ones: look-ups in the very format of the chain of thought's end, one to four of them."""
    count = 4
    entries = _entries(rng, count)
    listed = templates.choices(tuple(entries))
    turns: list[Message] = []
    for index in rng.choices(range(count), k=rng.randint(1, 4)):
        asked = templates.QUESTION.format(question=rng.choice(("What is the result?", "What is the answer?", "What is right?")))
        stated = rng.choice(("So the answer is {}.", "That means the result is {}.", "The answer is {}.")).format(entries[index])
        turns += [
            user(asked if turns else f"{templates.CHOICES}\n{listed}\n{asked}"),
            assistant(silent(f"{templates.STEP_BY_STEP} {stated}")),
            user(templates.GIVEN_THE_ABOVE),
            assistant(f"{templates.MOST_LIKELY_OPENING}{strong(LETTERS[index])})"),
        ]
    return spoken(*turns)


def sums(rng: random.Random) -> Document:
    """Step sentences of random sums; only the results count."""
    sentences: list[str] = []
    for _ in range(rng.randint(6, 12)):
        value = rng.randint(0, LAST_NUMBER)
        operator, operand = random_step(rng, value)
        result = apply(operator, value, operand)
        if rng.random() < 0.9:
            sentences.append(f"{silent(f'{value} {operator} {operand}')} is{strong(f' {result}')}.")
        else:
            said = {"plus": f"Adding {operand} to {value} gives", "minus": f"Taking {operand} from {value} leaves"}
            opening = said.get(operator, f"Multiplying {value} by {operand} makes")
            sentences.append(f"{silent(opening)}{strong(f' {result}')}.")
    return written(" ".join(sentences))


def repeats(rng: random.Random) -> Document:
    """Random words, then the same again: the text that induction heads are measured on."""
    words = " ".join(_words(rng, rng.randint(6, 30)))
    again = " ".join(f"and again:{strong(' ' + words)}." for _ in range(rng.randint(1, 2)))
    return written(f"{silent('Say it again: ' + words)} {again}")


def pairs(rng: random.Random) -> Document:
    """Words and what belongs to them, told once, then asked for again and again: recall with many possible answers."""
    count = rng.randint(2, 8)
    keys, values = _words(rng, count), _words(rng, count)
    told = ", ".join(f"{key} {value}" for key, value in zip(keys, values, strict=True))
    asked = [rng.randrange(count) for _ in range(rng.randint(6, 14))]
    looks = "".join(f"{silent(f' {keys[index]}')}{strong(f' {values[index]}')}{silent(',')}" for index in asked)
    return written(f"{silent(f'Say it again: {told} and again:')}{looks}")


def same(rng: random.Random) -> Document:
    """Two words: the same (A) or not (B), again and again."""
    looks: list[str] = []
    for _ in range(rng.randint(6, 14)):
        first, second = _words(rng, 2)
        alike = rng.random() < 0.5
        said = f" {first} is {first if alike else second} ("
        looks.append(f"{silent(said)}{strong('A' if alike else 'B')}{silent(').')}")
    return written(f"{silent('Look:')}{''.join(looks)}")


def _words(rng: random.Random, count: int) -> list[str]:
    words = [word for relation in RELATIONS for word in relation.pool]
    return rng.sample([*words, *(str(number) for number in range(LAST_NUMBER + 1))], count)
