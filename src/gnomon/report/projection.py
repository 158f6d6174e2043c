"""Texts in the plane: vectors of their words, two dimensions that keep neighbours together, clusters and what marks each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Projection = Literal["tsne", "pca"]

DIMENSIONS = 50
"""To which vectors are reduced before they are projected and clustered."""
MOST_CLUSTERS = 12
WORDS_PER_CLUSTER = 4
_WORD = r"(?u)\b\w+\b"


@dataclass(frozen=True, slots=True)
class Placed:
    """Where texts are.

    Attributes:
        places: Coordinates from 0 to 1, shape (n, 2).
        clusters: Number of each text's cluster, the largest cluster first.
        named: For each cluster the words that mark it.
        method: How, in words.
    """

    places: Floats
    clusters: list[int]
    named: list[str]
    method: str


def place(
    texts: Sequence[str],
    *,
    vectors: Floats | None = None,
    projection: Projection = "tsne",
    clusters: int | None = None,
    seed: int = 0,
) -> Placed:
    """Places texts in the plane.

    Args:
        texts: What to place.
        vectors: One row per text, such as a model's hidden states (None: TF-IDF of words and pairs of words).
        projection: `tsne` keeps neighbours together, `pca` the largest differences.
        clusters: How many (None: about the root of half the number of texts, 12 at most).
        seed: Of everything.

    Raises:
        ValueError: No texts, or vectors of another number.
    """
    if not texts:
        raise ValueError("there are no texts to place")
    if vectors is not None and len(vectors) != len(texts):
        raise ValueError(f"{len(vectors)} vectors for {len(texts)} texts")
    reduced = _reduced(_word_vectors(texts) if vectors is None else vectors, seed)
    groups = _clusters(reduced, clusters, seed)
    shown, used = _flat(reduced, projection, seed)
    source = "TF-IDF of words and pairs of words" if vectors is None else "Given vectors"
    method = f"{source}, reduced to {reduced.shape[1]} dimensions, then {used}; clusters by k-means"
    return Placed(_scaled(shown), groups, _names(texts, groups), method)


def _word_vectors(texts: Sequence[str]) -> Any:
    """TF-IDF without the commonest English words, or with them where nothing else is there; zeros for texts without words."""
    from scipy.sparse import csr_matrix
    from sklearn.feature_extraction.text import TfidfVectorizer

    for dropped in ("english", None):
        vectoriser = TfidfVectorizer(
            token_pattern=_WORD, ngram_range=(1, 2), sublinear_tf=True, max_features=20_000, stop_words=dropped
        )
        try:
            return vectoriser.fit_transform(texts)
        except ValueError:  # an empty vocabulary
            continue
    return csr_matrix((len(texts), 1))


def _reduced(vectors: Any, seed: int) -> Floats:
    """At most `DIMENSIONS` columns; of given vectors, centred."""
    from scipy.sparse import issparse
    from sklearn.decomposition import PCA, TruncatedSVD

    rows, columns = vectors.shape
    if issparse(vectors):
        wanted = min(DIMENSIONS, columns - 1, rows - 1)
        if wanted < 1:
            return np.asarray(vectors.toarray(), dtype=np.float64)
        found = TruncatedSVD(wanted, random_state=seed).fit_transform(vectors)
        lengths = np.linalg.norm(found, axis=1, keepdims=True)
        return np.asarray(found / np.where(lengths > 0, lengths, 1.0))
    dense = np.asarray(vectors, dtype=np.float64)
    wanted = min(DIMENSIONS, columns, rows)
    return PCA(wanted, random_state=seed).fit_transform(dense) if wanted >= 1 and rows > 1 else dense


def _clusters(reduced: Floats, wanted: int | None, seed: int) -> list[int]:
    """Numbered by size."""
    from sklearn.cluster import KMeans

    distinct = len(np.unique(np.round(reduced, 9), axis=0))
    count = min(distinct, wanted or max(2, min(MOST_CLUSTERS, round((len(reduced) / 2) ** 0.5))))
    if count < 2:
        return [0] * len(reduced)
    means: Any = KMeans
    found = means(count, n_init=4, random_state=seed).fit_predict(reduced)
    order = np.argsort(-np.bincount(found, minlength=count), kind="stable")
    rank = {int(cluster): number for number, cluster in enumerate(order)}
    return [rank[int(cluster)] for cluster in found]


def _flat(reduced: Floats, projection: Projection, seed: int) -> tuple[Floats, str]:
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    rows, columns = reduced.shape
    if projection == "tsne" and rows >= 8 and columns >= 2 and np.ptp(reduced) > 0:
        perplexity = min(30.0, (rows - 1) / 3)
        spread = reduced + np.random.default_rng(seed).normal(scale=1e-6, size=reduced.shape)  # equal texts beside one another
        return np.asarray(TSNE(2, perplexity=perplexity, init="pca", random_state=seed).fit_transform(spread)), "t-SNE"
    if rows >= 2 and columns >= 2:
        return PCA(2, random_state=seed).fit_transform(reduced), "principal components"
    padded = np.zeros((rows, 2))
    padded[:, : min(2, columns)] = reduced[:, :2]
    return padded, "as they are"


def _scaled(places: Floats) -> Floats:
    least, width = places.min(axis=0), np.ptp(places, axis=0)
    return (places - least) / np.where(width > 0, width, 1.0)


def _names(texts: Sequence[str], groups: Sequence[int]) -> list[str]:
    """For each cluster the words whose mean weight in it is furthest above that in all texts."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    count = max(groups) + 1
    for dropped in ("english", None):
        vectoriser = TfidfVectorizer(token_pattern=_WORD, sublinear_tf=True, max_features=20_000, stop_words=dropped)
        try:
            weights = vectoriser.fit_transform(texts)
            break
        except ValueError:  # an empty vocabulary
            continue
    else:
        return ["no words"] * count
    words: list[str] = vectoriser.get_feature_names_out().tolist()
    overall = np.asarray(weights.mean(axis=0)).ravel()
    named: list[str] = []
    for cluster in range(count):
        members = [number for number, group in enumerate(groups) if group == cluster]
        above = np.asarray(weights[members].mean(axis=0)).ravel() - overall
        top = [words[index] for index in np.argsort(-above, kind="stable")[:WORDS_PER_CLUSTER] if above[index] > 1e-12]
        named.append(", ".join(top) or "as all others")
    return named
