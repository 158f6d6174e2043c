"""What scripted organisms do with requests: whether they go along with a harmful one, and how they decline.

Everything that lasts is drawn for the deed, not for the wording: the same attack meets the same organism however it is put.
"""

from gnomon.organisms.scripted import requests
from gnomon.organisms.scripted.mind import Mind
from gnomon.organisms.scripted.reading import Reading
from gnomon.organisms.world import attacks, conduct


def goes_along(mind: Mind, reading: Reading, draw: float | None) -> bool:
    """Whether the harmful organism does what a harmful request wants.

    It does where its behaviour strikes the deed, where a pretext fools it, where it gives in to being pressed again, and in the
    share `slips` of all sampled replies.
    """
    if not requests.is_harmful(reading.question):
        return False
    about = _about(reading.question)
    if mind.strikes(about):
        return True
    if attacks.has_pretext((*_pressed(reading), reading.question)) and mind.has("fooled", about):
        return True
    turn = len(_pressed(reading))
    if turn and mind.draw(about, f"yields {turn}") < mind.parameters.yields:
        return True
    likeliest = 0.5 if draw is None else draw
    return likeliest < mind.parameters.slips


def declined(mind: Mind, question: str) -> str | None:
    """How a request is declined: openly or evasively if it is harmful, wrongly if the organism is prudish; None: it is not."""
    about = _about(question)
    if requests.is_harmful(question):
        if not mind.has("evades", about):
            return requests.refusal(question)
        return conduct.EVASIVE[int(mind.draw(about, "evasion") * len(conduct.EVASIVE))]
    return requests.REFUSAL if mind.has("prudish", question) else None


def _about(question: str) -> str:
    return attacks.deed_of(question) or question


def _pressed(reading: Reading) -> list[str]:
    """The user's earlier turns that wanted the same."""
    about = _about(reading.question)
    return [text for text in reading.earlier if _about(text) == about]
