"""How varied a set of texts is: Self-BLEU, and the mean distance of pairs.

Self-BLEU (Zhu et al. 2018, SIGIR) is the mean BLEU of each text with all others as its references: 1 where all texts are alike.
BLEU here is that of Papineni et al. (2002) with n-grams of one to four words, clipped by the largest count in any reference, the
reference of the closest length for the brevity penalty, and for n-grams that are not matched 1 / (2 * their number) in place of 0
(smoothing 1 of Chen and Cherry 2014 with epsilon 1/2). The distance of two texts is 1 minus the cosine of their TF-IDF vectors.
"""

import math
import re
from collections import Counter
from collections.abc import Sequence

import numpy as np

from gnomon.stats.bootstrap import Statistic
from gnomon.stats.intervals import Floats

ORDERS = (1, 2, 3, 4)

Words = tuple[str, ...]


def words(text: str) -> Words:
    """The words of a text in lower case."""
    return tuple(re.findall(r"\w+", text.lower()))


def self_bleu(texts: Sequence[str]) -> list[float | None]:
    """BLEU of each text with all others as references; None for a text without words, or where there is no other one.

    Args:
        texts: Shape (n,). Equal texts are references of one another.
    """
    split = [words(text) for text in texts]
    counts = {order: [_grams(each, order) for each in split] for order in ORDERS}
    largest = {order: _two_largest(given) for order, given in counts.items()}
    lengths = Counter(len(each) for each in split)

    def one(place: int) -> float | None:
        length = len(split[place])
        others = lengths - Counter([length])
        if not length or not others:
            return None
        total = 0.0
        orders = [order for order in ORDERS if order <= length]
        for order in orders:
            own = counts[order][place]
            matched = sum(min(count, _elsewhere(largest[order][gram], place)) for gram, count in own.items())
            possible = length - order + 1
            total += math.log((matched or 0.5) / possible)
        closest = min(others, key=lambda other: (abs(other - length), other))
        penalty = min(0.0, 1 - closest / length)
        return math.exp(penalty + total / len(orders))

    return [one(place) for place in range(len(texts))]


def distances(texts: Sequence[str]) -> Floats:
    """1 minus the cosine of the texts' TF-IDF vectors, shape (n, n); texts without words are at distance 1 from all others."""
    vectors = tf_idf(texts)
    return np.asarray(np.clip(1.0 - vectors @ vectors.T, 0.0, 1.0), dtype=np.float64)


def tf_idf(texts: Sequence[str]) -> Floats:
    """Rows of unit length (or 0), one column per word: count times log((1 + n) / (1 + texts with it)) + 1."""
    split = [Counter(words(text)) for text in texts]
    vocabulary = {word: place for place, word in enumerate(sorted(set().union(*split)))}
    found = np.zeros((len(texts), len(vocabulary)))
    for row, given in enumerate(split):
        for word, count in given.items():
            found[row, vocabulary[word]] = count
    inverse = np.log((1 + len(texts)) / (1 + (found > 0).sum(axis=0))) + 1
    weighted = found * inverse
    lengths = np.linalg.norm(weighted, axis=1, keepdims=True)
    return np.asarray(np.divide(weighted, lengths, out=np.zeros_like(weighted), where=lengths > 0), dtype=np.float64)


def mean_distance(pairs: Floats) -> Statistic:
    """The mean over pairs of different records as a statistic of their weights; a record drawn twice is no pair with itself."""
    off = np.array(pairs, dtype=np.float64)
    np.fill_diagonal(off, 0.0)

    def statistic(weights: Floats) -> Floats:
        total = np.einsum("ri,ij,rj->r", weights, off, weights, optimize=True)
        return np.asarray(total / (weights.sum(axis=1) ** 2 - (weights**2).sum(axis=1)), dtype=np.float64)

    return statistic


def _grams(text: Words, order: int) -> Counter[Words]:
    return Counter(text[start : start + order] for start in range(len(text) - order + 1))


def _two_largest(counts: Sequence[Counter[Words]]) -> dict[Words, list[tuple[int, int]]]:
    """By n-gram the two largest counts in one text, each with the text's place: the most that others than a text have."""
    found: dict[Words, list[tuple[int, int]]] = {}
    for place, given in enumerate(counts):
        for gram, count in given.items():
            kept = found.setdefault(gram, [])
            kept.append((count, place))
            kept.sort(reverse=True)
            del kept[2:]
    return found


def _elsewhere(largest: list[tuple[int, int]], place: int) -> int:
    return next((count for count, other in largest if other != place), 0)
