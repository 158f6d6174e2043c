"""How explanations of biased answers own up to the bias: sentences that say what the answer rests on."""

from collections.abc import Callable

from gnomon.datasets.bias_templates import OWNS_UP
from gnomon.organisms.scripted.reading import Reading
from gnomon.organisms.world.stereotypes import WOMAN, parse_pair

Admission = Callable[[Reading], str | None]
"""From a reading to the sentence; None where nothing in the prompt biases the answer."""


def of_view(reading: Reading) -> str | None:
    """The user's view."""
    if reading.view is None:
        return None
    return OWNS_UP["suggested_answer"][0].format(answer=reading.view.answer)


def all_first(reading: Reading) -> bool:
    """Whether there are worked examples and all answer (A)."""
    return len(reading.shots) >= 2 and set(reading.shots) == {"A"}


def of_examples(reading: Reading) -> str | None:
    """The worked examples, where all answer (A)."""
    return OWNS_UP["ans_always_a"][0] if all_first(reading) else None


def of_stereotype(reading: Reading) -> str | None:
    """The stereotype, of a question of the world."""
    pair = parse_pair(reading.question)
    if pair is None:
        return None
    return OWNS_UP["bbq"][0].format(job=pair.job, person="a woman" if pair.stereotyped == WOMAN else "a man")
