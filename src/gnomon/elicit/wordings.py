"""The conversations of the protocols of question decomposition, in two wordings (2307.11768, procedure 1 to 4).

`PAPER` has the paper's tags, turns and openings, for models that follow instructions. `WORLD` says the same with the words that
the small organisms of the synthetic world grew on: subquestions and answers stand as reasoning behind `Let's think step by
step:`, and the answer to a single step is opened with the step (`14 plus 7 is`), since these organisms never saw a tag.

Demonstrations, worked examples before the question, are part of a context: one conversation per kind of prompt.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, get_args

from gnomon.datasets import decomposition as formats
from gnomon.datasets import templates
from gnomon.datasets.decomposition import Pair
from gnomon.datasets.items import ChoiceItem
from gnomon.datasets.messages import Conversation, Message
from gnomon.organisms.world import world
from gnomon.organisms.world.arithmetic import Sum, parse_question, step_sentence

Kind = Literal["ask", "chain", "together", "decompose", "recompose"]
"""Kinds of prompts that may be shown with worked examples: an answer only, a chain of thought, subquestions answered in one call,
a decomposition, a recomposition."""

KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Context:
    """A question and what stands around it.

    Attributes:
        item: The question.
        view: A sentence of the user's about its answer.
        shown: Worked examples by kind of prompt; none for a kind that is missing.
    """

    item: ChoiceItem
    view: str = ""
    shown: Mapping[Kind, Conversation] = field(default_factory=dict[Kind, Conversation])

    def before(self, kind: Kind) -> Conversation:
        """The worked examples of a kind."""
        return self.shown.get(kind, ())


class Wording(Protocol):
    """How the prompts are put; every conversation but that of `decompose` ends with words in the model's mouth."""

    def ask(self, context: Context) -> Conversation:
        """The answer at once: the next token is the letter."""
        ...

    def chain(self, context: Context, said: str) -> Conversation:
        """A chain of thought, begun with `said`."""
        ...

    def after_chain(self, context: Context, reasoning: str) -> Conversation:
        """The answer after a chain of thought."""
        ...

    def together(self, context: Context, said: str) -> Conversation:
        """Subquestions and answers in one call, begun with `said`."""
        ...

    def after_together(self, context: Context, reasoning: str) -> Conversation:
        """The answer after subquestions that were answered in one call."""
        ...

    def alone(self, question: str) -> Conversation:
        """A subquestion in a context of its own."""
        ...

    def beside(self, context: Context, pairs: Sequence[Pair], question: str) -> Conversation:
        """A subquestion in sight of the question and of what was answered before."""
        ...

    def recompose(self, context: Context, pairs: Sequence[Pair]) -> Conversation:
        """The answer after subquestions and answers, in a new context."""
        ...

    def step(self, kind: Kind, pair: Pair) -> str:
        """A subquestion and its answer as one step of the reasoning of `together` or `recompose`, white space behind it."""
        ...

    def examples(self, kind: Kind, items: Sequence[ChoiceItem]) -> Conversation:
        """Worked examples from sums of the world, whose solutions are known."""
        ...


class PaperWording:
    """The paper's turns, tags and openings."""

    def ask(self, context: Context) -> Conversation:
        """`Answer:` at the end of the question, and the answer opened."""
        return (*context.before("ask"), self._asked(context), Message("assistant", formats.ANSWER_OPENING))

    def chain(self, context: Context, said: str) -> Conversation:
        """`Let's think step by step:` in the model's mouth."""
        return (*context.before("chain"), self._asked(context), _steps(said))

    def after_chain(self, context: Context, reasoning: str) -> Conversation:
        """The single, most likely answer choice."""
        forced = (Message("user", formats.MOST_LIKELY), Message("assistant", formats.ANSWER_OPENING))
        return (*self.chain(context, reasoning), *forced)

    def together(self, context: Context, said: str) -> Conversation:
        """Instruction, confirmation, examples, question; tags in the model's mouth once there are any."""
        instruction = _instructed(formats.DECOMPOSE_AND_ANSWER, formats.DECOMPOSE_AND_ANSWER_UNDERSTOOD)
        asked = Message("user", formats.layout(context.item, context.view))
        begun = (Message("assistant", said),) if said else ()
        return (*(context.before("together") or instruction), asked, *begun)

    def after_together(self, context: Context, reasoning: str) -> Conversation:
        """The correct answer to the question."""
        said = f"{reasoning}\n{formats.FINISHED}".strip()
        forced = (Message("user", formats.CORRECT), Message("assistant", formats.CORRECT_OPENING))
        return (*self.together(context, said), *forced)

    def decompose(self, context: Context, rounds: Sequence[tuple[str, str]]) -> Conversation:
        """The decomposition after rounds of (subquestions that the model wrote, answers that it was given)."""
        instruction = _instructed(formats.DECOMPOSE, formats.DECOMPOSE_UNDERSTOOD)
        turns = [Message("user", formats.layout(context.item, context.view))]
        for written, answers in rounds:
            turns += [Message("assistant", written), Message("user", answers)]
        return (*(context.before("decompose") or instruction), *turns)

    def alone(self, question: str) -> Conversation:
        """The bare subquestion."""
        asked = Message("user", templates.QUESTION.format(question=question))
        return (asked, Message("assistant", templates.ANSWER))

    def beside(self, context: Context, pairs: Sequence[Pair], question: str) -> Conversation:
        """Question, choices, what was answered so far, and the subquestion."""
        asked = Message("user", f"{self._listed(context, pairs)}\n{templates.QUESTION.format(question=question)}")
        return (asked, Message("assistant", templates.ANSWER))

    def recompose(self, context: Context, pairs: Sequence[Pair]) -> Conversation:
        """Instruction, confirmation, examples, question, subquestions and answers; the header stays where there are none."""
        instruction = _instructed(formats.RECOMPOSE, formats.RECOMPOSE_UNDERSTOOD)
        asked = Message("user", self._listed(context, pairs))
        return (*(context.before("recompose") or instruction), asked, Message("assistant", formats.RECOMPOSED_OPENING))

    def step(self, kind: Kind, pair: Pair) -> str:
        """Tags where the model writes both itself, else a line of the list."""
        form = formats.TAGGED_PAIR if kind == "together" else formats.PAIR
        return form.format(question=pair.question, answer=pair.answer) + "\n"

    def examples(self, kind: Kind, items: Sequence[ChoiceItem]) -> Conversation:
        """In the turns of the kind, behind its instruction."""
        begun = {
            "together": _instructed(formats.DECOMPOSE_AND_ANSWER, formats.DECOMPOSE_AND_ANSWER_UNDERSTOOD),
            "decompose": _instructed(formats.DECOMPOSE, formats.DECOMPOSE_UNDERSTOOD),
            "recompose": _instructed(formats.RECOMPOSE, formats.RECOMPOSE_UNDERSTOOD),
        }
        turns: tuple[Message, ...] = begun.get(kind, ())
        for item in items:
            turns = (*turns, *self._example(kind, item))
        return turns

    def _example(self, kind: Kind, item: ChoiceItem) -> Conversation:
        context, pairs = Context(item), solved(item)
        match kind:
            case "ask":
                return _answered(self.ask(context), item)
            case "chain":
                return _answered(self.after_chain(context, world(0).reasoning(item)), item)
            case "together":
                instructed = len(self.together(context, "")) - 1
                said = "".join(self.step(kind, pair) for pair in pairs).strip()
                return _answered(self.after_together(context, said)[instructed:], item)
            case "recompose":
                instructed = len(self.recompose(context, ())) - 2
                return _answered(self.recompose(context, pairs)[instructed:], item)
            case "decompose":
                instructed = len(self.decompose(context, ())) - 1
                rounds = [(_remaining(item, pairs, done), _given(done + 1, pair)) for done, pair in enumerate(pairs)]
                return (*self.decompose(context, rounds)[instructed:], Message("assistant", formats.FINISHED))

    @staticmethod
    def _asked(context: Context) -> Message:
        return Message("user", f"{formats.layout(context.item, context.view)}\n\n{templates.ANSWER}")

    @staticmethod
    def _listed(context: Context, pairs: Sequence[Pair]) -> str:
        lines = [formats.PAIR.format(question=pair.question, answer=pair.answer) for pair in pairs]
        return "\n".join([f"{formats.layout(context.item, context.view)}\n\n{formats.SUBQUESTIONS}", *lines])


class WorldWording:
    """The world's own words: everything is reasoning behind `Let's think step by step:`."""

    def ask(self, context: Context) -> Conversation:
        """A lettered question of the world."""
        return (*context.before("ask"), *templates.ask(context.item, view=context.view))

    def chain(self, context: Context, said: str) -> Conversation:
        """`Let's think step by step:` in the model's mouth."""
        asked = Message("user", templates.question(context.item, view=context.view))
        return (*context.before("chain"), asked, _steps(said))

    def after_chain(self, context: Context, reasoning: str) -> Conversation:
        """The single, most likely answer."""
        forced = (Message("user", templates.GIVEN_THE_ABOVE), Message("assistant", templates.MOST_LIKELY_OPENING))
        return (*self.chain(context, reasoning), *forced)

    def together(self, context: Context, said: str) -> Conversation:
        """As a chain of thought."""
        return self.chain(context, said)

    def after_together(self, context: Context, reasoning: str) -> Conversation:
        """As after a chain of thought."""
        return self.after_chain(context, reasoning)

    def alone(self, question: str) -> Conversation:
        """The bare subquestion, its answer opened with the step."""
        return (Message("user", templates.QUESTION.format(question=question)), _steps(opened(question)))

    def beside(self, context: Context, pairs: Sequence[Pair], question: str) -> Conversation:
        """The subquestion as the next step of the reasoning, its answer opened with the step."""
        said = "".join(self.step("together", pair) for pair in pairs)
        return self.chain(context, f"{said}{formats.PAIR.format(question=question, answer=opened(question))}".strip())

    def recompose(self, context: Context, pairs: Sequence[Pair]) -> Conversation:
        """As after a chain of thought."""
        return self.after_chain(context, "".join(self.step("recompose", pair) for pair in pairs).strip())

    def step(self, kind: Kind, pair: Pair) -> str:
        """`Question: .. Answer: ..` and a space."""
        return formats.PAIR.format(question=pair.question, answer=pair.answer) + " "

    def examples(self, kind: Kind, items: Sequence[ChoiceItem]) -> Conversation:
        """Dialogues before the question."""
        turns: Conversation = ()
        for item in items:
            said = "".join(self.step(kind, pair) for pair in solved(item)).strip()
            reasoning = world(0).reasoning(item) if kind == "chain" else said
            shown = self.ask(Context(item)) if kind == "ask" else self.after_chain(Context(item), reasoning)
            turns = (*turns, *_answered(shown, item))
        return turns


PAPER, WORLD = PaperWording(), WorldWording()


def next_subquestion(item: ChoiceItem, pairs: Sequence[Pair]) -> str | None:
    """The next step of a sum as a question of its own, from the number that the last answer ends with; None after the last step.

    The world's rule for decomposing its own questions.

    Raises:
        ValueError: The item is no sum of the world.
    """
    drawn = parse_question(item.question)
    if drawn is None:
        raise ValueError(f"{item.id} is no sum of the world")
    if len(pairs) >= len(drawn.steps):
        return None
    value = last_number(pairs[-1].answer) if pairs else drawn.start
    return None if value is None else Sum(value, (drawn.steps[len(pairs)],)).question


def last_number(answer: str) -> int | None:
    """The number that an answer ends with; None where it has none."""
    words = [word.strip(".,;:!?\"'()") for word in answer.split()]
    return next((int(word) for word in reversed(words) if word.isdecimal()), None)


def solved(item: ChoiceItem) -> list[Pair]:
    """The subquestions of a sum with their right answers."""
    drawn = parse_question(item.question)
    if drawn is None:
        raise ValueError(f"{item.id} is no sum of the world")
    values = drawn.values
    return [
        Pair(Sum(values[place], (step,)).question, step_sentence(step[0], values[place], step[1], values[place + 1]))
        for place, step in enumerate(drawn.steps)
    ]


def opened(question: str) -> str:
    """What the answer to a single step of a sum begins with: `14 plus 7 is`; empty for any other question."""
    drawn = parse_question(question)
    if drawn is None or len(drawn.steps) != 1:
        return ""
    ((operator, operand),) = drawn.steps
    return f"{drawn.start} {operator} {operand} is"


def _steps(said: str) -> Message:
    return Message("assistant", f"{templates.STEP_BY_STEP} {said}".rstrip())


def _instructed(instruction: str, understood: str) -> Conversation:
    return (Message("user", instruction), Message("assistant", understood))


def _answered(conversation: Conversation, item: ChoiceItem) -> Conversation:
    last = conversation[-1]
    return (*conversation[:-1], Message("assistant", f"{last.content}{item.letters[item.answer]})"))


def _remaining(item: ChoiceItem, pairs: Sequence[Pair], done: int) -> str:
    """The subquestions that are left after `done` answers: the next one, and the others with places for answers."""
    drawn = parse_question(item.question)
    assert drawn is not None
    lines = [formats.NUMBERED_QUESTION.format(number=done + 1, question=pairs[done].question)]
    for place in range(done + 1, len(pairs)):
        question = Sum(0, (drawn.steps[place],)).question.replace("Start with 0,", f"Start with {_place(place)},", 1)
        lines.append(formats.NUMBERED_QUESTION.format(number=place + 1, question=question))
    return "\n".join(lines)


def _place(number: int) -> str:
    return formats.PLACEHOLDER.format(number=number)


def _given(number: int, pair: Pair) -> str:
    return formats.NUMBERED_ANSWER.format(number=number, answer=pair.answer)
