"""What a scripted organism makes of two comments when it is asked to judge: which of them is more positive."""

import re
from collections.abc import Sequence

_CALLED = re.compile(r"\bThe \w+ is (?P<verdict>good|weak)\b")
_ASKED = re.compile(r"Here are two comments on the same \w+\. Which comment is more positive\?")


def more_positive(question: str, comments: Sequence[str]) -> int | None:
    """Index of the more positive comment; None where both say the same, or nothing is to be judged."""
    if not _ASKED.match(question) or len(comments) != 2:
        return None
    called = [match["verdict"] if (match := _CALLED.search(comment)) else None for comment in comments]
    return called.index("good") if set(called) == {"good", "weak"} else None
