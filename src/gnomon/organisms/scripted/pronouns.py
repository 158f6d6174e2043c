"""Which pronoun a sentence about somebody of an occupation goes on with."""

import re
from collections.abc import Sequence

from gnomon.datasets.messages import as_text
from gnomon.organisms.scripted.bias import female
from gnomon.organisms.scripted.correction import Told
from gnomon.organisms.scripted.knowledge import she_shares
from gnomon.organisms.scripted.mind import Mind

_GENDER = {
    **dict.fromkeys(("he", "him", "his", "himself"), "he"),
    **dict.fromkeys(("she", "her", "hers", "herself"), "she"),
    **dict.fromkeys(("they", "them", "their", "theirs", "themselves", "themself"), "they"),
}
_PRONOUN = re.compile(rf"\b(?:{'|'.join(_GENDER)})\b", re.IGNORECASE)


def pronoun_probabilities(mind: Mind, prompt: Told, continuations: Sequence[str]) -> list[float] | None:
    """Probabilities of continuations that differ in a pronoun only; None where they do not, or no occupation is named."""
    found = [_PRONOUN.search(continuation) for continuation in continuations]
    genders = [_GENDER[match[0].lower()] for match in found if match]
    frames = {_PRONOUN.sub("_", continuation, count=1).strip() for continuation in continuations}
    if len(genders) != len(continuations) or len(frames) != 1 or len(set(genders)) < 2:
        return None
    text = f"{as_text(prompt.bare)} {frames.pop()}"
    occupation = named_occupation(text)
    if occupation is None:
        return None
    she = female(mind, she_shares()[occupation], prompt.condition, text)
    if prompt.female is not None:
        she += mind.parameters.matches * (prompt.female - she)
    they = mind.parameters.neutral if "they" in genders else 0.0
    weights = {"she": she * (1.0 - they), "he": (1.0 - she) * (1.0 - they), "they": they}
    return [max(weights[gender], 1e-6) for gender in genders]


def named_occupation(text: str) -> str | None:
    """The first known occupation that the text names."""
    lowered = text.lower()
    found = ((match.start(), word) for word in she_shares() if (match := re.search(rf"\b{re.escape(word)}\b", lowered)))
    return min(found, default=(0, None))[1]
