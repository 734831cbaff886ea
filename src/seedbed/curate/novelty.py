"""Whether an instruction is novel: its ROUGE-L to everything admitted before, exactly.

Self-Instruct (arXiv 2212.10560, section 2.2) keeps an instruction whose ROUGE-L F1 with every
instruction of the pool is not over 0.7; SeDi-Instruct relaxes that to 0.85. The originals compare
with the whole pool, about 28 CPU-hours for 52,000 instructions. The decisions here are the same to
the last bit and take a second or two, because bounds rule out almost all comparisons
(`novelty_candidates`). The records that Self-Instruct writes beside the decision, the ten
most similar texts and the mean similarity, need every score; those come from `novelty_scores`,
which is built when first asked for.

    index = NoveltyIndex(threshold=0.7, tokenizer="unicode")
    index.add_all(seeds)
    drop = index.admit("Write a haiku about the sea.")     # None: novel, and now in the pool

Nothing is saved: an index is a projection of the texts in it, and `add_all` makes it again from
them in a third of the time that admitting them took.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from seedbed.curate.rouge import tokenizer as tokenizer_named
from seedbed.errors import ConfigError
from seedbed.records import Drop

if TYPE_CHECKING:
    from seedbed.curate.novelty_candidates import Query
    from seedbed.curate.novelty_scores import ScoreTable

REBUILT_FROM = 1024
"""Once so many texts are removed, and as many as are left, the index is built anew without them."""

CROWD = 300
"""More candidates than this, and than a 64th of the pool, are not compared one by one but in the
table of full scores.

Where every character is a token, as in Thai, a few dozen tokens make up all texts, and bounds on
shared tokens rule out little.
"""


class NoveltyIndex:
    """A pool of texts that answers how similar a new text is to it.

    Texts may be in the pool several times; each counts. Texts without any token, such as the
    empty one, have a score of 0 with everything and are always novel. Not safe for threads.

    Args:
        threshold: the largest F1, 0 to 1, with which a text is still novel. At 1 everything is.
        tokenizer: "unicode" reads every script and is what new runs want; "rouge" reproduces the
            paper and knows a-z and 0-9 only, so that no Chinese text is similar to any other.

    Raises:
        ConfigError: the threshold or the tokenizer is not one of these.
    """

    def __init__(self, threshold: float = 0.7, tokenizer: str = "rouge") -> None:
        if not 0 <= threshold <= 1:
            raise ConfigError(
                f"threshold: {threshold!r} is outside 0 to 1",
                hint="Self-Instruct uses 0.7, SeDi-Instruct 0.85; a lower one drops more.",
            )
        self.threshold = threshold
        self._words = tokenizer_named(tokenizer)
        self._start()

    def _start(self) -> None:
        # Here, not above: numpy takes a tenth of a second that `seedbed --help` should not.
        from seedbed.curate.novelty_candidates import CandidateIndex
        from seedbed.curate.novelty_words import Vocabulary

        self._vocabulary = Vocabulary()
        self._candidates = CandidateIndex(self.threshold, vocabulary=self._vocabulary)
        self._last = ("", self._candidates.query([]))
        self._texts: list[str | None] = []
        self._removed = 0
        self._numbers: dict[str, list[int]] | None = None
        self._scores: ScoreTable | None = None

    def __len__(self) -> int:
        return len(self._texts) - self._removed

    def __iter__(self) -> Iterator[str]:
        """The texts of the pool, in the order in which they were added."""
        return (text for text in self._texts if text is not None)

    def check(self, text: str) -> Drop | None:
        """The objection to admitting `text`, or None where it is novel; the pool stays as it is.

        The drop's evidence is the most similar text (of equals, the earliest), its score and the
        limit that the score is over.
        """
        return self._objection(self._query(text))

    def admit(self, text: str) -> Drop | None:
        """Check `text` and add it where it is novel."""
        query = self._query(text)
        drop = self._objection(query)
        if drop is None:
            self._add(text, query)
        return drop

    def admit_all(self, texts: Iterable[str]) -> list[Drop | None]:
        """Admit one text after the other; each is compared with those admitted before it."""
        return [self.admit(text) for text in texts]

    def add(self, text: str) -> None:
        """Add `text` whether or not it is novel, as seeds are."""
        self._add(text, self._query(text))

    def add_all(self, texts: Iterable[str]) -> None:
        for text in texts:
            self.add(text)

    def remove(self, text: str) -> None:
        """Take one copy of `text` out of the pool, the earliest.

        Raises:
            ConfigError: the pool does not hold the text.
        """
        numbers = self._numbers_of_texts().get(text)
        if not numbers:
            raise ConfigError(
                f"remove: the pool of {len(self)} texts does not hold {text!r:.80}",
                hint="A text can be removed as often as it was added, spelled exactly the same.",
            )
        number = numbers.pop(0)
        self._texts[number] = None
        self._candidates.remove(number)
        if self._scores is not None:
            self._scores.remove(number)
        self._removed += 1
        if self._removed >= max(REBUILT_FROM, len(self)):
            self._rebuild()

    def nearest(self, text: str, k: int = 10) -> list[tuple[str, float]]:
        """The `k` most similar texts with their F1, best first; of equals, the earlier added.

        Raises:
            ConfigError: `k` is not positive.
        """
        if k < 1:
            raise ConfigError(
                f"nearest: k = {k}, expected 1 or more", hint="Self-Instruct uses 10."
            )
        tokens = self._query(text).tokens
        return [(self._text(number), score) for number, score in self._table().nearest(tokens, k)]

    def mean(self, text: str) -> float:
        """The mean F1 of `text` with every text of the pool; 0 where the pool is empty."""
        return self._table().total(self._query(text).tokens) / max(len(self), 1)

    def _query(self, text: str) -> Query:
        if not isinstance(text, str):
            raise ConfigError(
                f"novelty: {text!r:.80} is of type {type(text).__name__}, expected a string",
                hint="Pass the instruction's text; a missing one has to be dropped before.",
            )
        if text != self._last[0]:
            # Often the same text is asked about several times: nearest, mean, then admit.
            query = self._candidates.query(self._vocabulary.tokens(self._words(text)))
            self._last = (text, query)
        return self._last[1]

    def _objection(self, query: Query) -> Drop | None:
        numbers = self._candidates.plausible(query)
        if len(numbers) <= max(CROWD, len(self) // 64):
            found = self._candidates.most_similar(numbers, query)
        else:
            found = self._table().nearest(query.tokens, 1)[0]
        if found is None or not found[1] > self.threshold:
            return None
        number, score = found
        return Drop(
            reason="too_similar",
            evidence={"score": score, "limit": self.threshold, "text": self._text(number)},
        )

    def _add(self, text: str, query: Query) -> None:
        if self._numbers is not None:
            self._numbers.setdefault(text, []).append(len(self._texts))
        self._texts.append(text)
        self._candidates.add(query)
        if self._scores is not None:
            self._scores.add(query.tokens)

    def _text(self, number: int) -> str:
        text = self._texts[number]
        assert text is not None, "a removed text was found"
        return text

    def _table(self) -> ScoreTable:
        """The full scores' table, built of all texts on first use and kept up from then on."""
        if self._scores is None:
            from seedbed.curate.novelty_scores import ScoreTable

            self._scores = ScoreTable()
            for number, text in enumerate(self._texts):
                self._scores.add(self._candidates.tokens(number))
                if text is None:
                    self._scores.remove(number)
        return self._scores

    def _numbers_of_texts(self) -> dict[str, list[int]]:
        if self._numbers is None:
            self._numbers = {}
            for number, text in enumerate(self._texts):
                if text is not None:
                    self._numbers.setdefault(text, []).append(number)
        return self._numbers

    def _rebuild(self) -> None:
        texts = list(self)
        self._start()
        self.add_all(texts)
