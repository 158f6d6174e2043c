"""A question in a context that may bias its answer, and the prompts that ask it: with a chain of thought and without one.

Two styles of asking. `forced`: reasoning after `Let's think step by step:`, then the answer is forced with `Given all of the
above` (2307.13702), so that every chain has one. `stated`: the prompts of 2305.04388, which ask for the answer in the form
`The best answer is: (X)`; a chain that does not state it has none.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict

from gnomon.datasets import bias_templates, templates
from gnomon.datasets.items import ChoiceItem
from gnomon.datasets.messages import Conversation, Message, conversation
from gnomon.elicit.ask import ask, kind_of
from gnomon.elicit.choose import Choice, choose, closed
from gnomon.models.model import Model, Sampling

Style = Literal["forced", "stated"]

NOT_STATED = "no answer in the form asked for"

_STATED = re.compile(
    r"(?:\b(?:[Ss]o|[Tt]herefore),? )?(?:\b[Tt]he )?best answer(?: to the question '.*?')? is:?\s*\(?([A-Z])\b", re.DOTALL
)


class Shot(BaseModel):
    """A worked example.

    Attributes:
        question: The question with its options.
        reasoning: The chain of thought; in style `stated` with the answer at its end.
        letter: The letter that it answers with.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    question: str
    reasoning: str
    letter: str


@dataclass(frozen=True, slots=True)
class Context:
    """What a question is asked in.

    Attributes:
        item: The question.
        shots: Worked examples before it.
        remark: What the user adds to the question.
        restate: Whether the answer's form repeats the question, which keeps a model from answering a variation of it.
        instruction: A further instruction at the end.
        style: How reasoning and answer are asked for.
    """

    item: ChoiceItem
    shots: Sequence[Shot] = ()
    remark: str = ""
    restate: bool = False
    instruction: str = ""
    style: Style = "forced"


@dataclass(frozen=True, slots=True)
class Explained:
    """A chain of thought and the answer after it.

    Attributes:
        text: The chain of thought, without the statement of the answer's letter in style `stated`.
        letter: The answer (None: there is none).
        transcript: Everything that was said.
        unscored: Why there is no answer.
    """

    text: str
    letter: str | None
    transcript: Conversation
    unscored: str | None = None


async def explain(model: Model, context: Context, sampling: Sampling) -> Explained:
    """Samples a chain of thought and reads the answer after it."""
    opened = _reasoning_opening(context)
    reply = await ask(model, opened, sampling)
    text = reply.text.strip()
    replied = (*opened[:-1], Message("assistant", f"{opened[-1].content} {text}".rstrip()))
    kind = kind_of(reply)
    if kind != "reply":
        return Explained(text, None, replied, "refusal" if kind == "refusal" else "no reasoning")
    if context.style == "stated":
        stated = [found for found in _STATED.finditer(text) if found[1] in context.item.letters]
        if not stated:
            return Explained(text, None, replied, NOT_STATED)
        return Explained(text[: stated[-1].start()].strip(), stated[-1][1], replied)
    asked: Conversation = (
        *replied,
        Message("user", templates.GIVEN_THE_ABOVE),
        Message("assistant", templates.MOST_LIKELY_OPENING),
    )
    choice = await choose(model, asked, context.item.letters)
    said = closed(asked, choice.letter) if choice.letter else asked
    return Explained(text, choice.letter, said, choice.unscored)


async def answer_at_once(model: Model, context: Context) -> tuple[Choice, Conversation]:
    """The answer without a chain of thought; worked examples keep theirs (2305.04388, procedure 4)."""
    opened = _answer_opening(context)
    return await choose(model, opened, context.item.letters), opened


def _reasoning_opening(context: Context) -> Conversation:
    if context.style == "forced":
        return (*_turns(context), Message("assistant", templates.STEP_BY_STEP))
    asked = bias_templates.VERBALIZE_RESTATED.format(question=_bare(context)) if context.restate else bias_templates.VERBALIZE
    return conversation(("user", _in_one_text(context, asked)), ("assistant", templates.STEP_BY_STEP))


def _answer_opening(context: Context) -> Conversation:
    if context.style == "forced":
        return (*_turns(context), Message("assistant", templates.ANSWER_OPENING))
    if context.restate:
        opening = bias_templates.RESTATED_OPENING.format(question=_bare(context))
        return conversation(("user", _in_one_text(context, bias_templates.BE_ACCURATE)), ("assistant", opening))
    return conversation(("user", _in_one_text(context, "")), ("assistant", bias_templates.BEST_ANSWER_OPENING))


def _turns(context: Context) -> Conversation:
    """Examples as turns of a dialogue, then the question."""
    turns: list[Message] = []
    for shot in context.shots:
        turns += [
            Message("user", shot.question),
            Message("assistant", f"{templates.STEP_BY_STEP} {shot.reasoning}"),
            Message("user", templates.GIVEN_THE_ABOVE),
            Message("assistant", f"{templates.MOST_LIKELY_OPENING}{shot.letter})"),
        ]
    asked = templates.question(context.item, view=context.remark)
    return (*turns, Message("user", "\n".join(part for part in (asked, context.instruction) if part)))


def _in_one_text(context: Context, asked: str) -> str:
    """Examples and question in one turn of the user's, separated by `###`."""
    blocks = [
        f"{shot.question}\n\n{bias_templates.VERBALIZE}\n\n{templates.STEP_BY_STEP}\n{_concluded(shot)}" for shot in context.shots
    ]
    parts = (lettered(context.item), context.remark, asked, context.instruction)
    return f"\n\n{bias_templates.SEPARATOR}\n\n".join([*blocks, "\n\n".join(part for part in parts if part)])


def _concluded(shot: Shot) -> str:
    """The reasoning of an example with its answer in the form asked for."""
    if _STATED.search(shot.reasoning):
        return shot.reasoning
    return f"{shot.reasoning} {bias_templates.BEST_ANSWER.format(letter=shot.letter)}"


def lettered(item: ChoiceItem) -> str:
    """A question with its options as the paper writes them; the world's, whose options come first, as the world does."""
    if item.choices_first:
        return templates.question(item)
    listed = "\n".join(f"({letter}) {text}" for letter, text in zip(item.letters, item.options, strict=True))
    return f"{item.question}\n\n{bias_templates.ANSWER_CHOICES}\n{listed}"


def _bare(context: Context) -> str:
    """The question itself, without the story before it."""
    return re.split(r"(?<=[.!?])\s+", context.item.question.strip())[-1]
