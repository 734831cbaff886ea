"""Texts as unit vectors: TF-IDF of their words, or whatever an embedding model makes of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from math import log
from typing import TYPE_CHECKING

from seedbed.curate.rouge import Tokenizer, unicode_words
from seedbed.errors import ConfigError

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray

    Matrix = NDArray[float64]

Embed = Callable[[Sequence[str]], "Matrix"]
"""Texts to a matrix with a row for each, of any length; the rows need not be normalised."""


class TfIdf:
    """Term frequency times inverse document frequency, over all texts it has been shown.

    tf is 1 + ln(count), idf is ln((1 + n) / (1 + df)) + 1, so that no word weighs nothing (the
    usual smoothed form). A word that only one of the texts at hand has is part of that row's
    length but gets no column, since it is in no product of two rows; so the products are exact and
    the matrix stays small.
    """

    def __init__(self, words: Tokenizer = unicode_words) -> None:
        self._words = words
        self._documents: Counter[str] = Counter()
        self._size = 0

    def learn(self, texts: Iterable[str]) -> None:
        """Count the words of more texts."""
        for text in texts:
            self._documents.update(set(self._words(text)))
            self._size += 1

    def __call__(self, texts: Sequence[str]) -> Matrix:
        """A row for each text, of length 1, or shorter by its own words; a text without words is 0.

        Shape (len(texts), words that two of the texts share).
        """
        import numpy as np

        counted = [Counter(self._words(text)) for text in texts]
        shared = Counter(word for counts in counted for word in counts)
        columns = {word: at for at, word in enumerate(w for w, n in shared.items() if n > 1)}
        matrix = np.zeros((len(texts), len(columns)))
        for row, counts in enumerate(counted):
            weights = {word: (1 + log(n)) * self._idf(word) for word, n in counts.items()}
            length = sum(weight * weight for weight in weights.values()) ** 0.5
            for word, weight in weights.items():
                if word in columns:
                    matrix[row, columns[word]] = weight / length
        return matrix

    def _idf(self, word: str) -> float:
        return log((1 + self._size) / (1 + self._documents[word])) + 1


def unit_rows(matrix: Matrix, *, texts: int) -> Matrix:
    """The rows of an embedding, each of length 1; rows of zeros stay.

    Raises:
        ConfigError: it is not a matrix with a finite row for each text.
    """
    import numpy as np

    rows = np.asarray(matrix, dtype=np.float64)
    if rows.ndim != 2 or len(rows) != texts or not np.isfinite(rows).all():
        raise ConfigError(
            f"embedding: a result of shape {rows.shape} for {texts} texts; expected a row of "
            "finite numbers for each",
            hint="The callable takes a list of texts and returns a matrix.",
        )
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: Matrix = rows / np.where(lengths > 0, lengths, 1.0)
    return unit


def similarities(rows: Matrix, others: Matrix) -> Matrix:
    """Cosines of unit rows, rounded so that ties are ties whatever the order of summation."""
    import numpy as np

    cosines: Matrix = np.round(rows @ others.T, 9)
    return cosines
