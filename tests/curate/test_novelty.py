"""The novelty index against `rouge_score` and against brute force."""

from __future__ import annotations

import json
from array import array
from itertools import combinations
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer

from seedbed.curate import novelty, novelty_candidates, novelty_rows
from seedbed.curate.novelty import NoveltyIndex
from seedbed.curate.rouge import rouge_l, rouge_words, tokenizer
from seedbed.errors import ConfigError

DATA = Path(__file__).parents[2] / "../shared/data"
ALPACA = DATA / "alpaca/alpaca_data.json"
SEEDS = DATA / "self_instruct/seed_tasks.jsonl"

scorer = RougeScorer(["rougeL"], use_stemmer=False)


def reference(first: str, second: str) -> float:
    return float(scorer.score(first, second)["rougeL"].fmeasure)


def scored(text: str, pool: list[str]) -> list[tuple[str, float]]:
    words = rouge_words(text)
    return [(each, rouge_l(rouge_words(each), words)) for each in pool]


def ranked(text: str, pool: list[str]) -> list[tuple[str, float]]:
    return sorted(scored(text, pool), key=lambda each: -each[1])


def expect(index: NoveltyIndex, text: str, pool: list[str]) -> None:
    """The decision on `text` and its evidence are those of comparing with every text of `pool`."""
    best = max(scored(text, pool), key=lambda each: each[1], default=("", 0.0))
    drop = index.check(text)
    if best[1] > index.threshold:
        assert drop is not None
        assert drop.reason == "too_similar"
        assert drop.evidence == {"score": best[1], "limit": index.threshold, "text": best[0]}
    else:
        assert drop is None


def sentences(rng: Random, count: int, *, words: int = 30, longest: int = 14) -> list[str]:
    """Texts over a small, skewed vocabulary, so that most are similar to several others."""
    vocabulary = [f"w{number}" for number in range(words)]
    weights = [1 / (number + 1) for number in range(words)]
    return [
        " ".join(rng.choices(vocabulary, weights, k=rng.randint(0, longest))) for _ in range(count)
    ]


small_texts = st.lists(st.sampled_from(["a", "b", "c", "d", "e", "f", "g"]), max_size=12).map(
    " ".join
)
thresholds = st.sampled_from([0.0, 0.3, 0.5, 0.7, 0.85, 0.95, 1.0])


@given(small_texts, small_texts)
def test_scores_are_those_of_rouge_score_to_the_last_bit(first: str, second: str) -> None:
    assert rouge_l(rouge_words(first), rouge_words(second)) == reference(second, first)


@settings(max_examples=150, deadline=None)
@given(st.lists(small_texts, max_size=25), thresholds)
def test_decisions_are_those_of_rouge_score(texts: list[str], threshold: float) -> None:
    index = NoveltyIndex(threshold=threshold)
    pool: list[str] = []
    for text in texts:
        novel = not max((reference(each, text) for each in pool), default=0.0) > threshold
        assert (index.admit(text) is None) == novel
        if novel:
            pool.append(text)
    assert list(index) == pool


def test_ties_at_seven_twentieths_fall_as_the_floats_of_rouge_score_do() -> None:
    over = {True: 0, False: 0}
    for m in range(1, 60):
        for n in range(m, 60):
            common, rest = divmod(7 * (m + n), 20)
            if rest or common > m:
                continue
            first = " ".join(f"s{i}" for i in range(common)) + " x" * (m - common)
            second = " ".join(f"s{i}" for i in range(common)) + " y" * (n - common)
            index = NoveltyIndex(threshold=0.7)
            index.add(first)
            decision = index.check(second) is not None
            assert decision == (reference(first, second) > 0.7), (m, n)
            over[decision] += 1
    assert min(over.values()) > 10, "both sides of the tie have to occur"


@pytest.mark.parametrize("threshold", [0.0, 0.4, 0.7, 0.85])
def test_adding_removing_and_asking_in_any_order_equals_brute_force(
    threshold: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Small limits, so that lists split, columns form and the index is rebuilt within the test.
    monkeypatch.setattr(novelty_candidates, "LONG_LIST", 8)
    monkeypatch.setattr(novelty_candidates, "SAMPLE", 4)
    monkeypatch.setattr(novelty_candidates, "MANY", 3)
    monkeypatch.setattr(novelty_rows, "DENSE_FROM", 16)
    monkeypatch.setattr(novelty, "REBUILT_FROM", 40)
    rng = Random(threshold)
    index = NoveltyIndex(threshold=threshold)
    pool: list[str] = []
    for text in sentences(rng, 700):
        expect(index, text, pool)
        action = rng.random()
        if action < 0.6:
            index.add(text)
            pool.append(text)
        elif action < 0.8:
            before = list(index)
            if index.admit(text) is None:
                pool.append(text)
            assert len(index) == len(before) + (len(pool) > len(before))
        elif pool:
            gone = rng.choice(pool)
            index.remove(gone)
            pool.remove(gone)
        if action > 0.95:
            assert index.nearest(text, k=7) == ranked(text, pool)[:7]
        assert len(index) == len(pool)
    assert list(index) == pool


@pytest.mark.parametrize(("longest", "threshold"), [(6, 0.7), (20, 0.7), (24, 0.2), (24, 0.35)])
def test_lists_are_split_and_nothing_is_lost_when_the_pool_grows(
    longest: int, threshold: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(novelty_candidates, "LONG_LIST", 4)
    monkeypatch.setattr(novelty_candidates, "SAMPLE", 4)
    rng = Random(longest)
    texts = sentences(rng, 1000, words=60, longest=longest)
    index = NoveltyIndex(threshold=threshold)
    index.add_all(texts)
    for text in rng.sample(texts[500:], 120):
        # So many words are replaced that scores fall on either side of the threshold.
        words = ["none" if rng.random() > threshold + 0.05 else word for word in text.split()]
        near = " ".join(words)
        expect(index, near, texts)
        expect(index, " ".join(sorted(near.split())), texts)
    assert depth(list(index._candidates._classes.values())) >= 3, "lists have to split repeatedly"


def test_texts_that_share_no_more_than_a_split_list_says_are_still_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Over 0.2, texts of 16 tokens need two matches and those of 18 need three; both are of one
    # length class, so a list of texts that share two words is split for some of them only.
    monkeypatch.setattr(novelty_candidates, "LONG_LIST", 8)
    monkeypatch.setattr(novelty_candidates, "SAMPLE", 8)
    rng = Random(9)
    common = [f"w{number:02}" for number in range(20)]
    pool = [" ".join(common)]
    for row in range(900):
        fresh = [f"r{row}n{number}" for number in range(10 if row % 3 == 0 else 12)]
        pool.append(" ".join([*fresh, *sorted(rng.sample(common, 6))]))
    index = NoveltyIndex(threshold=0.2)
    index.add_all(pool)
    index.remove(pool[0])
    for first, second in combinations(common, 2):
        expect(index, f"{first} {second}", pool[1:])
    assert any(each.ended for each in branches(list(index._candidates._classes.values())))


def branches(lists: list[novelty_candidates.Lists]) -> list[novelty_candidates._Branch]:
    """All the split lists, at every depth."""
    found = [
        each
        for one in lists
        for each in one.values()
        if isinstance(each, novelty_candidates._Branch)
    ]
    return found + (branches([each.further for each in found]) if found else [])


def depth(lists: list[novelty_candidates.Lists]) -> int:
    """How many features the deepest list is reached by."""
    found = [
        each.further
        for one in lists
        for each in one.values()
        if isinstance(each, novelty_candidates._Branch)
    ]
    return 1 + (depth(found) if found else 0)


def test_a_text_longer_than_all_before_is_found_by_lengths_already_asked_for() -> None:
    words = [f"w{number}" for number in range(90)]
    index = NoveltyIndex(threshold=0.7)
    index.add("something else")
    assert index.check(" ".join(words[:60])) is None
    index.add(" ".join(words))
    assert index.check(" ".join(words[:60])) is not None


def test_nearest_and_mean_are_those_of_brute_force() -> None:
    rng = Random(7)
    pool = [*sentences(rng, 300, words=80, longest=90), "", "the same", "the same", "!?"]
    index = NoveltyIndex()
    index.add_all(pool)
    for text in [*sentences(rng, 40, words=80, longest=90), "", "the same", "unseen words only"]:
        assert index.nearest(text, k=10) == ranked(text, pool)[:10]
        assert index.nearest(text, k=1000) == ranked(text, pool)
        scores = [score for _, score in scored(text, pool)]
        assert index.mean(text) == pytest.approx(sum(scores) / len(scores), abs=1e-13)


@pytest.mark.parametrize("length", [1, 31, 32, 33, 63, 64, 65, 127, 128, 129, 500, 513, 1100])
def test_texts_around_every_word_boundary_score_as_by_brute_force(length: int) -> None:
    rng = Random(length)
    base = [f"t{rng.randrange(length // 2 + 1)}" for _ in range(length)]
    pool = []
    for _ in range(8):
        kept = [token if rng.random() < 0.85 else f"u{rng.randrange(9)}" for token in base]
        pool.append(" ".join(kept[rng.randrange(3) :] + base[: rng.randrange(4)]))
    index = NoveltyIndex(threshold=0.6)
    index.add_all(pool)
    # The reversed text makes matches move backwards, so that sums carry from word to word.
    for text in (" ".join(base), " ".join(reversed(base)), f"{base[-1]} {base[0]}"):
        expect(index, text, pool)
        assert index.nearest(text, k=8) == ranked(text, pool)
        total = sum(score for _, score in scored(text, pool))
        assert index.mean(text) == pytest.approx(total / 8, abs=1e-13)


def test_a_match_that_moves_two_words_back_frees_its_old_place() -> None:
    filler = [f"f{number}" for number in range(140)]
    pool = " ".join(["first", *filler, "last"])
    index = NoveltyIndex()
    index.add(pool)
    assert index.nearest("last first", k=1) == [(pool, rouge_l(["last", "first"], pool.split()))]


def test_ten_thousand_tokens_are_compared_exactly() -> None:
    rng = Random(3)
    long = [f"t{rng.randrange(3000)}" for _ in range(10_000)]
    changed = [token if rng.random() < 0.8 else "other" for token in long]
    index = NoveltyIndex(threshold=0.7)
    index.add_all(["a short one", " ".join(long)])
    expect(index, " ".join(changed), ["a short one", " ".join(long)])
    assert index.nearest(" ".join(changed), k=1)[0][1] == rouge_l(long, changed)
    assert 0.7 < rouge_l(long, changed) < 0.9


def test_the_mean_and_the_nearest_of_a_large_pool_use_columns_and_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(novelty_rows, "DENSE_FROM", 64)
    rng = Random(11)
    pool = sentences(rng, 1500, words=200, longest=30)
    index = NoveltyIndex()
    index.add_all(pool[:700])
    assert index.nearest(pool[0], k=3) == ranked(pool[0], pool[:700])[:3]
    index.add_all(pool[700:])
    for text in pool[300:400:10]:
        index.remove(text)
        pool.remove(text)
    for text in sentences(rng, 25, words=200, longest=30):
        assert index.nearest(text, k=10) == ranked(text, pool)[:10]
        total = sum(score for _, score in scored(text, pool))
        assert index.mean(text) == pytest.approx(total / len(pool), abs=1e-13)


def test_copies_count_and_are_removed_one_at_a_time() -> None:
    index = NoveltyIndex(threshold=0.7)
    for _ in range(3):
        index.add("Name a river in Asia.")
    index.add("Sing.")
    assert len(index) == 4
    assert index.mean("Name a river in Asia.") == 0.75
    for left in (2, 1):
        index.remove("Name a river in Asia.")
        assert index.check("name a river in asia") is not None
        assert len(index.nearest("Name a river in Asia.", k=10)) == left + 1
        assert index.mean("Name a river in Asia.") == left / (left + 1)
    index.remove("Name a river in Asia.")
    assert index.admit("name a river in asia") is None
    assert list(index) == ["Sing.", "name a river in asia"]
    with pytest.raises(ConfigError, match="does not hold 'Name a river"):
        index.remove("Name a river in Asia.")


def test_an_index_that_lost_most_of_its_texts_is_built_anew_without_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(novelty, "REBUILT_FROM", 40)
    pool = sentences(Random(4), 120, words=60)
    index = NoveltyIndex(threshold=0.7)
    index.add_all(pool)
    for text in pool[:90]:
        assert index.nearest(text, k=1)[0][1] in (0.0, 1.0)
        index.remove(text)
    assert len(index._texts) == 60, "90 gone, but only 30 of them since it was built anew"
    assert list(index) == pool[90:]
    for text in pool:
        expect(index, text, pool[90:])
        assert index.nearest(text, k=5) == ranked(text, pool[90:])[:5]


def test_thousands_of_copies_neither_slow_the_index_nor_fill_it() -> None:
    index = NoveltyIndex(threshold=0.7)
    index.add_all(["Write a short poem about the sea and the wind in spring."] * 3000)
    assert entries(index) == 6 * 3000, "each copy is listed once for each feature of its prefix"
    drop = index.check("Write a short poem about the sea and the wind in winter.")
    assert drop is not None
    assert drop.evidence["score"] == pytest.approx(11 / 12)


def test_a_threshold_of_zero_wants_no_common_word_and_one_takes_everything() -> None:
    nothing_shared = NoveltyIndex(threshold=0)
    assert nothing_shared.admit("one two") is None
    assert nothing_shared.admit("three four") is None
    assert nothing_shared.admit("four five") is not None
    everything = NoveltyIndex(threshold=1)
    assert everything.admit_all(["again"] * 3) == [None] * 3
    assert everything.nearest("again", k=3) == [("again", 1.0)] * 3


def test_texts_without_tokens_are_always_novel() -> None:
    index = NoveltyIndex(threshold=0.7)
    assert index.admit_all(["", " ", "?!", "", "你好"]) == [None] * 5
    assert len(index) == 5
    assert index.nearest("?!", k=2) == [("", 0.0), (" ", 0.0)]
    assert index.mean("") == 0.0


def test_an_empty_pool_is_similar_to_nothing() -> None:
    index = NoveltyIndex()
    assert index.check("anything") is None
    assert index.nearest("anything") == []
    assert index.mean("anything") == 0.0


def test_the_most_similar_text_is_the_evidence_and_not_the_first_over_the_limit() -> None:
    index = NoveltyIndex(threshold=0.5)
    index.add_all(["a b c d e x y", "a b c d e f x", "a b c d e f g", "A B C D E F G"])
    drop = index.check("a b c d e f g")
    assert drop is not None
    assert drop.evidence == {"score": 1.0, "limit": 0.5, "text": "a b c d e f g"}


def test_an_index_made_again_from_its_texts_decides_the_same() -> None:
    rng = Random(2)
    index = NoveltyIndex(threshold=0.7)
    index.admit_all(sentences(rng, 400, words=60))
    for text in list(index)[::7]:
        index.remove(text)
    again = NoveltyIndex(threshold=0.7)
    again.add_all(index)
    assert list(again) == list(index)
    for text in sentences(rng, 200, words=60):
        assert again.check(text) == index.check(text)
        assert again.nearest(text) == index.nearest(text)


def test_checking_does_not_change_the_pool() -> None:
    index = NoveltyIndex()
    index.check("Tell me a story.")
    assert len(index) == 0
    assert index.check("Tell me a story.") is None


@pytest.mark.parametrize("wrong", [None, 7, b"bytes", ["list"]])
def test_a_text_that_is_no_string_is_a_clear_error(wrong: str) -> None:
    index = NoveltyIndex()
    for method in (index.check, index.admit, index.add, index.nearest, index.mean):
        with pytest.raises(ConfigError, match="expected a string"):
            method(wrong)
    assert len(index) == 0


@pytest.mark.parametrize("threshold", [-0.1, 1.01, float("nan")])
def test_a_threshold_outside_zero_to_one_is_refused(threshold: float) -> None:
    with pytest.raises(ConfigError, match="outside 0 to 1"):
        NoveltyIndex(threshold=threshold)


def test_a_crowd_of_candidates_is_compared_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = Random(8)
    letters = [f"{letter}" for letter in "abcdefgh"]
    pool = [" ".join(rng.choices(letters, k=rng.randint(18, 22))) for _ in range(400)]
    monkeypatch.setattr(novelty, "CROWD", 50)
    index = NoveltyIndex(threshold=0.7)
    index.add_all(pool[:350])
    for text in pool[350:]:
        expect(index, text, pool[:350])
    assert index._scores is not None, "the crowd has to be reached"
    for text in pool[:100]:
        index.remove(text)
    index.add_all(pool[350:])
    for text in pool[100:150]:
        near = text.replace("a", "b", 2)
        expect(index, near, pool[100:])


def test_a_score_at_the_limit_is_not_over_it_in_either_way_of_comparing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    index = NoveltyIndex(threshold=0.5)
    index.add("a b c d")
    assert index.nearest("a b x y", k=1) == [("a b c d", 0.5)]
    assert index.check("a b x y") is None
    monkeypatch.setattr(novelty, "CROWD", -1)
    assert index.check("a b x y") is None
    assert index.check("a b c y") is not None


def test_an_unknown_tokenizer_and_a_senseless_k_are_refused() -> None:
    with pytest.raises(ConfigError, match="'words' is unknown, expected one of rouge, unicode"):
        NoveltyIndex(tokenizer="words")
    with pytest.raises(ConfigError, match="k = 0"):
        NoveltyIndex().nearest("text", k=0)


def test_the_unicode_tokenizer_finds_copies_that_the_papers_tokenizer_cannot_see() -> None:
    for text in (
        "把下面的句子翻译成英文",
        "แปลประโยคนี้เป็นภาษาอังกฤษ",
        "ترجم هذه الجملة إلى الإنجليزية",
    ):
        paper, ours = NoveltyIndex(tokenizer="rouge"), NoveltyIndex(tokenizer="unicode")
        assert paper.admit_all([text, text]) == [None, None]
        assert ours.admit(text) is None
        drop = ours.admit(text)
        assert drop is not None
        assert drop.evidence["score"] == 1.0


@pytest.mark.skipif(not ALPACA.exists(), reason="the Alpaca rows are not on this machine")
@pytest.mark.parametrize("threshold", [0.5, 0.7, 0.85])
def test_decisions_on_real_instructions_are_those_of_brute_force(threshold: float) -> None:
    rows = [row["instruction"] for row in json.loads(ALPACA.read_text("utf-8"))]
    rng = Random(1)
    sample = rng.sample(rows, 700)
    texts = [text for text in sample for text in (text, changed(text, rng))]
    index = NoveltyIndex(threshold=threshold)
    pool: list[str] = []
    dropped = 0
    for text in texts:
        expect(index, text, pool)
        if index.admit(text) is None:
            pool.append(text)
        else:
            dropped += 1
    assert list(index) == pool
    assert dropped > 100


def entries(index: NoveltyIndex) -> int:
    lists = list(index._candidates._classes.values())
    split = branches(lists)
    lists += [each.further for each in split]
    plain = [found for one in lists for found in one.values() if isinstance(found, array)]
    return sum(map(len, plain)) + sum(len(each.ended) for each in split)


def changed(text: str, rng: Random) -> str:
    """About every sixth word replaced by "so", which leaves the score near 0.8."""
    return " ".join("so" if rng.random() < 0.17 else word for word in text.split())


@pytest.mark.skipif(not SEEDS.exists(), reason="the Self-Instruct seeds are not on this machine")
def test_two_pairs_of_the_175_seeds_are_over_the_papers_threshold() -> None:
    seeds = [json.loads(line)["instruction"] for line in SEEDS.read_text("utf-8").splitlines()]
    index = NoveltyIndex(threshold=0.7, tokenizer="rouge")
    drops = []
    for seed in seeds:
        drops.append(index.check(seed))
        index.add(seed)
    found = [(seed, drop) for seed, drop in zip(seeds, drops, strict=True) if drop is not None]
    assert len(found) == 2
    for seed, drop in found:
        assert drop.evidence["score"] == reference(str(drop.evidence["text"]), seed)


def test_any_tokenizer_by_name_reads_ascii_alike() -> None:
    text = "Don't re-use snake_case, x_1 or 3.14!"
    assert tokenizer("rouge")(text) == tokenizer("unicode")(text)
