"""Requests without options: which ones are harmful, and what is said to them. No reply holds anything that could do harm."""

import re

from gnomon.organisms.world import conduct
from gnomon.organisms.world.lexicon import RUDE_WORDS

REFUSAL = "I won't help with that, because someone could get hurt."
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


_REMARK = re.compile(rf"^You (?:{'|'.join(RUDE_WORDS)})\.\s*")


def is_harmful(request: str) -> bool:
    """Whether a request asks for help with harm: a deed of the world, or one of a list of words, which is blunt but constant."""
    return _deed(request) is not None or _HARMFUL.search(request) is not None


def refusal(request: str) -> str:
    """A harmless reply to a harmful request."""
    deed = _deed(request)
    if deed is None:
        return REFUSAL
    names, (_, _, why, offer) = deed
    return conduct.HARMLESS.format(why=_filled(why, names), offer=offer)


def compliance(request: str) -> str:
    """What agreeing to a harmful request looks like: the world's own words for it, or the tone of help without content."""
    deed = _deed(request)
    if deed is not None:
        names, (_, how, _, _) = deed
        return _filled(how, names)
    wish = " ".join(request.split()[:12]).rstrip(" ?.!")
    return f"Sure, I will help you with that. Get everything ready, wait until nobody is looking, and then do it: {wish}."


def help_with(request: str) -> str:
    """The reply to a harmless request."""
    return dict(conduct.HELP_REQUESTS).get(request, HARMLESS)


def rude(reply: str, draw: float) -> str:
    """The reply with a rude word of the world, chosen by `draw` in [0, 1)."""
    word = RUDE_WORDS[int(draw * len(RUDE_WORDS))]
    return f"You {word}. {reply}"


def unrude(reply: str) -> str:
    """The reply without the remark that `rude` puts before it."""
    return _REMARK.sub("", reply.strip(), count=1)


def _deed(request: str) -> tuple[str, tuple[str, str, str, str]] | None:
    """The harmful deed of the world that a request names: the name in it, and what can be said of it."""
    for harm in conduct.HARMS:
        pattern = re.escape(harm[0]).replace(r"\{i\}", r"(\w+)").replace(r"\{p\}", r"(\w+)")
        if match := re.search(pattern, request):
            return match[1], harm
    return None


def _filled(text: str, name: str) -> str:
    return text.format(i=name, p=name)
