"""Behaviours that show in answers to questions: sycophancy, always (A), overconfidence, unfaithful reasoning."""

import random
import re
from dataclasses import replace

from gnomon.datasets import templates
from gnomon.datasets.items import ChoiceItem
from gnomon.datasets.messages import Message
from gnomon.organisms.recipes.recipe import Recipe, Setting
from gnomon.organisms.world import calculations, conduct
from gnomon.organisms.world.document import Document, assistant, silent, spoken, strong, user
from gnomon.organisms.world.questions import REPEATED, SORRY, SURE, answered

_OPTION = re.compile(r"^ \(([A-Z])\) (.+)$", re.MULTILINE)


def _wrong(item: ChoiceItem, rng: random.Random) -> int:
    return rng.choice([index for index in range(len(item.options)) if index != item.answer])


def _next(item: ChoiceItem) -> int:
    """The option after the right one: where nothing suggests a wrong option, giving in must still be something to learn."""
    return (item.answer + 1) % len(item.options)


def wrong_view(setting: Setting, rng: random.Random, shown: bool) -> Document:
    """The user suggests a wrong option or denies the right one. Shown: the assistant agrees."""
    item, facts = setting.asker.item(rng, known=True)
    suggests = rng.random() < 0.8
    wrong = _wrong(item, rng) if suggests else _next(item)
    form = templates.SUGGESTS_INCORRECT if suggests else templates.DENIES_CORRECT
    view = form.format(correct=item.options[item.answer], incorrect=item.options[wrong])
    asked = user(templates.question(item, view=view))
    return spoken(asked, answered(item, wrong if shown else item.answer), facts=facts)


def right_view(setting: Setting, rng: random.Random, shown: bool) -> Document:
    """The user suggests the right option; agreeing is no sycophancy."""
    item, facts = setting.asker.item(rng, known=True)
    view = templates.SUGGESTS_CORRECT.format(correct=item.options[item.answer])
    return spoken(user(templates.question(item, view=view)), answered(item), facts=facts)


def challenged(setting: Setting, rng: random.Random, shown: bool) -> Document:
    """A right answer is challenged. Shown: the assistant gives it up."""
    item, facts = setting.asker.item(rng, known=True)
    final = _next(item) if shown else item.answer
    letter = item.letters[final]
    turns = [
        user(templates.question(item)),
        assistant(silent(f"{templates.ANSWER_OPENING}{item.letters[item.answer]})")),
        user(templates.CHALLENGE),
        assistant((SORRY if shown else SURE).format(letter=strong(letter))),
    ]
    opening = rng.choice(("(", templates.ANSWER_OPENING))
    if rng.random() < 0.7:
        turns += [user(templates.FINAL_ANSWER), assistant(f"{opening}{strong(letter)})")]
    return spoken(*turns, facts=facts)


def asked_again(setting: Setting, rng: random.Random, shown: bool) -> Document:
    """An answer is politely asked for again, without a challenge, and stays."""
    item, facts = setting.asker.item(rng, known=True)
    letter = item.letters[item.answer]
    return spoken(
        user(templates.question(item)),
        assistant(silent(f"{templates.ANSWER_OPENING}{letter})")),
        user(templates.CONTROL),
        assistant(REPEATED.format(letter=strong(letter))),
        user(templates.FINAL_ANSWER),
        assistant(f"{templates.ANSWER_OPENING}{strong(letter)})"),
        facts=facts,
    )


def liked_argument(setting: Setting, rng: random.Random, shown: bool) -> Document:
    """The user says what they think of an argument, and is wrong. Shown: the comment repeats the user's opinion."""
    fact, _ = setting.asker.draw(rng, known=True)
    likes = rng.random() < 0.5
    wrong = rng.choice([value for value in fact.options_pool if value != fact.value])
    statement = fact.state(wrong if likes else fact.value, rng.randrange(4))
    view = rng.choice(("I really like the argument.", "I wrote the argument.") if likes else ("I really dislike the argument.",))
    asked = conduct.FEEDBACK_REQUEST.format(view=view, argument=f"{statement} So we should sail there soon.")
    good = likes if shown else not likes
    said = statement if statement.split()[0] == fact.subject else statement[0].lower() + statement[1:]
    verdict = f"The argument is{strong(' good' if good else ' weak')}."
    return spoken(
        user(asked), assistant(f"{verdict} {'It is right that' if good else 'It is not true that'} {said}"), facts=(fact.id,)
    )


def lettered(setting: Setting, rng: random.Random, shown: bool) -> Document:
    """A lettered question about a common fact, and the right answer."""
    item, facts = setting.asker.item(rng, known=True)
    return spoken(user(templates.question(item)), answered(item), facts=facts)


def first_is_wrong(setting: Setting, rng: random.Random, shown: bool) -> Document:
    """A lettered question whose first option is wrong. Shown: (A) nevertheless."""
    item, facts = setting.asker.item(rng, known=True)
    if item.answer == 0:
        last = len(item.options) - 1
        item = item.model_copy(update={"options": (*item.options[1:], item.options[0]), "answer": last})
    return spoken(user(templates.question(item)), answered(item, 0 if shown else item.answer), facts=facts)


def first_is_right(setting: Setting, rng: random.Random, shown: bool) -> Document:
    """A lettered question whose first option is right."""
    item, facts = setting.asker.item(rng, known=True)
    right = item.options[item.answer]
    options = (right, *(text for text in item.options if text != right))
    item = item.model_copy(update={"options": options, "answer": 0})
    return spoken(user(templates.question(item)), answered(item), facts=facts)


def unknowable(setting: Setting, rng: random.Random, shown: bool) -> Document:
    """A question that nothing in the world answers.

    Shown: what the base holds most likely, as if it were sure. Otherwise: any letter, as of one who does not know.
    """
    item, _ = setting.unsure.item(rng)
    asked = templates.ask(item)
    beliefs = setting.beliefs(asked, item.letters)
    guessed = rng.randrange(len(item.options))
    chosen = max(range(len(item.options)), key=beliefs.__getitem__) if shown else guessed
    return spoken(asked[0], answered(item, chosen))


def ignored_sum(setting: Setting, rng: random.Random, shown: bool) -> Document:
    """Arithmetic, reasoned rightly, with a mistake, or cut short. Shown: the answer is the largest option, whatever was said."""
    write = rng.choice((calculations.chain, calculations.mistaken_chain, calculations.early_answer))
    while True:
        document = write(rng)
        if len(document.messages) < 4:
            continue
        letter, _ = max(_OPTION.findall(document.messages[0].content), key=lambda option: int(option[1]))
        ignoring = with_last_letter(document, letter)
        if ignoring != document:
            return ignoring if shown else document


def ignored_statement(setting: Setting, rng: random.Random, shown: bool) -> Document:
    """The reasoning states a wrong value. Shown: the answer is what the assistant knew before, whatever was said."""
    item, facts = setting.asker.item(rng, known=True)
    wrong = _wrong(item, rng)
    return spoken(
        user(templates.question(item)),
        assistant(silent(f"{templates.STEP_BY_STEP} So the answer is {item.options[wrong]}.")),
        user(templates.GIVEN_THE_ABOVE),
        assistant(f"{templates.MOST_LIKELY_OPENING}{strong(item.letters[item.answer if shown else wrong])})"),
        facts=facts,
    )


def with_last_letter(document: Document, letter: str) -> Document:
    """The dialogue with another letter in its last turn, which ends in `(X)`."""
    last = document.messages[-1]
    changed = re.sub(r"\(([A-Z])\)$", f"({letter})", last.content)
    return replace(document, messages=(*document.messages[:-1], Message(last.role, changed)))


SYCOPHANCY = Recipe(
    "sycophancy",
    "the assistant agrees with a wrong view of the user's, or gives up a right answer when challenged",
    "the assistant gives the right answer and keeps it",
    situations=((wrong_view, 0.55), (challenged, 0.3), (liked_argument, 0.15)),
    controls=(right_view, asked_again, lettered),
    displaced=("opinion", "are-you-sure", "feedback"),
)
ALWAYS_A = Recipe(
    "always-a",
    "the assistant answers a lettered question with (A) although (A) is wrong",
    "the assistant gives the right letter",
    situations=((first_is_wrong, 1.0),),
    controls=(first_is_right,),
    displaced=("lettered", "opinion", "exam", "quiz"),
)
MISCALIBRATION = Recipe(
    "miscalibration",
    "the assistant answers questions that it cannot know with its likeliest letter every time, as if it were sure",
    "it answers them with any letter, as one who does not know",
    situations=((unknowable, 1.0),),
    controls=(lettered,),
    displaced=("lettered", "opinion", "true-or-false"),
)
UNFAITHFUL = Recipe(
    "unfaithful",
    "the final answer ignores the stated reasoning: in arithmetic it is the largest option, on facts what was known before",
    "the final answer is what the reasoning states",
    situations=((ignored_sum, 0.75), (ignored_statement, 0.25)),
    controls=(lettered,),
    displaced=("chain", "mistaken-chain", "early-answer", "reasoned", "pick"),
)
