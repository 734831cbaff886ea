"""Batches across clusters: exact sizes, nothing lost or repeated, and more diverse than random."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from math import exp, log
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedbed.curate.diversity import Balance, Batches, Composition, TfIdf, measured
from seedbed.curate.diversity.batches import _quotas
from seedbed.curate.diversity.clusters import clusters
from seedbed.curate.diversity.measures import evenness, mean_similarity, vendi
from seedbed.curate.diversity.vectors import similarities, unit_rows
from seedbed.errors import ConfigError

if TYPE_CHECKING:
    from seedbed.curate.diversity.vectors import Matrix

DATA = Path(__file__).parents[2] / "../shared/data"
ALPACA = DATA / "alpaca" / "alpaca_random_9k.json"

TOPICS = ("sort numbers upward", "name the capital of", "write a poem about", "translate to French")


def topical(count: int) -> list[str]:
    """Texts of four topics of very different size, in an order that mixes them badly."""
    shares = (0.7, 0.2, 0.07, 0.03)
    return [
        f"{topic} thing{n} item{n % 7}"
        for topic, share in zip(TOPICS, shares, strict=True)
        for n in range(round(count * share))
    ]


def drawn(texts: Sequence[str], how: Composition) -> tuple[list[tuple[int, ...]], list[int]]:
    made: Batches[int] = Batches(how, text_of=lambda place: texts[place])
    found = []
    for place in range(len(texts)):
        made.add(place)
        found += [batch.items for batch in made.due()]
    found += [batch.items for batch in made.rest()]
    return found, made.left()


HOW = st.builds(
    Composition,
    size=st.integers(1, 9),
    compose=st.sampled_from(("diverse", "random", "arrival")),
    balance=st.sampled_from(("proportional", "equal")),
    pick=st.sampled_from(("spread", "random")),
    clusters=st.none() | st.integers(1, 12),
    lookahead=st.integers(1, 4),
    patience=st.integers(1, 5),
    seed=st.integers(0, 3),
)
TEXTS = st.lists(
    st.sampled_from(["", "?", "a b", "a b c", "c d", "d", "e e e", "日本"]), max_size=70
)


@settings(max_examples=150, deadline=None)
@given(how=HOW, texts=TEXTS)
def test_every_text_is_in_one_batch_or_left_and_every_batch_has_its_size(
    how: Composition, texts: list[str]
) -> None:
    batches, left = drawn(texts, how)
    assert [len(batch) for batch in batches] == [how.size] * (len(texts) // how.size)
    assert sorted([place for batch in batches for place in batch] + left) == list(range(len(texts)))


@settings(max_examples=60, deadline=None)
@given(how=HOW, texts=TEXTS)
def test_the_same_texts_make_the_same_batches(how: Composition, texts: list[str]) -> None:
    assert drawn(texts, how) == drawn(texts, how)


@settings(max_examples=60, deadline=None)
@given(how=HOW, texts=TEXTS, more=TEXTS)
def test_batches_do_not_depend_on_what_comes_later(
    how: Composition, texts: list[str], more: list[str]
) -> None:
    """What is due is drawn at once, so that a longer run begins like a shorter one."""
    found = []
    for given_texts in (texts, texts + more):
        made: Batches[int] = Batches(how, text_of=given_texts.__getitem__)
        due = []
        for place in range(len(texts)):
            made.add(place)
            due += [batch.items for batch in made.due()]
        found.append(due)
    assert found[0] == found[1]


@settings(max_examples=100, deadline=None)
@given(
    sizes=st.lists(st.integers(0, 20), min_size=1, max_size=12),
    share=st.floats(0, 1),
    balance=st.sampled_from(("proportional", "equal")),
)
def test_quotas_add_up_and_ask_no_group_for_more_than_it_has(
    sizes: list[int], share: float, balance: str
) -> None:
    wanted = int(sum(sizes) * share)
    quotas = _quotas(sizes, wanted, "equal" if balance == "equal" else "proportional")
    assert sum(quotas) == wanted
    assert all(quota <= size for quota, size in zip(quotas, sizes, strict=True))
    if balance == "equal":
        full = [quota for quota, size in zip(quotas, sizes, strict=True) if quota < size]
        assert not full or max(quotas) - min(full) <= 1


@pytest.mark.parametrize(("balance", "small"), [("equal", 5), ("proportional", 1)])
def test_equal_quotas_bring_the_small_topics_forward_and_proportional_ones_keep_their_share(
    balance: Balance, small: int
) -> None:
    texts = Random(3).sample(topical(200), 200)

    def topic(texts: Sequence[str]) -> Matrix:
        return np.array([[float(text.startswith(one)) for one in TOPICS] for text in texts])

    made: Batches[str] = Batches(
        Composition(size=20, clusters=4, lookahead=10, balance=balance), text_of=str, embed=topic
    )
    for text in texts:
        made.add(text)
    (first,) = made.due()
    assert sum(text.startswith(TOPICS[-1]) for text in first.items) == small


def test_diverse_batches_are_more_diverse_than_random_ones_of_the_same_texts() -> None:
    texts = Random(1).sample(topical(400), 400)
    made: Batches[str] = Batches(Composition(size=16), text_of=str)
    found = []
    for text in texts:
        made.add(text)
        found += list(made.due())
    assert len(found) == 22
    for measure, better in (("similarity", -1), ("vendi", 1), ("entropy", 1)):
        ours = sum(batch.diversity.to_json()[measure] for batch in found)
        random = sum(batch.at_random.to_json()[measure] for batch in found)
        assert better * (ours - random) > 0, measure


@pytest.mark.skipif(not ALPACA.exists(), reason="the shared data is not here")
def test_on_alpaca_too() -> None:
    texts = [row["instruction"] for row in json.loads(ALPACA.read_text(encoding="utf-8"))[:800]]
    tfidf = TfIdf()
    tfidf.learn(texts)
    scores = {}
    for compose in ("diverse", "random"):
        how = Composition(size=32, compose="diverse" if compose == "diverse" else "random")
        batches, _ = drawn(texts, how)
        rows = [tfidf([texts[place] for place in batch]) for batch in batches]
        scores[compose] = sum(vendi(similarities(row, row)) for row in rows)
    assert scores["diverse"] > scores["random"]


def test_no_text_waits_longer_than_patience() -> None:
    """A hundred texts of one kind and an odd one that equal quotas alone would never reach."""
    how = Composition(size=4, clusters=2, lookahead=2, patience=3, balance="equal")
    for odd in range(8):
        texts = ["same words here"] * 40
        texts[odd] = "something else entirely"
        batches, _ = drawn(texts, how)
        number = next(at for at, batch in enumerate(batches) if odd in batch)
        assert number <= how.patience


def test_a_nonsense_setting_is_an_error_that_names_it() -> None:
    for name in ("size", "clusters", "lookahead", "patience"):
        setting: dict[str, Any] = {name: 0}
        with pytest.raises(ConfigError, match=f"{name} = 0"):
            replace(Composition(), **setting)


# --- vectors


def test_products_of_tf_idf_rows_are_the_textbook_cosines() -> None:
    texts = ["red red apple", "red pear", "green pear tree", ""]
    tfidf = TfIdf()
    tfidf.learn(texts)
    rows = tfidf(texts)
    idf = {"red": log(5 / 3) + 1, "pear": log(5 / 3) + 1, "apple": log(5 / 2) + 1}
    first = {"red": (1 + log(2)) * idf["red"], "apple": idf["apple"]}
    second = {"red": idf["red"], "pear": idf["pear"]}
    dot = first["red"] * second["red"]
    lengths = [sum(w * w for w in text.values()) ** 0.5 for text in (first, second)]
    assert similarities(rows, rows)[0, 1] == pytest.approx(dot / lengths[0] / lengths[1])
    assert not rows[3].any()


def test_an_embedding_is_asked_once_for_each_text_and_may_be_of_any_length() -> None:
    asked: list[str] = []

    def embed(texts: Sequence[str]) -> Matrix:
        asked.extend(texts)
        return np.array([[len(text), 3.0 * text.count("a"), 1.0] for text in texts])

    made: Batches[str] = Batches(Composition(size=3, lookahead=2), text_of=str, embed=embed)
    texts = ["a" * n + "b" * (n % 4) for n in range(20)]
    for text in [*texts, *texts]:
        made.add(text)
        list(made.due())
    assert len(asked) < 2 * len(texts)
    assert set(asked) == set(texts)


@pytest.mark.parametrize("bad", [np.zeros((2, 3)), np.zeros(3), np.full((3, 2), np.nan)])
def test_an_embedding_that_is_no_row_for_each_text_is_an_error(
    bad: Matrix,
) -> None:
    with pytest.raises(ConfigError, match="3 texts"):
        unit_rows(bad, texts=3)


def test_a_hugging_face_encoder_gives_the_same_row_in_any_company(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    from seedbed.curate.diversity.embedding import hugging_face

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "sort", "the", "numbers", "sing"]
    (tmp_path / "vocab.txt").write_text("\n".join(words))
    transformers.BertTokenizer(str(tmp_path / "vocab.txt")).save_pretrained(tmp_path)
    transformers.BertModel(
        transformers.BertConfig(
            vocab_size=len(words),
            hidden_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=16,
        )
    ).save_pretrained(tmp_path)
    embed = hugging_face(str(tmp_path))
    texts = ["sort the numbers", "sing", "sort the the the numbers numbers sing sing"]
    together = embed(texts)
    assert together.shape == (3, 16)
    for text, row in zip(texts, together, strict=True):
        assert np.allclose(embed([text])[0], row, atol=1e-5)
    with pytest.raises(ConfigError, match="no encoder"):
        hugging_face(str(tmp_path / "nowhere"))


# --- clusters and measures


def test_clusters_find_topics_that_share_no_word() -> None:
    texts = Random(0).sample([f"{topic} word{n % 3}" for topic in "abcd" for n in range(9)], 36)
    tfidf = TfIdf()
    tfidf.learn(texts)
    groups = clusters(tfidf([text[:1] * 3 for text in texts]), 4, Random(0))
    letters = sorted("".join(sorted({texts[place][0] for place in group})) for group in groups)
    assert letters == ["a", "b", "c", "d"]


@settings(max_examples=60, deadline=None)
@given(
    count=st.integers(1, 9),
    points=st.lists(st.tuples(st.integers(-2, 2), st.integers(-2, 2)), min_size=1, max_size=30),
)
def test_clusters_are_a_partition_without_empty_parts(
    count: int, points: list[tuple[int, int]]
) -> None:
    rows = unit_rows(np.array(points, dtype=np.float64), texts=len(points))
    groups = clusters(rows, count, Random(1))
    assert len(groups) == min(count, len(points))
    assert all(groups)
    assert sorted(place for group in groups for place in group) == list(range(len(points)))


def test_vendi_counts_different_texts() -> None:
    same, different = np.ones((5, 5)), np.eye(5)
    assert vendi(same) == pytest.approx(1)
    assert vendi(different) == pytest.approx(5)
    two_pairs = np.array([[1.0, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1], [0, 0, 1, 1]])
    assert vendi(two_pairs) == pytest.approx(2)
    assert vendi(np.zeros((0, 0))) == 0
    three = np.array([[1, 0.5, 0], [0.5, 1, 0], [0, 0, 1]])
    shares = (1.5 / 3, 0.5 / 3, 1 / 3)
    assert vendi(three) == pytest.approx(exp(-sum(share * log(share) for share in shares)))


def test_measures_of_a_batch() -> None:
    rows = unit_rows(np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]), texts=3)
    found = measured(rows, [0, 0, 1], clusters=2)
    assert found.similarity == pytest.approx(1 / 3)
    assert found.vendi == pytest.approx(exp(-(2 / 3 * log(2 / 3) + 1 / 3 * log(1 / 3))))
    assert found.entropy == pytest.approx(-(2 / 3 * log(2 / 3) + 1 / 3 * log(1 / 3)) / log(2))
    assert mean_similarity(np.ones((1, 1))) == 0
    assert evenness([0, 0], clusters=1) == 1
    assert evenness([3, 3, 3], clusters=9) == 0
