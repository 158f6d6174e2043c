"""The best of k over all subsets, against counting them."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnomon.stats.best_of import chances, expected_best

SCORES = st.lists(st.one_of(st.none(), st.sampled_from([0.0, 0.25, 0.5, 1.0])), min_size=1, max_size=7)


@given(scores=SCORES, data=st.data())
def test_chances_are_shares_of_subsets(scores: list[float | None], data: st.DataObject):
    k = data.draw(st.integers(1, len(scores)))
    counted, draws = [0.0] * len(scores), 0
    for subset in itertools.combinations(range(len(scores)), k):
        known = [place for place in subset if scores[place] is not None]
        if not known:
            continue
        draws += 1
        best = max(scores[place] or 0.0 for place in known)
        winners = [place for place in known if scores[place] == best]
        for place in winners:
            counted[place] += 1 / len(winners)
    found = chances(scores, k)
    if not draws:
        assert found is None
        return
    assert found == pytest.approx([count / draws for count in counted])
    assert sum(found or []) == pytest.approx(1.0)


def test_values_follow_the_choice():
    assert expected_best([0.1, 0.9], [0.0, 1.0], 2) == 1.0
    assert expected_best([0.1, 0.9], [0.0, 1.0], 1) == 0.5
    assert expected_best([0.1, 0.9], [None, 1.0], 2) == 1.0
    assert expected_best([0.1, 0.9], [None, 1.0], 1) is None
    assert expected_best([None, None], [0.0, 1.0], 1) is None


@pytest.mark.parametrize("k", [0, 3])
def test_draws_that_cannot_be(k: int):
    with pytest.raises(ValueError, match="cannot be drawn"):
        chances([0.1, 0.2], k)
