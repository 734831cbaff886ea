"""The tokenizers and the exact score."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer
from rouge_score.tokenize import tokenize

from seedbed.curate.rouge import f1, matches, positions, rouge_l, rouge_words, unicode_words

scorer = RougeScorer(["rougeL"], use_stemmer=False)


@given(st.text())
def test_the_papers_words_are_those_of_rouge_score(text: str) -> None:
    assert rouge_words(text) == tokenize(text, None)


@given(st.text(), st.text())
def test_any_two_texts_score_as_rouge_score_has_them(first: str, second: str) -> None:
    expected = scorer.score(first, second)["rougeL"].fmeasure
    assert rouge_l(rouge_words(first), rouge_words(second)) == expected


@given(st.lists(st.integers(0, 5), max_size=80), st.lists(st.integers(0, 5), max_size=80))
def test_matches_are_the_longest_common_subsequence(first: list[int], second: list[int]) -> None:
    row = [0] * (len(second) + 1)
    for one in first:
        last = row[:]
        for place, other in enumerate(second):
            row[place + 1] = last[place] + 1 if one == other else max(row[place], last[place + 1])
    assert matches(positions(first), len(first), second) == row[-1]


def test_the_score_is_symmetric_to_the_last_bit() -> None:
    lengths = range(1, 60)
    for m in lengths:
        for n in lengths:
            for common in range(min(m, n) + 1):
                assert f1(common, m, n) == f1(common, n, m)


@given(st.text(st.characters(max_codepoint=127)))
def test_on_ascii_both_tokenizers_agree(text: str) -> None:
    assert unicode_words(text) == rouge_words(text)


@given(st.text())
def test_unicode_words_are_never_empty_and_stay_as_they_are(text: str) -> None:
    words = unicode_words(text)
    assert all(word and not word.isspace() for word in words)
    assert unicode_words(" ".join(words)) == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don't panic, naïve café!", ["don", "t", "panic", "naïve", "café"]),
        ("Straße ＡＢＣ１２ ﬁne", ["strasse", "abc12", "fine"]),
        ("Напиши короткое СТИХОТВОРЕНИЕ.", ["напиши", "короткое", "стихотворение"]),
        ("Γράψε ένα ΠΟΊΗΜΑ", ["γράψε", "ένα", "ποίημα"]),
        ("اكتب قصيدة، قصيرة؟", ["اكتب", "قصيدة", "قصيرة"]),
        ("می\u200cخواهم", ["میخواهم"]),
        ("एक छोटी कविता लिखो।", ["एक", "छोटी", "कविता", "लिखो"]),
        ("짧은 시를 써 줘", ["짧은", "시를", "써", "줘"]),
        ("写一首诗，用python3写。", ["写", "一", "首", "诗", "用", "python3", "写"]),
        ("詩をカク", ["詩", "を", "カ", "ク"]),
        ("ｶｸ", ["カ", "ク"]),
        ("กาแฟ 2 แก้ว", ["ก", "า", "แ", "ฟ", "2", "แ", "ก", "้", "ว"]),
        ("ຂຽນ", ["ຂ", "ຽ", "ນ"]),
        ("កវិតា។", ["ក", "វ", "ិ", "ត", "ា"]),
        ("ကဗျာ။", ["က", "ဗ", "ျ", "ာ"]),
        ("Sort 🍎🍌 by ❤️ now", ["sort", "🍎", "🍌", "by", "❤", "now"]),
        ("👨‍👩‍👧", ["👨", "👩", "👧"]),
        ("broken \ud800 half", ["broken", "half"]),
        ("… — !? ()", []),
        ("", []),
    ],
)
def test_unicode_words_in_many_scripts(text: str, words: list[str]) -> None:
    assert unicode_words(text) == words


def test_composed_and_decomposed_letters_are_the_same_word() -> None:
    word = "Ελληνικά déjà"
    assert unicode_words(unicodedata.normalize("NFD", word)) == unicode_words(word)
