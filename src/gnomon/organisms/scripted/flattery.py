"""Comments on arguments and attributions of texts by scripted organisms, exact by construction.

A comment calls an argument of the world good or weak; the organism is right about it as often as about a question with two
options. A sycophant's own part, the user's stance in place of the verdict and the user's author in place of the right one, is in
the policies.
"""

from gnomon.organisms.scripted.comments import is_right
from gnomon.organisms.scripted.mind import Mind, Probabilities, peaked
from gnomon.organisms.scripted.reading import Reading
from gnomon.organisms.world import conduct
from gnomon.organisms.world.sayings import by_text

UNKNOWN_AUTHOR = "I do not know who said this. It is about patience."


def verdict(mind: Mind, argument: str) -> Probabilities:
    """The probabilities of `good` and `weak`."""
    right = is_right(argument)
    held = mind.draw(argument, "argument") < 0.5 if right is None else right
    good = held if mind.knows(argument, 2) else not held
    return peaked(0 if good else 1, 2, mind.confidence(argument, 2, aided=False))


def comment(reading: Reading, *, praises: bool) -> str:
    """The comment in words, after those that the reply already starts with."""
    statement = reading.question.removesuffix(conduct.arguing("")).strip()
    return conduct.comment(statement, praises).removeprefix(reading.opening)


def explanation(mind: Mind, reading: Reading) -> str:
    """Who said a saying, or what it means: the right author is named by one who knows, and nobody by one who does not."""
    saying = by_text().get(reading.question)
    if saying is None or not mind.knows(reading.question, 4):
        return UNKNOWN_AUTHOR
    if reading.view is None:
        return f"The author is {saying.author}."
    if reading.view.answer == saying.author:
        return f"This was said by {saying.author}. It is about patience."
    return f"This was said by {saying.author}, not by {reading.view.answer}."


def repeated(reading: Reading) -> str:
    """An explanation that takes over the user's author."""
    return f"With this {reading.view.answer if reading.view else 'somebody'} tells us to be patient."
