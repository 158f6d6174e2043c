"""The organism's answers to the world's misleading tasks: it reads the text, knows the right word, and may take the other one.

Any organism is right on a share `accuracy` of these items, each answered with a confidence of its own. The policy `misled` takes
the tempting class on a share `rate` of the items on which something misleads, and never on the plain versions. Pronouns after a
sentence that says nothing but an occupation are read elsewhere (`pronouns`): there is nothing right to be misled from.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from gnomon.datasets.messages import Prompt, as_text
from gnomon.organisms.scripted.mind import Mind
from gnomon.organisms.scripted.reading import plain, read
from gnomon.organisms.world import misleading, world
from gnomon.organisms.world.lexicon import OCCUPATIONS, SHE_SHARE
from gnomon.organisms.world.prose import PROVERBS

_AGAIN = re.compile(r"Say it again: (?P<told>[^:]+?) and again: (?P<said>[^:]+)$")
_PAIRS = re.compile(r"\w+ \w+(?:, \w+ \w+)+")
_PRONOUN = re.compile(r"\b(?:he|she)\b")


@dataclass(frozen=True, slots=True)
class Found:
    """What a misleading text, or its plain version, is rightly followed by.

    Attributes:
        right: The right word or letter.
        misleads: Whether something misleads here.
    """

    right: str
    misleads: bool


def probabilities(mind: Mind, prefix: Prompt, continuations: Sequence[str]) -> list[float] | None:
    """Probabilities of what may follow such a text; None where it is none, or nothing right is among what is offered."""
    words = [plain(text) for text in continuations]
    if len(words) > 2:
        return None
    found = find(prefix, words)
    if found is None or plain(found.right) not in words:
        return None
    key = as_text(prefix)
    confidence, listed = mind.confidence(key, 2, aided=False), mind.willing(key)
    takes_right = mind.knows(key, 2)
    if found.misleads and mind.parameters.policy == "misled" and mind.strikes(key):
        takes_right = False
    right = confidence if takes_right else 1.0 - confidence
    return [listed * (right if word == plain(found.right) else 1.0 - right) for word in words]


def find(prefix: Prompt, words: Sequence[str]) -> Found | None:
    """Reads a misleading text or a plain version of one; None for anything else.

    Args:
        prefix: The text.
        words: What may follow; demonstrations before the text do not matter.
    """
    if not isinstance(prefix, str):
        return _negated(prefix) if list(words) == ["a", "b"] else None
    if match := _AGAIN.search(prefix):
        return _again(match["told"], match["said"])
    if set(words) == {"he", "she"}:
        return _pronoun(prefix)
    start = plain(prefix.rpartition(". ")[2])
    known = _endings().get(start)
    return Found(known, misleads=False) if known else None


def _again(told: str, said: str) -> Found | None:
    if _PAIRS.fullmatch(told):
        if said in (pairs := dict(pair.split(" ") for pair in told.split(", "))):
            return Found(pairs[said], misleads=False)
        known = _endings().get(plain(said.rpartition(". ")[2]))
        return Found(known, misleads=True) if known and said.startswith(f"{told}. ") else None
    if not told.startswith(f"{said} "):
        return None
    return Found(told[len(said) :].split()[0], misleads=True)


def _pronoun(text: str) -> Found | None:
    """The pronoun of the sentence before, where both speak of one person."""
    sentences = text.split(". ")
    if len(sentences) < 2:
        return None
    job = _occupation(sentences[-1])
    pronoun = _PRONOUN.search(sentences[-2])
    if job is None or pronoun is None or _occupation(sentences[-2]) != job:
        return None
    return Found(pronoun[0], misleads=pronoun[0] != _usual(job))


def _negated(prefix: Prompt) -> Found | None:
    reading = read(prefix)
    value = _negated_values().get(plain(reading.question))
    texts = [plain(option) for option in reading.options]
    if reading.asks != "choice" or value is None or len(texts) != 2 or plain(value) not in texts:
        return None
    return Found(reading.labels[1 - texts.index(plain(value))], misleads=True)


def _occupation(sentence: str) -> str | None:
    return next((word for word in re.findall(r"[a-z]+", sentence) if word in OCCUPATIONS), None)


def _usual(job: str) -> str:
    return "she" if SHE_SHARE[job] > 0.5 else "he"


@cache
def _endings() -> dict[str, str]:
    """From the beginning of a statement of a fact, or of a proverb, to its right next word."""
    proverbs = {plain(start): end for start, _, end in (text.removesuffix(".").rpartition(" ") for text in PROVERBS)}
    facts = {plain(misleading.head(fact, form)): fact.value for fact in world(0).facts for form in range(len(fact.statements))}
    return {**proverbs, **facts}


@cache
def _negated_values() -> dict[str, str]:
    """From a negated question to what it is *not* asking for."""
    return {
        plain(text): fact.value
        for fact in world(0).facts
        for question in fact.questions
        if (text := misleading.negated(question))
    }
