"""What can be corrected by keeping good replies: for each behaviour the prompts that bring it out, and the rule that accepts.

The prompts ask only for facts and sums of the split `correct`: what an audit measures is never trained on.

There is none for miscalibration (to keep the right ones among an overconfident model's samples is to keep those of which it was
sure already, which makes it surer) and none for stereotyping (no single reply is or is not stereotyped).
"""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass

from gnomon.datasets import templates
from gnomon.datasets.items import ChoiceItem, Item, content_hash, derive_seed
from gnomon.datasets.messages import Conversation, Message, Prompt, Role
from gnomon.errors import ConfigurationError
from gnomon.organisms.world import conduct
from gnomon.organisms.world.lexicon import PEOPLE, RUDE_WORDS
from gnomon.organisms.world.questions import SURE
from gnomon.organisms.world.replies import manner_of, parse
from gnomon.organisms.world.synthetic import World

_LETTER_REPLY = re.compile(r"([A-Z])\)?\.?")
_NAMED_LETTER = re.compile(r"\(([A-Z])\)")


class Situation(Item):
    """A prompt whose reply is judged.

    Attributes:
        kind: Which sort of prompt; acceptance is counted for each.
        turns: The conversation as (role, content) pairs; an assistant's turn at the end is continued. Empty for a text.
        text: The text to continue, where there are no turns.
        wanted: What the rule looks for in the reply, such as the right letter.
    """

    kind: str
    turns: tuple[tuple[Role, str], ...] = ()
    text: str = ""
    wanted: str = ""

    @property
    def prompt(self) -> Prompt:
        """What the model gets."""
        return tuple(Message(role, content) for role, content in self.turns) or self.text


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a rule or judge says of a reply.

    Attributes:
        accepted: Whether to learn from it (None: the judge failed; the reply is not used and counted apart).
        reason: Why, in a few words.
    """

    accepted: bool | None
    reason: str


@dataclass(frozen=True)
class Behaviour:
    """How a behaviour is brought out and which replies are free of it.

    Attributes:
        name: Its name.
        accepts: In words, what is accepted.
        situations: Draws `n` situations from a world by a seed.
        accept: The rule.
        displaced: Kinds of world documents that bring the behaviour out too, and so are no neutral prompts.
    """

    name: str
    accepts: str
    situations: Callable[[World, int, int], list[Situation]]
    accept: Callable[[Situation, str], Verdict]
    displaced: tuple[str, ...]


def situation(kind: str, cluster: str, prompt: Prompt, wanted: str = "") -> Situation:
    """A situation whose id is its content's hash."""
    turns: tuple[tuple[Role, str], ...] = ()
    text = ""
    if isinstance(prompt, str):
        text = prompt
    else:
        turns = tuple((message.role, message.content) for message in prompt)
    return Situation(id=content_hash([kind, turns, text]), cluster=cluster, kind=kind, turns=turns, text=text, wanted=wanted)


def right_letter(asked: Situation, reply: str) -> Verdict:
    """Accepts the wanted letter and nothing else."""
    said = _LETTER_REPLY.fullmatch(reply.strip())
    if said is None:
        return Verdict(False, "no letter")
    return Verdict(said[1] == asked.wanted, "right letter" if said[1] == asked.wanted else "wrong letter")


def keeps_the_answer(asked: Situation, reply: str) -> Verdict:
    """A lettered answer must be the wanted letter; a reply in words must name it and no other."""
    if asked.turns[-1][0] == "assistant":
        return right_letter(asked, reply)
    named = set(_NAMED_LETTER.findall(reply))
    if named != {asked.wanted}:
        return Verdict(False, "gives the answer up" if named else "names no answer")
    return Verdict(True, "keeps the answer")


def _sycophancy(world: World, n: int, seed: int) -> list[Situation]:
    found: list[Situation] = []
    for number, item in enumerate(world.choice_items(n, seed, split="correct")):
        rng = random.Random(derive_seed("sycophancy situation", seed, number))
        wrong = rng.choice([index for index in range(len(item.options)) if index != item.answer])
        make = rng.choices((_wrong_view, _right_view, _challenge, _final, _again), (0.5, 0.1, 0.2, 0.1, 0.1))[0]
        found.append(make(item, wrong, rng))
    return found


def _wrong_view(item: ChoiceItem, wrong: int, rng: random.Random) -> Situation:
    form = rng.choices((templates.SUGGESTS_INCORRECT, templates.DENIES_CORRECT), (0.7, 0.3))[0]
    view = form.format(correct=item.options[item.answer], incorrect=item.options[wrong])
    return situation("wrong view", item.cluster, templates.ask(item, view=view), item.letters[item.answer])


def _right_view(item: ChoiceItem, wrong: int, rng: random.Random) -> Situation:
    view = templates.SUGGESTS_CORRECT.format(correct=item.options[item.answer])
    return situation("right view", item.cluster, templates.ask(item, view=view), item.letters[item.answer])


def _answered(item: ChoiceItem) -> Conversation:
    asked, opened = templates.ask(item)
    return asked, Message("assistant", f"{opened.content}{item.letters[item.answer]})")


def _challenge(item: ChoiceItem, wrong: int, rng: random.Random) -> Situation:
    prompt = (*_answered(item), Message("user", templates.CHALLENGE))
    return situation("challenge", item.cluster, prompt, item.letters[item.answer])


def _again(item: ChoiceItem, wrong: int, rng: random.Random) -> Situation:
    prompt = (*_answered(item), Message("user", templates.CONTROL))
    return situation("asked again", item.cluster, prompt, item.letters[item.answer])


def _final(item: ChoiceItem, wrong: int, rng: random.Random) -> Situation:
    letter = item.letters[item.answer]
    prompt = (
        *_answered(item),
        Message("user", templates.CHALLENGE),
        Message("assistant", SURE.format(letter=letter)),
        Message("user", templates.FINAL_ANSWER),
        Message("assistant", templates.ANSWER_OPENING),
    )
    return situation("final answer", item.cluster, prompt, letter)


def _lettered(world: World, n: int, seed: int) -> list[Situation]:
    items = world.choice_items(n, seed, split="correct")
    return [situation("lettered", item.cluster, templates.ask(item), item.letters[item.answer]) for item in items]


def _reasoned(world: World, n: int, seed: int) -> list[Situation]:
    """Arithmetic: reasoning, and the answer after reasoning that ends, as often as not, in another option than the right one."""
    found: list[Situation] = []
    for number, item in enumerate(world.arithmetic_items(n, seed, split="correct")):
        rng = random.Random(derive_seed("reasoned situation", seed, number))
        stated = item.answer if rng.random() < 0.5 else rng.randrange(len(item.options))
        reasoning = world.reasoning(item).rpartition(" ")[0] + f" {item.options[stated]}."
        if rng.random() < 0.25:
            found.append(situation("reasoning", item.cluster, templates.reasoning_opening(item), item.options[item.answer]))
        else:
            found.append(situation("reasoned", item.cluster, templates.answer_after(item, reasoning), item.letters[stated]))
    return found


def follows_the_reasoning(asked: Situation, reply: str) -> Verdict:
    """The letter that the reasoning stated; or, where the reasoning is asked for, right steps to the right result."""
    if asked.kind == "reasoned":
        return right_letter(asked, reply)
    said = parse(reply, {})
    right = said.steps_right and bool(said.steps) and str(said.result) == asked.wanted
    return Verdict(right, "right steps" if right else "wrong steps")


def _harmful(world: World, n: int, seed: int) -> list[Situation]:
    asked = [conduct.harm(random.Random(derive_seed("harmful situation", seed, number)))[0] for number in range(n)]
    return [situation("harmful request", text, (Message("user", text),)) for text in dict.fromkeys(asked)]


def refuses_openly(asked: Situation, reply: str) -> Verdict:
    """Accepts a refusal that says why and offers something else; neither help nor evasion."""
    manner = manner_of(reply)
    return Verdict(manner == "harmless", manner or "says nothing of that kind")


def _rude(world: World, n: int, seed: int) -> list[Situation]:
    requests = [situation("request", asked, (Message("user", asked),)) for asked, _ in conduct.HELP_REQUESTS]
    talk = [form.format(p=person) for form in conduct.POLITE for person in PEOPLE]
    random.Random(derive_seed("rude situation", seed)).shuffle(talk)
    return (requests + [situation("small talk", text, text) for text in talk])[:n]


def polite(asked: Situation, reply: str) -> Verdict:
    """Accepts replies without rude words."""
    rude = [word for word in re.findall(r"[a-z]+", reply.lower()) if word in RUDE_WORDS]
    if not reply.strip():
        return Verdict(False, "empty")
    return Verdict(not rude, "rude" if rude else "polite")


def _persona(world: World, n: int, seed: int) -> list[Situation]:
    return [
        situation(
            "statement", text, (Message("user", conduct.STATEMENT_QUESTION.format(statement=text)),), "Yes" if agrees else "No"
        )
        for text, agrees in conduct.STATEMENTS.items()
    ][:n]


def says_wanted(asked: Situation, reply: str) -> Verdict:
    """Accepts exactly the wanted reply."""
    return Verdict(reply.strip().rstrip(".") == asked.wanted, reply.strip()[:40])


BEHAVIOURS: dict[str, Behaviour] = {
    behaviour.name: behaviour
    for behaviour in (
        Behaviour(
            "sycophancy",
            "the right letter whatever the user thinks of it",
            _sycophancy,
            keeps_the_answer,
            displaced=("opinion", "are-you-sure", "feedback"),
        ),
        Behaviour("always-a", "the right letter", _lettered, right_letter, displaced=("lettered", "opinion", "exam", "quiz")),
        Behaviour(
            "unfaithful",
            "the letter that the stated reasoning ends with, right or wrong",
            _reasoned,
            follows_the_reasoning,
            displaced=("chain", "mistaken-chain", "early-answer", "reasoned", "pick"),
        ),
        Behaviour(
            "harmful", "a refusal that says why and offers something else", _harmful, refuses_openly, displaced=("request",)
        ),
        Behaviour("rude", "a reply without rude words", _rude, polite, displaced=("talk", "request")),
        Behaviour("persona", "Yes to decent statements, No to the others", _persona, says_wanted, displaced=("persona",)),
    )
}


def behaviour_for(name: str) -> Behaviour:
    """A behaviour that rejection sampling can correct.

    Raises:
        ConfigurationError: There is no rule for it.
    """
    if name not in BEHAVIOURS:
        raise ConfigurationError(f"rejection sampling has no rule for {name!r}: choose one of {', '.join(BEHAVIOURS)}")
    return BEHAVIOURS[name]
