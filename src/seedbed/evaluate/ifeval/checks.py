"""The 25 verifiable instructions of IFEval, each a function that returns a check.

A check takes a response and says whether it follows the instruction. What each means was set by
the benchmark (Zhou et al. 2023, arXiv:2311.07911, table 1, and its published data); here it is
written anew. Two instructions are deterministic here and random in the official scorer: see
`letter_frequency`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence

from seedbed.errors import DatasetError
from seedbed.evaluate.ifeval.language import written_in
from seedbed.evaluate.ifeval.sentences import capital_words, count_words, sentences

Check = Callable[[str], bool]


def compared(count: Callable[[str], int], relation: str, number: int) -> Check:
    """A count held against a number.

    Raises:
        DatasetError: the relation is neither "at least" nor "less than".
    """
    if relation == "at least":
        return lambda response: count(response) >= number
    if relation == "less than":
        return lambda response: count(response) < number
    raise DatasetError(f"IFEval: relation {relation!r}; expected 'at least' or 'less than'")


# keywords


def existence(*, keywords: Sequence[str]) -> Check:
    return lambda response: all(_occurrences(response, word) for word in keywords)


def frequency(*, keyword: str, frequency: int, relation: str) -> Check:
    return compared(lambda response: _occurrences(response, keyword), relation, frequency)


def _occurrences(response: str, keyword: str) -> int:
    """Inside of longer words as well, in any case."""
    return len(re.findall(re.escape(keyword.strip()), response, re.IGNORECASE))


def forbidden_words(*, forbidden_words: Sequence[str]) -> Check:
    """Whole words only: "rock" does not forbid "rocket"."""
    patterns = [rf"(?<!\w){re.escape(word)}(?!\w)" for word in forbidden_words]
    return lambda response: (
        not any(re.search(pattern, response, re.IGNORECASE) for pattern in patterns)
    )


def letter_frequency(*, letter: str, let_frequency: int, let_relation: str) -> Check:
    """Occurrences of one character, in either case.

    Two prompts of the benchmark ask for '#' and '!'. The official scorer takes letters only and
    puts a random letter in their place; here the character is counted that the prompt asks for.
    """
    return compared(
        lambda response: response.casefold().count(letter.strip().casefold()),
        let_relation,
        let_frequency,
    )


# language and letter case


def response_language(*, language: str) -> Check:
    return lambda response: written_in(response, language)


def english_capital() -> Check:
    return lambda response: response.isupper() and written_in(response, "en")


def english_lowercase() -> Check:
    return lambda response: response.islower() and written_in(response, "en")


def capital_word_frequency(*, capital_frequency: int, capital_relation: str) -> Check:
    return compared(capital_words, capital_relation, capital_frequency)


# length


def number_sentences(*, num_sentences: int, relation: str) -> Check:
    return compared(lambda response: len(sentences(response)), relation, num_sentences)


def number_words(*, num_words: int, relation: str) -> Check:
    return compared(count_words, relation, num_words)


def number_paragraphs(*, num_paragraphs: int) -> Check:
    """Paragraphs are parted by `***`; an empty one is allowed at either end only."""

    def check(response: str) -> bool:
        first, *inner = re.split(r"\s?\*\*\*\s?", response)
        last = [inner.pop()] if inner else []
        if not all(part.strip() for part in inner):
            return False
        return len(inner) + sum(bool(part.strip()) for part in (first, *last)) == num_paragraphs

    return check


def nth_paragraph_first_word(*, num_paragraphs: int, nth_paragraph: int, first_word: str) -> Check:
    """So many paragraphs, parted by an empty line, of which the n-th starts with a word."""

    def check(response: str) -> bool:
        paragraphs = re.split(r"\n\n", response)
        full = sum(bool(paragraph.strip()) for paragraph in paragraphs)
        if nth_paragraph > full or not (words := paragraphs[nth_paragraph - 1].split()):
            return False
        start = re.split(r"[.,?!'\"]", words[0].lstrip("'").lstrip('"'))[0]
        return full == num_paragraphs and start.lower() == first_word.lower()

    return check


# content


def number_placeholders(*, num_placeholders: int) -> Check:
    """At least so many spans in square brackets, such as [address]."""
    return lambda response: len(re.findall(r"\[.*?\]", response)) >= num_placeholders


def postscript(*, postscript_marker: str) -> Check:
    """A line that holds the marker; "P.S." and "P.P.S" may be spaced and in any case."""
    spaced = {"P.P.S": r"p\.\s?p\.\s?s", "P.S.": r"p\.\s?s\."}
    marker = postscript_marker.strip()
    pattern = spaced.get(marker, re.escape(marker.lower()))
    return lambda response: re.search(pattern, response.lower()) is not None


# format


def number_bullet_lists(*, num_bullets: int) -> Check:
    """Exactly so many lines that begin with `*` or `-`; `**` begins no bullet."""
    bullet = re.compile(r"^\s*(?:\*[^*\n]|-)", re.MULTILINE)
    return lambda response: len(bullet.findall(response)) == num_bullets


def constrained_response() -> Check:
    options = ("My answer is yes.", "My answer is no.", "My answer is maybe.")
    return lambda response: any(option in response for option in options)


def number_highlighted_sections(*, num_highlights: int) -> Check:
    """At least so many `*spans*`, those in `**double**` marks counted as well."""

    def count(response: str) -> int:
        single = re.findall(r"\*([^\n*]*)\*", response)
        double = re.findall(r"\*\*([^\n*]*)\*\*", response)
        return sum(bool(span.strip()) for span in (*single, *double))

    return lambda response: count(response) >= num_highlights


def multiple_sections(*, section_spliter: str, num_sections: int) -> Check:
    """At least so many headings made of a word and a number, such as "Section 1"."""
    heading = re.compile(rf"{re.escape(section_spliter.strip())}\s?\d+")
    return lambda response: len(heading.findall(response)) >= num_sections


def json_format() -> Check:
    """The whole response is JSON, perhaps in a fence."""

    def check(response: str) -> bool:
        text = re.sub(r"^```(?:json|Json|JSON)?|```$", "", response.strip()).strip()
        try:
            json.loads(text)
        except (ValueError, RecursionError):
            return False
        return True

    return check


def title() -> Check:
    """A title in double angular brackets, <<such as this>>."""
    return lambda response: any(
        found.lstrip("<").rstrip(">").strip() for found in re.findall(r"<<[^\n]+>>", response)
    )


# combinations, start and end, punctuation


def two_responses() -> Check:
    """Two different answers, parted by ******."""

    def check(response: str) -> bool:
        parts = [part.strip() for part in response.split("******")]
        if not all(parts[1:-1]):
            return False
        answers = [part for part in parts if part]
        return len(answers) == 2 and answers[0] != answers[1]

    return check


def repeat_prompt(*, prompt_to_repeat: str) -> Check:
    start = prompt_to_repeat.strip().lower()
    return lambda response: response.strip().lower().startswith(start)


def end_checker(*, end_phrase: str) -> Check:
    end = end_phrase.strip().lower()
    return lambda response: response.strip().strip('"').lower().endswith(end)


def quotation() -> Check:
    """The whole response stands in double quotation marks."""
    return lambda response: re.fullmatch(r'".*"', response.strip(), re.DOTALL) is not None


def no_comma() -> Check:
    return lambda response: "," not in response
