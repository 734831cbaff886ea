"""Near-duplicates: candidates by hashing, decisions by exact similarity."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from random import Random

import pytest

from seedbed.curate.duplicates import (
    Duplicate,
    bands,
    groups,
    jaccard,
    near_duplicates,
    without_near_duplicates,
    word_runs,
)
from seedbed.errors import ConfigError
from seedbed.records import Drop, Example, Instruction

DATA = Path(__file__).parents[2] / "../shared/data"
WORDS = [f"{a}{b}" for a in "bdfgklmnprst" for b in ("a", "an", "el", "or", "im", "ut")]

pytest.importorskip("rensa", reason="rensa is an optional dependency")


def sentences(count: int, *, words: int, seed: int) -> list[str]:
    rng = Random(seed)
    return [" ".join(rng.choices(WORDS, k=words)) for _ in range(count)]


def changed(text: str, rng: Random) -> str:
    words = text.split()
    words[rng.randrange(len(words))] = "zebra"
    return " ".join(words)


def brute_force(texts: list[str], threshold: float) -> tuple[Duplicate, ...]:
    kept: list[int] = []
    found = []
    sets = [word_runs(text) for text in texts]
    for index, runs in enumerate(sets):
        best = max(((jaccard(runs, sets[other]), -other) for other in kept), default=(0.0, 0))
        if best[0] >= threshold:
            found.append(Duplicate(index=index, of=-best[1], jaccard=best[0]))
        else:
            kept.append(index)
    return tuple(found)


def test_runs_ignore_case_and_punctuation_but_not_order() -> None:
    assert word_runs("Sort the list, now!") == {"sort the list", "the list now"}
    assert word_runs("sort THE list now") == word_runs("Sort the list, now!")
    assert word_runs("now list the sort") != word_runs("sort the list now")
    assert word_runs("Sort it") == {"sort it"}
    assert word_runs("把这句话翻译") == {"把 这 句", "这 句 话", "句 话 翻", "话 翻 译"}


def test_texts_without_words_are_alike_only_when_equal() -> None:
    assert jaccard(word_runs("??"), word_runs("!!")) == 0
    assert jaccard(word_runs("??"), word_runs(" ?? ")) == 1


@pytest.mark.parametrize("threshold", [0.5, 0.7, 0.8])
def test_hashing_finds_what_brute_force_finds(threshold: float) -> None:
    rng = Random(7)
    base = sentences(300, words=24, seed=3)
    texts = [*base, *(changed(text, rng) for text in base), *(changed(t, rng) for t in base[:99])]
    expected = brute_force(texts, threshold)
    assert len(expected) > 50
    assert near_duplicates(texts, threshold=threshold) == expected


def test_a_text_that_resembles_only_a_dropped_one_stays() -> None:
    first = [f"w{n}" for n in range(20)]
    second = [*first[2:], "x1", "x2"]
    third = [*second[2:], "x3", "x4"]
    found = near_duplicates([" ".join(words) for words in (first, second, third)], threshold=0.75)
    assert [(one.index, one.of) for one in found] == [(1, 0)]


def test_the_evidence_is_the_exact_similarity() -> None:
    (one,) = near_duplicates(["a b c d e f g h", "a b c d e f g x"], threshold=0.5)
    assert one.jaccard == 5 / 7
    assert one.drop(0.5) == Drop(
        reason="near_duplicate", evidence={"of": 0, "jaccard": 5 / 7, "threshold": 0.5}
    )


def test_groups_gather_what_was_dropped_for_one_text() -> None:
    texts = ["a b c d", "x y z w", "a b c d", "X Y Z W", "a, b, c, d"]
    found = groups(near_duplicates(texts))
    assert [(group.kept, [one.index for one in group.dropped]) for group in found] == [
        (0, [2, 4]),
        (1, [3]),
    ]


def test_the_selector_keeps_the_first_of_each_group_and_reports_the_rest() -> None:
    def example(text: str, given: str) -> Example:
        return Example(instruction=Instruction(text=text), input=given, response="r")

    examples = [
        example("Sort these numbers for me", "3 1 2"),
        example("Sort these numbers for me", "9 8 7 5 4"),
        example("sort these numbers for me!", "3, 1, 2"),
    ]
    dropped: list[tuple[Example, Drop]] = []
    select = without_near_duplicates(report=lambda item, drop: dropped.append((item, drop)))
    assert select(examples) == [0, 1]
    assert [(item, drop.evidence["of"]) for item, drop in dropped] == [(examples[2], 0)]
    by_response = without_near_duplicates(text_of=lambda item: item.response)
    assert by_response(examples) == [0]


def test_nothing_and_one_text_have_no_duplicates() -> None:
    assert near_duplicates([]) == ()
    assert near_duplicates(["alone"]) == ()


def test_bands_keep_the_chance_of_a_miss_below_the_limit() -> None:
    for threshold in (0.5, 0.7, 0.8, 0.95):
        count = bands(threshold, 0.001)
        assert (1 - threshold ** (128 // count)) ** count <= 0.001
    assert bands(0.95, 0.001) < bands(0.5, 0.001)
    assert bands(1.0, 0.001) == 1


@pytest.mark.parametrize("threshold", [0.0, 1.1, 0.01])
def test_an_impossible_threshold_is_refused(threshold: float) -> None:
    with pytest.raises(ConfigError, match="threshold"):
        near_duplicates(["a"], threshold=threshold)


def test_a_missing_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rensa", None)
    with pytest.raises(ConfigError, match="rensa") as caught:
        near_duplicates(["a"])
    assert "pip install" in caught.value.hint


def test_alpaca_holds_few_near_duplicates_and_each_is_one() -> None:
    file = DATA / "alpaca/alpaca_random_9k.json"
    if not file.exists():
        pytest.skip(f"{file} is absent: real data is not part of the repository")
    texts = [f"{row['instruction']}\n{row['input']}" for row in json.loads(file.read_text("utf-8"))]
    found = near_duplicates(texts, threshold=0.5)
    assert found
    for one in found:
        assert jaccard(word_runs(texts[one.index]), word_runs(texts[one.of])) == one.jaccard >= 0.5
