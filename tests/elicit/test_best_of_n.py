"""Best-of-N: the ranking, and how probable each reply is to be chosen, against brute force over all subsets."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnomon.datasets.messages import conversation
from gnomon.elicit.best_of_n import Ranked, best_of_n, ranked
from gnomon.errors import ConfigurationError
from gnomon.models.model import Generation, Sampling

from .fake import FakeModel

ASKED = conversation(("user", "Hello"))


class ByLength:
    """Prefers longer replies; cannot score the word `none`."""

    fingerprint = "length"

    def __init__(self, extra: int = 0):
        self.extra = extra

    async def scores(self, conversation, replies):
        return [None if text == "none" else float(len(text)) for text in replies] + [0.0] * self.extra


def said(*texts):
    return [Generation(text) for text in texts]


async def test_the_best_reply_is_the_one_with_the_highest_score():
    found = await ranked(ByLength(), ASKED, said("aa", "none", "aaaa", "a"))
    assert found.order == [2, 0, 3]
    assert found.best == Generation("aaaa")
    assert found.scores == (2.0, None, 4.0, 1.0)


async def test_it_samples_n_replies_with_the_sampling_given():
    texts = iter(["a", "aaa", "aa"])
    model = FakeModel(lambda text: {}, lambda text: next(texts))
    sampling = Sampling(max_tokens=7, seed=3)
    found = await best_of_n(model, ByLength(), ASKED, 3, sampling)
    assert [reply.text for reply in found.replies] == ["a", "aaa", "aa"]
    assert found.best == Generation("aaa")
    assert [asked for _, asked in model.asked] == [sampling] * 3


async def test_nothing_scored_has_no_best_reply():
    found = await ranked(ByLength(), ASKED, said("none", "none"))
    assert found.best is None
    assert found.chances(1) is None


async def test_a_score_that_is_no_finite_number_is_no_score():
    class Broken:
        fingerprint = "broken"

        async def scores(self, conversation, replies):
            return [math.nan, math.inf, -1.0]

    found = await ranked(Broken(), ASKED, said("x", "y", "z"))
    assert found.scores == (None, None, -1.0)
    assert found.best == Generation("z")


async def test_a_scorer_that_loses_replies_is_said():
    with pytest.raises(ConfigurationError, match="gave 3 scores for 1 replies"):
        await ranked(ByLength(extra=2), ASKED, said("x"))


@pytest.mark.parametrize("n", [0, -1])
async def test_n_below_one_is_said(n):
    with pytest.raises(ConfigurationError, match="at least 1 reply"):
        await best_of_n(FakeModel(lambda text: {}), ByLength(), ASKED, n, Sampling())
    with pytest.raises(ConfigurationError, match="at least 1 reply"):
        Ranked((), ()).chances(n)


@given(st.lists(st.one_of(st.none(), st.integers(0, 3)), min_size=1, max_size=7), st.integers(1, 7))
def test_chances_are_those_of_all_subsets(scores, n):
    found = Ranked(tuple(said(*"x" * len(scores))), tuple(scores)).chances(n)
    scored = [place for place, score in enumerate(scores) if score is not None]
    if len(scored) < n:
        assert found is None
        return
    subsets = list(itertools.combinations(scored, n))
    expected = [0.0] * len(scores)
    for subset in subsets:
        most = max(scores[place] for place in subset)
        winners = [place for place in subset if scores[place] == most]
        for place in winners:
            expected[place] += 1 / len(winners) / len(subsets)
    # Within a subset ties are shared among its own members, which over all subsets is even among all equal ones.
    assert found == pytest.approx(expected)
    assert sum(found) == pytest.approx(1.0)
