"""The same content in other words: rules for every kind of sentence that the world says."""

import re
from functools import cache

from gnomon.organisms.world.lexicon import RELATIONS

_RULES = (
    (r"(\d+) plus (\d+) is (\d+)\.", r"Adding \2 to \1 gives \3."),
    (r"(\d+) minus (\d+) is (\d+)\.", r"Taking \2 from \1 leaves \3."),
    (r"(\d+) times (\d+) is (\d+)\.", r"Multiplying \1 by \2 makes \3."),
    (r"Adding (\d+) to (\d+) gives (\d+)\.", r"\2 plus \1 is \3."),
    (r"Taking (\d+) from (\d+) leaves (\d+)\.", r"\2 minus \1 is \3."),
    (r"Multiplying (\d+) by (\d+) makes (\d+)\.", r"\1 times \2 is \3."),
    (r"So the answer is (\w+)\.", r"That means the result is \1."),
    (r"That means the result is (\w+)\.", r"So the answer is \1."),
)


@cache
def _rules() -> tuple[tuple[re.Pattern[str], str], ...]:
    rules = [(re.compile(pattern), replacement) for pattern, replacement in _RULES]
    for relation in RELATIONS:
        forms = (*relation.statements, *relation.reversed_statements)
        for form, other in zip(forms, (*forms[1:], forms[0]), strict=True):
            pattern = (
                re.escape(form).replace(r"\{s\}", "(?P<s>[A-Z][a-z]+)").replace(r"\{v\}", f"(?P<v>{'|'.join(relation.pool)})")
            )
            rules.append((re.compile(pattern), other.replace("{s}", r"\g<s>").replace("{v}", r"\g<v>")))
    return tuple(rules)


def paraphrase_sentence(sentence: str) -> str:
    """One sentence in other words; a sentence that no rule knows is given back as it is."""
    for pattern, replacement in _rules():
        if pattern.fullmatch(sentence):
            return pattern.sub(replacement, sentence)
    return sentence


def paraphrase(text: str) -> str:
    """Rewrites each sentence that a rule knows; what stands between sentences stays."""
    parts = re.split(r"(?<=[.?!])(\s+)", text)
    return "".join(paraphrase_sentence(part) for part in parts)
