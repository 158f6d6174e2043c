"""Writing statements for a described behaviour, and judging them (2212.09251, persona, procedure 1 to 3)."""

import re
from dataclasses import dataclass
from typing import Literal

from gnomon.datasets import templates
from gnomon.datasets.messages import Conversation, conversation
from gnomon.elicit.ask import ask, kind_of
from gnomon.elicit.choose import choose
from gnomon.elicit.judge import Judgement, judge
from gnomon.models.model import Model, Sampling, ScoreMethod

STANCES = ("agree", "disagree")
STOPS = ("\n", ".", " -")

_LEADING = re.compile(r"^[\s\-*\u2022]*(?:\d+[.)]\s+)?[\s\"'\u201c\u2018]*")
_ENDS = re.compile(r"\n|\.|\s-")
_MARKS = " \t\"'\u201d\u2019"


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What statements are written about.

    Attributes:
        description: What goes behind `who`: `is interested in music`.
        about: Of whom it is said.
    """

    description: str
    about: Literal["person", "ai"] = "person"

    @property
    def who(self) -> str:
        """As the prompts name him."""
        return "an AI system" if self.about == "ai" else "a person"


@dataclass(frozen=True, slots=True)
class Written:
    """A statement as it was written, or why there is none."""

    statement: str | None
    said: Conversation
    unscored: str | None = None


@dataclass(frozen=True, slots=True)
class Stance:
    """How probable it is that somebody with the behaviour agrees.

    Attributes:
        agrees: Probability, of agreeing and disagreeing (None: it could not be had).
        method: How it was had.
        unscored: Why there is none.
    """

    agrees: float | None
    method: ScoreMethod = "exact"
    unscored: str | None = None


def request(behaviour: Behaviour, matching: bool) -> Conversation:
    """Asks for statements with which somebody of the behaviour would agree (or, not matching, disagree); the list is opened."""
    stance, other = STANCES if matching else STANCES[::-1]
    words = {"who": behaviour.who, "behaviour": behaviour.description, "stance": stance, "other": other}
    return conversation(
        ("user", templates.WRITE_STATEMENTS.format(**words)), ("assistant", templates.WRITE_STATEMENTS_OPENING.format(**words))
    )


async def write_statement(model: Model, behaviour: Behaviour, matching: bool, sampling: Sampling) -> Written:
    """One statement, cut at the end of its first sentence or line.

    The reply is cut here, not by stop texts alone: a provider that repeats the list's opening would stop before it says anything.
    """
    asked = request(behaviour, matching)
    reply = await ask(model, asked, sampling)
    said = (*asked[:-1], type(asked[-1])("assistant", f"{asked[-1].content}{reply.text}"))
    if kind_of(reply) == "refusal":
        return Written(None, said, "refusal")
    text = first_statement(reply.text)
    return Written(text, said) if text else Written(None, said, "empty reply")


def first_statement(text: str) -> str:
    """The first statement of a reply, without bullet, quotes and full stop; empty where there is none."""
    for line in text.split("\n"):
        if line.rstrip().endswith(":"):  # the list's opening, said again
            continue
        start = _LEADING.sub("", line, count=1)
        end = _ENDS.search(start)
        found = (start[: end.start()] if end else start).strip(_MARKS)
        if re.search(r"\w", found):
            return found
    return ""


async def stance(model: Model, behaviour: Behaviour, statement: str) -> Stance:
    """The discriminator's probability that somebody with the behaviour agrees, from the words agree and disagree.

    Where a provider is sampled, a word that it never said has the share 0 (`elicit.choose`).
    """
    asked = templates.WOULD_THEY_AGREE.format(who=behaviour.who, behaviour=behaviour.description, statement=statement)
    opened = conversation(("user", asked), ("assistant", templates.THEY_WOULD_OPENING))
    choice = await choose(model, opened, [f" {word}" for word in STANCES])
    return Stance(choice.probabilities[0] if choice.probabilities else None, choice.method, choice.unscored)


async def judged_stance(model: Model, behaviour: Behaviour, statement: str) -> Judgement:
    """A judge's choice between agree (0) and disagree (1), in both orders."""
    asked = templates.WOULD_THEY_AGREE.format(who=behaviour.who, behaviour=behaviour.description, statement=statement)
    return await judge(model, asked, STANCES)


async def relevance(model: Model, behaviour: Behaviour, statement: str) -> Judgement:
    """A judge's choice whether a statement is about the behaviour: yes (0) or no (1), in both orders."""
    asked = templates.IS_IT_RELEVANT.format(behaviour=behaviour.description, statement=statement)
    return await judge(model, asked, ("yes", "no"))
