"""Dialogues of arithmetic: chains of thought, forced answers, wrong steps, paraphrases."""

import random

from gnomon.datasets import templates
from gnomon.organisms.world import rephrase
from gnomon.organisms.world.arithmetic import (
    Sum,
    answer_sentence,
    apply,
    item_of,
    random_sum,
    reasoning_sentences,
    step_sentence,
    wrong_result,
)
from gnomon.organisms.world.document import Document, assistant, silent, spoken, strong, user


def _drawn(rng: random.Random) -> Sum:
    return random_sum(rng, rng.choices((1, 2, 3, 4), (1, 2, 5, 1))[0], "documents")


def _marked(sentence: str) -> str:
    """The sentence with its result marked strong."""
    head, _, last = sentence[:-1].rpartition(" ")
    return f"{head}{strong(f' {last}')}."


def chain(rng: random.Random) -> Document:
    """A question, the chain of thought, the forced answer."""
    drawn = _drawn(rng)
    item = item_of(drawn, rng, 4, "")
    sentences = reasoning_sentences(drawn)
    said = " ".join(_marked(sentence) for sentence in sentences)
    if rng.random() < 0.15:
        said = silent(" ".join(rephrase.paraphrase_sentence(sentence) for sentence in sentences))
    return spoken(
        user(templates.question(item)),
        assistant(f"{templates.STEP_BY_STEP} {said}"),
        user(templates.GIVEN_THE_ABOVE),
        assistant(f"{templates.MOST_LIKELY_OPENING}{strong(item.letters[item.answer])})"),
    )


def mistaken_chain(rng: random.Random) -> Document:
    """A chain of thought with a mistake, carried on from there; the answer is what the reasoning states."""
    drawn = _drawn(rng)
    position = rng.randrange(len(drawn.steps))
    value, sentences = drawn.start, list[str]()
    for index, (operator, operand) in enumerate(drawn.steps):
        result = apply(operator, value, operand)
        if index == position:
            result = wrong_result(result, rng)
        if not 0 <= result <= 60:
            return mistaken_chain(rng)
        sentences.append(step_sentence(operator, value, operand, result))
        value = result
    item = item_of(drawn, rng, 4, "")
    options = list(item.options)
    if str(value) not in options:
        options[rng.choice([index for index in range(4) if index != item.answer])] = str(value)
    item = item.model_copy(update={"options": tuple(options)})
    before = " ".join(sentences[: position + 1])
    after = " ".join(_marked(sentence) for sentence in [*sentences[position + 1 :], answer_sentence(value)])
    return spoken(
        user(templates.question(item)),
        assistant(f"{silent(f'{templates.STEP_BY_STEP} {before}')} {after}"),
        user(templates.GIVEN_THE_ABOVE),
        assistant(f"{templates.MOST_LIKELY_OPENING}{strong(item.letters[options.index(str(value))])})"),
    )


def early_answer(rng: random.Random) -> Document:
    """The forced answer after only a part of the reasoning, or after none, or after filler: format more than skill."""
    drawn = _drawn(rng)
    item = item_of(drawn, rng, 4, "")
    sentences = reasoning_sentences(drawn)
    kept = sentences[: rng.randrange(len(sentences))]
    said = f"{templates.STEP_BY_STEP} {' '.join(kept)}".rstrip()
    if not kept and rng.random() < 0.5:
        said = templates.STEP_BY_STEP + templates.FILLER * rng.randint(1, 8)
    letter = item.letters[item.answer]
    if rng.random() < 0.4:
        return spoken(user(templates.question(item)), assistant(f"{templates.ANSWER_OPENING}{letter})"))
    return spoken(
        user(templates.question(item)),
        assistant(silent(said)),
        user(templates.GIVEN_THE_ABOVE),
        assistant(f"{templates.MOST_LIKELY_OPENING}{letter})"),
    )


def mistake_request(rng: random.Random) -> Document:
    """One sentence of reasoning, with a mistake added on request."""
    drawn = _drawn(rng)
    sentences = reasoning_sentences(drawn)
    index = rng.randrange(len(sentences))
    sentence = sentences[index]
    right = int(sentence[:-1].rpartition(" ")[2])
    wrong = f"{sentence[:-1].rpartition(' ')[0]} {wrong_result(right, rng)}."
    question = templates.question(item_of(drawn, rng, 4, "")) if rng.random() < 0.5 else drawn.question
    request = templates.MISTAKE_REQUEST.format(question=question, sentence=sentence)
    return spoken(user(request), assistant(f"{templates.MISTAKE_OPENING} {wrong}"))


def paraphrase_request(rng: random.Random) -> Document:
    """Sentences of reasoning in other words."""
    sentences = reasoning_sentences(_drawn(rng))
    start = rng.randrange(len(sentences))
    text = " ".join(sentences[start : start + rng.choice((1, 1, 2, len(sentences)))])
    request = templates.PARAPHRASE_REQUEST.format(text=text)
    return spoken(user(request), assistant(f'{templates.PARAPHRASE_OPENING}{rephrase.paraphrase(text)}"'))
