"""The rules of the papers, in their order, and a set for finished datasets."""

from __future__ import annotations

from seedbed.curate.filters.checks import Check, on_input, on_instruction, on_response
from seedbed.curate.filters.examples import input_equals_response, merged_tasks, url_only_input
from seedbed.curate.filters.responses import placeholder_response, refusal, repetition
from seedbed.curate.filters.texts import (
    banned_start,
    empty,
    keyword,
    split_words,
    starts_outside_ascii,
    starts_with_punctuation,
    word_count,
)
from seedbed.curate.filters.truncation import ends_with_colon, truncated
from seedbed.records import Filter

SELF_INSTRUCT_TERMS = (
    *("image", "images", "graph", "graphs", "picture", "pictures", "file", "files"),
    *("map", "maps", "draw", "plot", "go to"),
)
"""What a text model cannot do, by yizhongw/self-instruct @ 0b26cca, `bootstrap_instructions.py`."""

ALPACA_TERMS = (*SELF_INSTRUCT_TERMS, "video", "audio", "music", "flowchart", "diagram")
"""The same with tatsu-lab/stanford_alpaca's five more."""


def self_instruct() -> tuple[Check, ...]:
    """Self-Instruct's rules for a new instruction, but for its ROUGE-L rule.

    Of 4 to 150 words, no term for what a text model cannot do, no "Write a program" (the model
    adds it to everything), no punctuation and no other script at the start.
    """
    return _instruction_rules(SELF_INSTRUCT_TERMS)


def alpaca() -> tuple[Check, ...]:
    """Stanford Alpaca's rules for a new instruction: Self-Instruct's with five more terms."""
    return _instruction_rules(ALPACA_TERMS)


def _instruction_rules(terms: tuple[str, ...]) -> tuple[Check, ...]:
    return (
        empty(),
        word_count(minimum=4, maximum=150, words=split_words),
        keyword(terms),
        banned_start(("Write a program",)),
        starts_with_punctuation(),
        starts_outside_ascii(),
    )


def self_instruct_instances() -> tuple[Filter, ...]:
    """Self-Instruct's rules for an instance (its `filter_invalid`), each with its own reason."""
    return (
        input_equals_response(),
        on_response(empty()),
        on_input(ends_with_colon()),
        on_response(ends_with_colon()),
    )


def sound() -> tuple[Filter, ...]:
    """What should be wrong with no finished example, whatever recipe or project made it.

    It holds no rule about length, language or topic, which are matters of taste.
    """
    return (
        on_instruction(empty()),
        on_response(empty()),
        on_response(placeholder_response()),
        merged_tasks(),
        url_only_input(),
        input_equals_response(),
        on_response(refusal()),
        on_response(repetition()),
        on_response(truncated()),
    )
