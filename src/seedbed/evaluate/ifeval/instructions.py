"""From the benchmark's names for its instructions to checks."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from seedbed.errors import DatasetError
from seedbed.evaluate.ifeval import checks
from seedbed.evaluate.ifeval.checks import Check
from seedbed.records import JSON

INSTRUCTIONS: Mapping[str, Callable[..., Check]] = {
    "change_case:capital_word_frequency": checks.capital_word_frequency,
    "change_case:english_capital": checks.english_capital,
    "change_case:english_lowercase": checks.english_lowercase,
    "combination:repeat_prompt": checks.repeat_prompt,
    "combination:two_responses": checks.two_responses,
    "detectable_content:number_placeholders": checks.number_placeholders,
    "detectable_content:postscript": checks.postscript,
    "detectable_format:constrained_response": checks.constrained_response,
    "detectable_format:json_format": checks.json_format,
    "detectable_format:multiple_sections": checks.multiple_sections,
    "detectable_format:number_bullet_lists": checks.number_bullet_lists,
    "detectable_format:number_highlighted_sections": checks.number_highlighted_sections,
    "detectable_format:title": checks.title,
    "keywords:existence": checks.existence,
    "keywords:forbidden_words": checks.forbidden_words,
    "keywords:frequency": checks.frequency,
    "keywords:letter_frequency": checks.letter_frequency,
    "language:response_language": checks.response_language,
    "length_constraints:nth_paragraph_first_word": checks.nth_paragraph_first_word,
    "length_constraints:number_paragraphs": checks.number_paragraphs,
    "length_constraints:number_sentences": checks.number_sentences,
    "length_constraints:number_words": checks.number_words,
    "punctuation:no_comma": checks.no_comma,
    "startend:end_checker": checks.end_checker,
    "startend:quotation": checks.quotation,
}


def check_for(name: str, arguments: Mapping[str, JSON]) -> Check:
    """The check of an instruction; arguments that are null or empty count as not given.

    Raises:
        DatasetError: an unknown instruction, or arguments that are not its own.
    """
    if name not in INSTRUCTIONS:
        raise DatasetError(
            f"IFEval: unknown instruction {name!r}", hint=f"There are: {', '.join(INSTRUCTIONS)}."
        )
    given = {key: value for key, value in arguments.items() if value}
    try:
        return INSTRUCTIONS[name](**given)
    except TypeError as error:
        raise DatasetError(f"IFEval: {name}: {error}") from None
