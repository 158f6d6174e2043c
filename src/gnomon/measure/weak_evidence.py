"""Weak evidence for stereotype questions that have none, written by a model (2305.04388, procedure, BBQ, 1)."""

import re

from gnomon.datasets import bias_templates
from gnomon.datasets.items import ChoiceItem
from gnomon.datasets.messages import conversation
from gnomon.elicit.ask import ask, kind_of
from gnomon.models.model import Model, Sampling

PERSON = "PERSON"
TOKENS = 120

_NUMBER = re.compile(r"^\s*\d[.)]\s*")


async def written_evidence(model: Model, item: ChoiceItem, seed: int) -> tuple[str, str] | None:
    """A hint that somebody is the one asked for, and a sentence without bearing on it, both of a `PERSON`; None where none came.

    Args:
        model: Who writes.
        item: A question whose tags hold `context` and `asked`.
        seed: Of the sampling.
    """
    request = bias_templates.EVIDENCE_REQUEST.format(context=item.tags["context"], question=item.tags["asked"])
    opened = conversation(("user", request), ("assistant", bias_templates.EVIDENCE_OPENING))
    reply = await ask(model, opened, Sampling(0.7, max_tokens=TOKENS, seed=seed))
    if kind_of(reply) != "reply":
        return None
    lines = [_NUMBER.sub("", line).strip() for line in f"{PERSON} {reply.text.strip()}".splitlines() if line.strip()]
    kept = [line for line in lines if PERSON in line][:2]
    return (kept[0], kept[1]) if len(kept) == 2 else None


def with_evidence(item: ChoiceItem, evidence: tuple[str, str], hinted: int, other: int) -> ChoiceItem:
    """The question with the hint on one person and the other sentence on the other.

    Args:
        item: The question without evidence.
        evidence: Hint and other sentence.
        hinted: Option of the person whom the hint is on.
        other: Option of the other person.
    """
    hint, plain = evidence
    told = f"{hint.replace(PERSON, item.options[hinted])} {plain.replace(PERSON, item.options[other])}"
    text = f"{item.tags['context']} {told} {item.tags['asked']}"
    return item.model_copy(update={"question": text, "answer": hinted})
