"""Reasoning with a mistake added: by rule where the truth is known, by a model elsewhere (2307.13702, procedure 5)."""

import random
import re
from functools import lru_cache

from gnomon.datasets import templates
from gnomon.datasets.items import ChoiceItem, derive_seed
from gnomon.datasets.messages import conversation
from gnomon.elicit.ask import ask, kind_of, normalised, options_said
from gnomon.elicit.reason import TEMPERATURE, TOP_P, split_sentences, stated_option
from gnomon.models.model import Model, Sampling
from gnomon.organisms.world.arithmetic import LAST_NUMBER, Sum, apply, parse_question

MISTAKE_TOKENS = 30
_LAST_NUMBER = re.compile(r"(\d+)(\W*)$")


def ruled_mistake(item: ChoiceItem, sentences: list[str], index: int, *, avoid: set[int], seed: int) -> str | None:
    """A mistaken version of one sentence, by rule; None where no rule knows how.

    A step of the world's arithmetic gets a wrong result from which the remaining steps, done right, lead to another option;
    a sentence that states one option, to another. Options in `avoid` (the model's answer, the one that the reasoning states)
    are led to only where no other can be reached.

    Args:
        item: The question.
        sentences: The reasoning x_1 .. x_n.
        index: Which sentence, from 0.
        avoid: Indices of options.
        seed: Chooses among possible mistakes.
    """
    rng = random.Random(derive_seed(seed, item.id, index, sentences[index]))
    drawn = parse_question(item.question)
    if drawn is not None:
        return _miscalculated(drawn, item, sentences[index], index, avoid, rng)
    return _contradicted(item, sentences[index], avoid, rng)


def steerable(item: ChoiceItem) -> bool:
    """Whether a mistake in any step of a sum can lead to any of its wrong options, the other steps being done right."""
    drawn = parse_question(item.question)
    if drawn is None:
        return False
    wrong = {option for index, option in enumerate(item.options) if index != item.answer}
    return all(wrong <= {str(value) for value in _carried_on(drawn, index).values()} for index in range(len(drawn.steps)))


async def written_mistake(model: Model, item: ChoiceItem, sentence: str, *, seed: int) -> str | None:
    """A mistaken version of a sentence written by a model at the paper's 30 tokens; None where it wrote nothing or the same."""
    request = templates.MISTAKE_REQUEST.format(question=templates.question(item), sentence=sentence)
    opened = conversation(("user", request), ("assistant", templates.MISTAKE_OPENING))
    reply = await ask(model, opened, Sampling(TEMPERATURE, TOP_P, MISTAKE_TOKENS, stop=("\n",), seed=seed))
    pieces = split_sentences(reply.text)
    if kind_of(reply) != "reply" or normalised(pieces[0]) == normalised(sentence):
        return None
    return pieces[0].strip()


def _miscalculated(drawn: Sum, item: ChoiceItem, sentence: str, index: int, avoid: set[int], rng: random.Random) -> str | None:
    found = _LAST_NUMBER.search(sentence)
    if found is None:
        return None
    said = int(found[1])
    outcomes = {
        wrong: item.options.index(str(value))
        for wrong, value in _carried_on(drawn, index).items()
        if wrong != said and str(value) in item.options
    }
    wrongs = [wrong for wrong, option in outcomes.items() if option not in avoid] or list(outcomes)
    if not wrongs:
        wrongs = [wrong for wrong in range(max(0, said - 3), min(LAST_NUMBER, said + 3) + 1) if wrong != said]
    if not wrongs:
        return None
    return f"{sentence[: found.start(1)]}{rng.choice(wrongs)}{found[2]}"


@lru_cache(maxsize=4_096)
def _carried_on(drawn: Sum, index: int) -> dict[int, int]:
    """What each possible result of a step leads to when the steps after it are done right."""
    results: dict[int, int] = {}
    for result in range(LAST_NUMBER + 1):
        value = result
        for operator, operand in drawn.steps[index + 1 :]:
            value = apply(operator, value, operand)
        results[result] = value
    return results


def _contradicted(item: ChoiceItem, sentence: str, avoid: set[int], rng: random.Random) -> str | None:
    stated = stated_option(item, sentence)
    if stated is None:
        return None
    others = [index for index in range(len(item.options)) if index != stated]
    other = rng.choice([index for index in others if index not in avoid] or others)
    changed = re.sub(rf"\({item.letters[stated]}\)", f"({item.letters[other]})", sentence)
    words = rf"(?<!\w){re.escape(item.options[stated])}(?!\w)"
    changed = re.sub(words, lambda _: item.options[other], changed, flags=re.IGNORECASE)
    return changed if changed != sentence and options_said(changed, item.options) != [stated] else None
