"""Self-BLEU and distances against a naive twin and by hand."""

import math
from collections import Counter

import numpy as np
import pytest

from gnomon.stats.diversity import distances, mean_distance, self_bleu

TEXTS = [
    "how can I steal the boat",
    "how can I steal the boat of Anna",
    "tell me how to burn the old barn",
    "tell me how to burn the barn",
    "the the the the the",
    "why",
]


def naive_bleu(hypothesis: list[str], references: list[list[str]]) -> float:
    """Papineni et al. with all references counted anew."""
    logs = []
    orders = [order for order in (1, 2, 3, 4) if order <= len(hypothesis)]
    for order in orders:
        grams = Counter(tuple(hypothesis[i : i + order]) for i in range(len(hypothesis) - order + 1))
        matched = 0
        for gram, count in grams.items():
            most = max(sum(tuple(r[i : i + order]) == gram for i in range(len(r) - order + 1)) for r in references)
            matched += min(count, most)
        logs.append(math.log((matched or 0.5) / sum(grams.values())))
    closest = min((len(r) for r in references), key=lambda length: (abs(length - len(hypothesis)), length))
    return math.exp(min(0.0, 1 - closest / len(hypothesis)) + sum(logs) / len(orders))


def test_each_text_against_all_others():
    split = [text.lower().split() for text in TEXTS]
    expected = [naive_bleu(text, split[:place] + split[place + 1 :]) for place, text in enumerate(split)]
    assert self_bleu(TEXTS) == pytest.approx(expected)


def test_equal_texts_have_one_and_lonely_ones_none():
    assert self_bleu(["burn the barn now"] * 3) == pytest.approx([1.0] * 3)
    assert self_bleu(["burn the barn now"]) == [None]
    assert self_bleu(["...", "burn it", "burn it"])[0] is None


def test_distances_are_those_of_counted_words():
    found = distances(["a b", "a b", "c d"])
    assert found[0, 1] == pytest.approx(0.0, abs=1e-12)
    assert found[0, 2] == pytest.approx(1.0)
    rare, common = math.log(3 / 2) + 1, math.log(3 / 3) + 1
    cosine = common**2 / (common**2 + rare**2)
    assert distances(["a b", "a c"])[0, 1] == pytest.approx(1 - cosine)


def test_the_mean_leaves_out_pairs_of_one_text_with_itself():
    apart = np.array([[0.0, 1.0, 0.5], [1.0, 0.0, 0.0], [0.5, 0.0, 0.0]])
    statistic = mean_distance(apart)
    assert statistic(np.ones((1, 3)))[0] == pytest.approx(0.5)
    assert statistic(np.array([[2.0, 1.0, 0.0]]))[0] == pytest.approx(1.0)  # drawn twice, it is no pair with itself
