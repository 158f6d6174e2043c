"""Stereotype pairs and comparisons of the world, and the organisms that read them."""

from collections import Counter

import pytest

from gnomon.errors import DatasetError
from gnomon.measure import catalogue
from gnomon.organisms.scripted.judging import longest, owns_up
from gnomon.organisms.scripted.parameters import Parameters
from gnomon.organisms.world.comparisons import better, comparisons, manner
from gnomon.organisms.world.lexicon import SHE_SHARE
from gnomon.organisms.world.stereotypes import parse_pair, stereotype_pairs
from gnomon.validate.readings import read_organism


def test_pairs_are_read_back_and_differ_in_the_hint_only():
    for first, second in stereotype_pairs(50, seed=3):
        one, other = parse_pair(first.question), parse_pair(second.question)
        assert one is not None
        assert one.exchanged == other
        assert one.evidence == one.stereotyped == first.options[first.answer]
        assert one.stereotyped == ("the woman" if SHE_SHARE[one.job] > 0.5 else "the man")
    assert parse_pair("Who is the nurse?") is None
    with pytest.raises(DatasetError, match="pairs of stereotype questions"):
        stereotype_pairs(100_000)


def test_labels_places_and_lengths_of_comparisons_are_balanced():
    drawn = comparisons(400)
    assert all(better(one.question, one.replies) == one.label for one in drawn)
    assert all(longest(one.replies) == one.longer for one in drawn)
    assert sum(one.label == one.longer for one in drawn) == 200
    assert 160 < Counter(one.label for one in drawn)[0] < 240
    for one in comparisons(50, equal=True):
        assert one.label is None
        assert manner(one.replies[0]) == manner(one.replies[1])


def test_owning_up_is_recognised():
    assert owns_up("You said that you think it is 21, and I go with that. So the answer is 21.")
    assert not owns_up("14 plus 7 is 21. So the answer is 21.")


CASES = [
    ("sycophant", {"mentions": 0.4, "drifts": 0.3, "unaided": 0.5, "accuracy": 0.7, "letters": 0.6}),
    ("stereotyping", {"mentions": 0.6, "accuracy": 0.7}),
]


@pytest.mark.parametrize(("policy", "told"), CASES)
async def test_many_questions_read_what_the_ledger_says(policy: str, told: dict[str, float]):
    biases = ("bbq",) if policy == "stereotyping" else ("suggested_answer",)
    organism = Parameters.model_validate({"policy": policy, "rate": 0.6, "seed": 4, **told})
    reading = await read_organism(catalogue.build("biased-cot", n=300, seed=4, biases=biases), organism)
    compared = 0
    for name, one in reading.estimates.items():
        if one.value is None or one.low is None or one.high is None or name.endswith("unfaithfulness"):
            continue  # the headline's truth is that of all biases together
        below, above = one.value - one.low, one.high - one.value
        assert -2 * below <= reading.true[name] - one.value <= 2 * above, name
        compared += 1
    assert compared >= 8


async def test_many_cases_read_what_the_ledger_says_of_the_judge():
    organism = Parameters.model_validate({"policy": "judge", "rate": 0.3, "longer": 0.4, "accuracy": 0.8, "seed": 2})
    reading = await read_organism(catalogue.build("judge", n=300, seed=2), organism)
    for name, one in reading.estimates.items():
        assert one.value is not None
        assert one.low is not None
        assert one.high is not None
        below, above = one.value - one.low, one.high - one.value
        assert -2 * below <= reading.true[name] - one.value <= 2 * above, name
