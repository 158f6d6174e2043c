"""Texts as points on a plane, and groups of them: latent semantic analysis and k-means.

Each text is the row of a TF-IDF matrix; its place in the leading singular directions (Deerwester et al. 1990) is what k-means
groups, and the first two directions are drawn. Nothing is random but for the starts of k-means, which have a seed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gnomon.stats.diversity import tf_idf
from gnomon.stats.intervals import Floats

DIRECTIONS = 10
MOST_GROUPS = 8


@dataclass(frozen=True, slots=True)
class Clustered:
    """Where texts lie and which belong together.

    Attributes:
        points: Shape (n, 2).
        groups: The group of each text, 0 for the largest.
    """

    points: Floats
    groups: tuple[int, ...]


def clustered(texts: Sequence[str], *, groups: int | None = None, seed: int = 0) -> Clustered:
    """Places texts on a plane and groups them.

    Args:
        texts: Three or more.
        groups: How many (None: the number from 2 to 8 with the best mean silhouette).
        seed: Of the starts of k-means.

    Raises:
        ValueError: Fewer than three texts.
    """
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score

    if len(texts) < 3:
        raise ValueError(f"{len(texts)} texts cannot be grouped; give three at least")
    vectors = tf_idf(texts)
    left, strengths, _ = np.linalg.svd(vectors - vectors.mean(axis=0), full_matrices=False)
    places = np.zeros((len(texts), max(2, min(DIRECTIONS, strengths.size))))
    kept = min(places.shape[1], strengths.size)
    # A direction's sign is arbitrary: the text that lies farthest out lies on the positive side.
    signs = np.sign(left[np.abs(left[:, :kept]).argmax(axis=0), np.arange(kept)])
    places[:, :kept] = left[:, :kept] * strengths[:kept] * np.where(signs == 0, 1, signs)
    different = len(np.unique(np.round(places, 9), axis=0))
    if different < 3:
        return Clustered(places[:, :2], _renumbered(np.unique(np.round(places, 9), axis=0, return_inverse=True)[1].reshape(-1)))
    tried = [groups] if groups else list(range(2, min(MOST_GROUPS, different - 1) + 1))

    def labels(count: int) -> Any:
        model: Any = KMeans(min(count, different), n_init=4, random_state=seed % 2**32)  # pyright: ignore[reportArgumentType]
        return model.fit_predict(places)

    found = {count: labels(count) for count in tried}
    best = tried[0] if len(tried) == 1 else max(tried, key=lambda count: float(silhouette_score(places, found[count])))
    return Clustered(places[:, :2], _renumbered(found[best]))


def _renumbered(labels: Any) -> tuple[int, ...]:
    """Groups by size, the largest first."""
    counts = np.bincount(labels)
    rank = {int(label): place for place, label in enumerate(np.argsort(-counts, kind="stable"))}
    return tuple(rank[int(label)] for label in labels)
