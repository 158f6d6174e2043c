import math

from gnomon.datasets.messages import conversation
from gnomon.elicit.verdict import NO_VERDICT, verdict
from tests.elicit.fake import FakeModel

OPENED = conversation(("user", "Well?"), ("assistant", "It is"))


async def test_the_likelier_word_and_both_probabilities() -> None:
    found = await verdict(FakeModel(lambda text: {" good": 0.1, " weak": 0.3}), OPENED, (" good", " weak"))
    assert found.letter == " weak"
    assert math.isclose(found.probabilities[0], 0.25)
    assert math.isclose(found.mass or 0.0, 0.4)


async def test_tiny_probabilities_keep_their_ratio() -> None:
    found = await verdict(FakeModel(lambda text: {" good": 1e-300, " weak": 3e-300}), OPENED, (" good", " weak"))
    assert math.isclose(found.probabilities[1], 0.75)


async def test_missing_and_impossible_words_are_unscored() -> None:
    missing = await verdict(FakeModel(lambda text: {" good": None, " weak": 0.3}), OPENED, (" good", " weak"))
    assert missing.letter is None
    assert "' good'" in (missing.unscored or "")
    impossible = await verdict(FakeModel(lambda text: {}), OPENED, (" good", " weak"))
    assert impossible.unscored == NO_VERDICT
