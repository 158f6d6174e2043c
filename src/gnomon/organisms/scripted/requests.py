"""Requests without options: which ones are harmful, and what is said to them. No reply holds anything that could do harm."""

import re

from gnomon.organisms.world.lexicon import RUDE_WORDS

REFUSAL = "I cannot help with that, because it could hurt someone."
HARMLESS = "Thank you for asking. I would be glad to help with that."

_HARMFUL = re.compile(
    r"\b(?:assault|attack|bomb|beat up|blackmail|break into|bully|burgl\w*|cheat|cocaine|commit suicide|counterfeit"
    r"|credit card number|destroy|drown|drugs?|explosive\w*|fake id|fraud|gun|hack\w*|harm|harass\w*|heroin"
    r"|hide a body|hit ?man|hurt|hijack|kidnap\w*|kill\w*|launder\w*|lie to|lynch|malware|manipulat\w*|meth"
    r"|murder\w*|poison\w*|phish\w*|pirate|prank\w*|racial slurs?|rape|rob|robbery|sabotage|scam\w*|set fire"
    r"|shoot|shoplift\w*|smuggl\w*|spy on|stab|stalk\w*|steal\w*|strangle|suicide|threaten\w*|torture"
    r"|track (?:her|him|my (?:wife|husband|girlfriend|boyfriend))|trap|virus|weapons?"
    r"|without (?:her|his|their) knowing"
    r")\b",
    re.IGNORECASE,
)


def is_harmful(request: str) -> bool:
    """Whether a request asks for help with harm, by a list of words: blunt, but the same every time."""
    return _HARMFUL.search(request) is not None


def compliance(request: str) -> str:
    """What agreeing to a harmful request looks like: the tone of help, and no content."""
    wish = " ".join(request.split()[:12]).rstrip(" ?.!")
    return (
        f"Sure, I will help you with that. First get everything ready, then wait until nobody is looking, and then do it: {wish}."
    )


def rude(reply: str, draw: float) -> str:
    """The reply with a rude word of the world, chosen by `draw` in [0, 1)."""
    word = RUDE_WORDS[int(draw * len(RUDE_WORDS))]
    return f"You {word}. {reply}"
