"""Which texts say the same: equal words, and near-duplicates by the words that they share (TF-IDF of words and pairs of words).

Rare words weigh most, so that two statements about different names differ while a rearranged or padded one does not.
"""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

NEAR = 0.8
"""Cosine from which two texts count as near-duplicates."""

ROWS = 500  # texts compared with all others at once


def plain_words(text: str) -> str:
    """Lower case, words and numbers only, single spaces: equal for texts that differ in case, marks and spaces."""
    return " ".join(re.findall(r"\w+", text.lower()))


def duplicates(texts: Sequence[str]) -> list[int]:
    """For each text the place of the first one with the same words."""
    first: dict[str, int] = {}
    return [first.setdefault(plain_words(text), place) for place, text in enumerate(texts)]


def near_duplicates(texts: Sequence[str], threshold: float = NEAR) -> list[int]:
    """For each text the place of the earliest kept one that it nearly repeats; its own where it repeats none.

    A text is compared with those kept before it, never with one that was itself a repeat, so that groups do not chain.

    Args:
        texts: What to compare.
        threshold: Least cosine of a repeat.
    """
    groups = duplicates(texts)
    distinct = [place for place, group in enumerate(groups) if place == group]
    found = dict(zip(distinct, _grouped(_vectors([texts[place] for place in distinct]), distinct, threshold), strict=True))
    return [found[group] for group in groups]


def self_similarity(texts: Sequence[str]) -> float | None:
    """Mean cosine of two different texts, 0 (nothing shared) to 1; None for fewer than two."""
    if len(texts) < 2:
        return None
    vectors = _vectors(texts)
    total = np.asarray(vectors.sum(axis=0)).ravel()
    own = float(vectors.multiply(vectors).sum())
    return float((total @ total - own) / (len(texts) * (len(texts) - 1)))


def _vectors(texts: Sequence[str]) -> Any:
    """Rows of unit length (or empty), sparse."""
    from scipy.sparse import csr_matrix
    from sklearn.feature_extraction.text import TfidfVectorizer

    prepared = [plain_words(text) for text in texts]
    if not any(prepared):
        return csr_matrix((len(texts), 1))
    return TfidfVectorizer(token_pattern=r"\S+", ngram_range=(1, 2), sublinear_tf=True).fit_transform(prepared)


def _grouped(vectors: Any, places: Sequence[int], threshold: float) -> list[int]:
    count = vectors.shape[0]
    leader: NDArray[np.intp] = np.arange(count)
    for start in range(0, count, ROWS):
        block = (vectors[start : start + ROWS] @ vectors.T).tocsr()
        for row in range(block.shape[0]):
            here = start + row
            near = block.indices[block.indptr[row] : block.indptr[row + 1]]
            close = near[block.data[block.indptr[row] : block.indptr[row + 1]] >= threshold]
            earlier = [other for other in close if other < here and leader[other] == other]
            if earlier:
                leader[here] = min(earlier)
    return [places[one] for one in leader]
