"""Contamination: training examples that hold a benchmark's prompts, word for word or nearly.

Two tests, because neither alone is enough. Thirteen shared words in a row (GPT-3, arXiv 2005.14165,
appendix C) find a prompt that was pasted into a longer text, but most AlpacaEval prompts are
shorter than that. A near-match (ROUGE-L of the whole instruction with the whole prompt) finds short
ones and light rewordings, without an embedding model. Neither finds a paraphrase or a translation.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from seedbed.curate.rouge import f1, matches, positions, unicode_words
from seedbed.errors import ConfigError, DatasetError
from seedbed.records import JSON, Drop, Example, Filter


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchmarkPrompt:
    """One prompt that a benchmark asks; `id` is the benchmark's own name for it."""

    benchmark: str
    id: str
    text: str


def contaminated(
    prompts: Iterable[BenchmarkPrompt], *, run: int = 13, near: float = 0.8, shortest: int = 5
) -> Filter:
    """Reason `contaminated`; the evidence names the benchmark, its item and how it matched.

    `test` is "run" for `run` consecutive words of a prompt in the instruction, the input or the
    response, and "near" for a ROUGE-L of at least `near` between a prompt and the instruction,
    alone or with its input. Words are compared without case and punctuation, in every script.

    Args:
        prompts: what must not be trained on.
        run: words in a row.
        near: ROUGE-L F1, above 0 and at most 1.
        shortest: prompts of fewer words than this count as near only when equal, because "What is
            a noun?" and "What is a verb?" are 0.75 alike.

    Raises:
        ConfigError: `run` or `near` is out of range.
    """
    if not 0 < near <= 1 or run < 1:
        raise ConfigError(
            f"contamination: run = {run}, near = {near}; expected run >= 1 and 0 < near <= 1"
        )
    index = _Index(prompts, run=run, near=near, shortest=shortest)

    def check(example: Example) -> Drop | None:
        asked = unicode_words(example.instruction.text)
        given = unicode_words(example.input)
        for words in (asked + given, unicode_words(example.response)):
            if found := index.shared_run(words):
                prompt, shared = found
                return _drop(prompt, "run", {"words": run, "text": shared})
        for words in (asked, asked + given) if given else (asked,):
            if nearest := index.nearest(words):
                prompt, similarity = nearest
                return _drop(prompt, "near", {"rouge_l": similarity, "threshold": near})
        return None

    return check


def _drop(prompt: BenchmarkPrompt, test: str, numbers: Mapping[str, float | str]) -> Drop:
    named = {"benchmark": prompt.benchmark, "item": prompt.id, "test": test}
    return Drop(reason="contaminated", evidence={**named, **numbers, "prompt": prompt.text[:120]})


class _Index:
    """The benchmarks' prompts by their word runs and by their words."""

    def __init__(
        self, prompts: Iterable[BenchmarkPrompt], *, run: int, near: float, shortest: int
    ) -> None:
        self._prompts = tuple(prompts)
        self._run = run
        self._near = near
        self._shortest = shortest
        words_of = [unicode_words(prompt.text) for prompt in self._prompts]
        self._sizes = [len(words) for words in words_of]
        self._places = [positions(words) for words in words_of]
        self._by_run: dict[tuple[str, ...], int] = {}
        self._counts = [Counter(words) for words in words_of]
        self._by_word: defaultdict[str, list[int]] = defaultdict(list)
        for number, words in enumerate(words_of):
            for start in range(len(words) - run + 1):
                self._by_run.setdefault(tuple(words[start : start + run]), number)
            for word in self._counts[number]:
                self._by_word[word].append(number)

    def shared_run(self, words: Sequence[str]) -> tuple[BenchmarkPrompt, str] | None:
        """The first run of words that a prompt has too."""
        for start in range(len(words) - self._run + 1):
            piece = tuple(words[start : start + self._run])
            if (number := self._by_run.get(piece)) is not None:
                return self._prompts[number], " ".join(piece)
        return None

    def nearest(self, words: Sequence[str]) -> tuple[BenchmarkPrompt, float] | None:
        """The most similar prompt, if it is near enough."""
        size, counts = len(words), Counter(words)
        best, best_number = 0.0, -1
        for number in self._candidates(words):
            # No common subsequence is longer than what two texts share in any order.
            common = (counts & self._counts[number]).total()
            if f1(common, size, self._sizes[number]) < self._near:
                continue
            similarity = self._similarity(number, words)
            if similarity >= self._near and similarity > best:
                best, best_number = similarity, number
        return (self._prompts[best_number], best) if best_number >= 0 else None

    def _candidates(self, words: Sequence[str]) -> list[int]:
        """Prompts of a fitting length that hold one of the rarest words.

        F1 >= t needs t / (2 - t) of the words to be shared, so that one of the others and one more,
        whichever they are, must be: the rarest are chosen. It also bounds the prompt's length.
        """
        size = len(words)
        share = self._near / (2 - self._near) - 1e-9
        spare = size - ceil(share * size) + 1
        rarest = sorted(words, key=lambda word: len(self._by_word.get(word, ())))[:spare]
        holders = {number for word in set(rarest) for number in self._by_word.get(word, ())}
        low, high = share * size, size / share
        return sorted(number for number in holders if low <= self._sizes[number] <= high)

    def _similarity(self, number: int, words: Sequence[str]) -> float:
        size = self._sizes[number]
        similarity = f1(matches(self._places[number], size, words), size, len(words))
        if min(size, len(words)) < self._shortest and similarity < 1:
            return 0.0
        return similarity


def load_alpaca_eval(path: Path) -> tuple[BenchmarkPrompt, ...]:
    """AlpacaEval: a JSON list of objects with `instruction`; items are numbered from 0.

    Raises:
        DatasetError: the file cannot be read or is something else.
    """
    rows = _parse(_read(path), f"{path}")
    if not isinstance(rows, list):
        raise DatasetError(f"{path}: a {type(rows).__name__}, expected a list of objects")
    return tuple(
        BenchmarkPrompt(
            benchmark="alpaca_eval", id=str(i), text=_text(row, "instruction", f"{path}: item {i}")
        )
        for i, row in enumerate(rows)
    )


def load_mt_bench(path: Path) -> tuple[BenchmarkPrompt, ...]:
    """MT-Bench: JSON lines with `question_id` and `turns`; each turn is a prompt ("81.1", "81.2").

    Raises:
        DatasetError: the file cannot be read or is something else.
    """
    return tuple(
        BenchmarkPrompt(benchmark="mt_bench", id=f"{row['question_id']}.{n}", text=turn)
        for row, place in _lines(path, "question_id", "turns")
        for n, turn in enumerate(_turns(row, place), 1)
    )


def load_ifeval(path: Path) -> tuple[BenchmarkPrompt, ...]:
    """IFEval: JSON lines with `key` and `prompt`.

    Raises:
        DatasetError: the file cannot be read or is something else.
    """
    return tuple(
        BenchmarkPrompt(benchmark="ifeval", id=str(row["key"]), text=_text(row, "prompt", place))
        for row, place in _lines(path, "key", "prompt")
    )


LOADERS: Mapping[str, Callable[[Path], tuple[BenchmarkPrompt, ...]]] = {
    "alpaca_eval": load_alpaca_eval,
    "mt_bench": load_mt_bench,
    "ifeval": load_ifeval,
}
"""By the names under which a config asks for them."""


def _lines(path: Path, *keys: str) -> Iterable[tuple[dict[str, JSON], str]]:
    for number, line in enumerate(_read(path).split("\n"), 1):
        if not line.strip():
            continue
        place = f"{path}:{number}"
        row = _parse(line, place)
        if not isinstance(row, dict) or not set(keys) <= row.keys():
            raise DatasetError(f"{place}: expected an object with {' and '.join(keys)}")
        yield row, place


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(
            f"{path}: cannot be read: {error}", hint="Give the path of the benchmark's own file."
        ) from error


def _parse(text: str, place: str) -> JSON:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise DatasetError(f"{place}: not JSON: {error}") from error


def _text(row: JSON, key: str, place: str) -> str:
    if not isinstance(row, dict) or not isinstance(row.get(key), str):
        raise DatasetError(f"{place}: expected an object with the text {key!r}")
    return str(row[key])


def _turns(row: dict[str, JSON], place: str) -> list[str]:
    turns = row["turns"]
    if not isinstance(turns, list) or not all(isinstance(turn, str) for turn in turns):
        raise DatasetError(f"{place}: `turns` is not a list of texts")
    return turns
