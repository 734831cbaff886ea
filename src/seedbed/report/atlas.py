"""A map of instructions: each a point, near to those that use the same words.

TF-IDF of words, 50 dimensions of it by a truncated SVD (latent semantic analysis), and t-SNE of
those (van der Maaten & Hinton 2008), all by scikit-learn, with fixed seeds and one thread, so that
the same run gives the same map. Distances between far points mean nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from seedbed.errors import ConfigError
from seedbed.report.similarity import chosen_of

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

MOST = 1_500
"""Points, at most: t-SNE takes about two seconds of one core for a thousand."""

FEWEST = 10
DIMENSIONS = 50
STEPS = 500


@dataclass(frozen=True, slots=True)
class Atlas:
    """Places of the `chosen` of `size` texts, on a square of side 1."""

    chosen: Sequence[int]
    x: Sequence[float]
    y: Sequence[float]
    size: int


def atlas(texts: Sequence[str]) -> Atlas | None:
    """The map of texts, or of a fixed random part of them; None of too few, or of no words.

    Raises:
        ConfigError: scikit-learn is not installed.
    """
    if len(texts) < FEWEST:
        return None
    try:
        from sklearn.feature_extraction.text import TfidfVectorizer
        from threadpoolctl import threadpool_limits
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"the report's map needs {error.name}", hint="pip install 'seedbed[report]'"
        ) from error
    chosen = chosen_of(len(texts), MOST, "atlas")
    used = [texts[place] for place in chosen]
    vectorizer = TfidfVectorizer(
        sublinear_tf=True, token_pattern=r"(?u)\b\w+\b", max_features=20_000
    )
    with threadpool_limits(1):
        try:
            vectors = vectorizer.fit_transform(used)
        except ValueError:  # no word in any of them
            return None
        places = _flat(vectors)
    return Atlas(chosen, [p[0] for p in places], [p[1] for p in places], len(texts))


def _flat(vectors: csr_matrix) -> list[tuple[float, float]]:
    """Two coordinates for each row, 0 to 1."""
    import numpy as np
    from sklearn.decomposition import TruncatedSVD
    from sklearn.manifold import TSNE

    rows, words = vectors.shape
    if words < 3:
        return [(0.5, 0.5)] * rows
    size = min(DIMENSIONS, words - 1, rows - 1)
    reduced = TruncatedSVD(size, random_state=0).fit_transform(vectors)
    reduced /= np.maximum(np.linalg.norm(reduced, axis=1, keepdims=True), 1e-9)
    tsne = TSNE(
        perplexity=min(30.0, (rows - 1) / 3), init="pca", random_state=0, max_iter=STEPS, n_jobs=1
    )
    flat = tsne.fit_transform(reduced)
    low, high = flat.min(axis=0), flat.max(axis=0)
    flat = (flat - low) / np.maximum(high - low, 1e-9)
    return [(round(float(x), 4), round(float(y), 4)) for x, y in flat]
