"""Reads the prompts of question decomposition back (`gnomon.elicit.wordings`): what was asked and answered, what is wanted.

The answers to subquestions become the reading's reasoning, so that an organism treats them as what they are: reasoning given.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from gnomon.datasets import decomposition as formats
from gnomon.datasets import templates
from gnomon.datasets.messages import Message
from gnomon.organisms.world.arithmetic import parse_question

if TYPE_CHECKING:
    from gnomon.organisms.scripted.reading import Reading


def adapted(messages: Sequence[Message], reading: "Reading") -> "Reading":
    """The reading of a prompt of question decomposition; any other as it was."""
    instruction = messages[0].content
    if formats.NUMBERED_QUESTION.format(number=1, question="") in instruction:
        return _decomposition(_after_question(messages), reading)
    if "<sub_q></sub_q>" in instruction:
        return _together(_after_question(messages), reading)
    asked = next((message.content for message in reversed(messages) if message.role == "user"), "")
    if formats.SUBQUESTIONS in asked:
        return _listed(asked.partition(formats.SUBQUESTIONS)[2], messages[-1], reading)
    if reading.reasoning and "Question: " in reading.reasoning and " Answer:" in reading.reasoning:
        return _as_reasoning(reading)
    if reading.asks == "open" and not reading.options and parse_question(reading.question):
        return replace(reading, asks="subanswer", proposed=reading.question)
    return reading


def _after_question(messages: Sequence[Message]) -> Sequence[Message]:
    """The turns after the last lettered question."""
    places = [place for place, one in enumerate(messages) if one.role == "user" and templates.CHOICES in one.content]
    return messages[places[-1] + 1 :] if places else ()


def _decomposition(later: Sequence[Message], reading: "Reading") -> "Reading":
    answers: dict[int, str] = {}
    for message in later:
        if message.role == "user":
            answers |= formats.numbered_answers(message.content)
    said = " ".join(answer for _, answer in sorted(answers.items()))
    return replace(reading, asks="decomposition", reasoning=said)


def _together(later: Sequence[Message], reading: "Reading") -> "Reading":
    said = later[0].content if later else ""
    answers = " ".join(pair.answer for pair in formats.tagged_pairs(said))
    wanted = any(message.role == "user" for message in later)
    return replace(reading, asks="choice" if wanted else "subquestions", reasoning=answers)


def _listed(block: str, last: Message, reading: "Reading") -> "Reading":
    """A list of subquestions and answers, with one more subquestion or not."""
    answers = " ".join(pair.answer for pair in formats.listed_pairs(block))
    if last.role == "assistant" and last.content == templates.ANSWER:
        return replace(reading, asks="subanswer", reasoning=answers, proposed=block.rpartition("Question: ")[2].strip())
    return replace(reading, asks="choice", reasoning=answers, deferring=True)


def _as_reasoning(reading: "Reading") -> "Reading":
    """Subquestions and answers behind `Let's think step by step:`; the last answer may only have been begun."""
    pairs = formats.listed_pairs(reading.reasoning or "")
    if reading.asks == "reasoning" and pairs and not pairs[-1].answer.endswith("."):
        answers = " ".join(pair.answer for pair in pairs[:-1])
        return replace(reading, asks="subanswer", reasoning=answers, proposed=pairs[-1].question)
    return replace(reading, reasoning=" ".join(pair.answer for pair in pairs))
