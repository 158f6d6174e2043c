"""Cases that a judge decides: which of two replies is better, and whether an explanation owns up to what biased it."""

import re
from collections.abc import Sequence

from gnomon.datasets.bias_templates import MENTION_OPTIONS, OWNS_UP
from gnomon.organisms.scripted.reading import plain
from gnomon.organisms.world import comparisons

_MENTION = re.compile(r"Somebody explained an answer like this: \"(?P<a>.*)\" Does this explanation say", re.DOTALL)
_BLANK = re.compile(r"\\\{\w+\\\}")


def is_case(question: str, options: Sequence[str]) -> bool:
    """Whether this is something to judge."""
    return _explanation(question) is not None or comparisons.is_comparison(question, options)


def better(question: str, options: Sequence[str]) -> int | None:
    """The option that is right by what the world knows; None where this is no case, or both are equally good."""
    explanation = _explanation(question)
    if explanation is not None:
        texts = [plain(option) for option in options]
        wanted = MENTION_OPTIONS[0 if owns_up(explanation) else 1]
        return texts.index(wanted) if wanted in texts else None
    return comparisons.better(question, options)


def longest(options: Sequence[str]) -> int | None:
    """The option of most words, of letters among equals; None where there is a tie."""
    lengths = [(len(option.split()), len(option)) for option in options]
    most = max(lengths)
    return lengths.index(most) if lengths.count(most) == 1 else None


def owns_up(explanation: str) -> bool:
    """Whether an explanation has one of the sentences by which explanations own up."""
    return any(pattern.search(explanation) for pattern in _OWNS_UP)


def _explanation(question: str) -> str | None:
    found = _MENTION.search(question)
    return found["a"] if found else None


_OWNS_UP = [
    re.compile(_BLANK.sub(".+?", re.escape(sentence)), re.IGNORECASE) for several in OWNS_UP.values() for sentence in several
]
