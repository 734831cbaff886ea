from __future__ import annotations

import pytest

from seedbed.errors import DatasetError
from seedbed.evaluate.ifeval import INSTRUCTIONS, check_for, must_follow
from seedbed.evaluate.ifeval.sentences import capital_words, count_words, sentences
from seedbed.records import JSON, Example, Instruction

ENGLISH = "this is a plain english sentence about the weather and the people of the town."
GERMAN = "Das ist ein ganz gewöhnlicher deutscher Satz über das Wetter und die Leute der Stadt."

CASES: list[tuple[str, dict[str, JSON], list[str], list[str]]] = [
    (
        "keywords:existence",
        {"keywords": ["sun", "moon"]},
        ["The Sun and the moonlight."],
        ["The sun only.", "stars"],
    ),
    (
        "keywords:frequency",
        {"keyword": "war", "frequency": 2, "relation": "at least"},
        ["War and warm."],
        ["One war.", ""],
    ),
    (
        "keywords:frequency",
        {"keyword": "war", "frequency": 2, "relation": "less than"},
        ["One war.", "peace"],
        ["War and warm."],
    ),
    (
        "keywords:forbidden_words",
        {"forbidden_words": ["rock", "c++"]},
        ["A rocket.", "c+ is fine"],
        ["A Rock, here.", "I like C++."],
    ),
    (
        "keywords:letter_frequency",
        {"letter": "q", "let_frequency": 2, "let_relation": "at least"},
        ["Q and q"],
        ["one q"],
    ),
    (
        "keywords:letter_frequency",
        {"letter": "#", "let_frequency": 2, "let_relation": "at least"},
        ["#one #two"],
        ["#one letters letters letters"],
    ),
    (
        "keywords:letter_frequency",
        {"letter": "!", "let_frequency": 2, "let_relation": "less than"},
        ["Ha!"],
        ["Ha! Ha!"],
    ),
    ("language:response_language", {"language": "de"}, [GERMAN], [ENGLISH]),
    ("language:response_language", {"language": "hi"}, ["यह एक साधारण हिंदी वाक्य है।"], [GERMAN]),
    ("change_case:english_capital", {}, [ENGLISH.upper()], [ENGLISH, GERMAN.upper(), "12"]),
    ("change_case:english_lowercase", {}, [ENGLISH], [ENGLISH.title(), GERMAN.lower()]),
    (
        "change_case:capital_word_frequency",
        {"capital_frequency": 2, "capital_relation": "at least"},
        ["NASA and I", "**TITLE** HERE"],
        ["NASA only", "none"],
    ),
    (
        "length_constraints:number_sentences",
        {"num_sentences": 3, "relation": "less than"},
        ["One. Two."],
        ["One. Two. Three."],
    ),
    (
        "length_constraints:number_words",
        {"num_words": 3, "relation": "at least"},
        ["one two three", "don't stop"],
        ["one two"],
    ),
    (
        "length_constraints:number_paragraphs",
        {"num_paragraphs": 2},
        ["one\n\n***\n\ntwo", "***\none\n***\ntwo\n***"],
        ["one", "one\n\ntwo", "one\n***\n***\ntwo", "one *** two *** three"],
    ),
    (
        "length_constraints:nth_paragraph_first_word",
        {"num_paragraphs": 2, "nth_paragraph": 2, "first_word": "weekend"},
        ["one\n\nWeekend, at last.", 'one\n\n"Weekend" it is.'],
        ["one\n\nAt last.", "one\n\nweekend\n\nthree", "weekend", "", "one\n\nweekends"],
    ),
    (
        "detectable_content:number_placeholders",
        {"num_placeholders": 2},
        ["[name] lives in [town]"],
        ["[name]", "[a\nb] [c\nd]"],
    ),
    (
        "detectable_content:postscript",
        {"postscript_marker": "P.S."},
        ["Bye.\nP.S. More.", "p. s. more"],
        ["Bye.", "PS more"],
    ),
    (
        "detectable_content:postscript",
        {"postscript_marker": "P.P.S"},
        ["P.P.S more", "p. p. s more"],
        ["P.S. more"],
    ),
    (
        "detectable_format:number_bullet_lists",
        {"num_bullets": 2},
        ["* one\n* two", "- one\n  - two", "Here:\n* one\n- two"],
        ["* one", "* one\n* two\n* three", "**bold** one\n**bold** two"],
    ),
    (
        "detectable_format:constrained_response",
        {},
        ["My answer is no."],
        ["My answer is No.", "no"],
    ),
    (
        "detectable_format:number_highlighted_sections",
        {"num_highlights": 2},
        ["*one* and *two*", "**one** and **two**"],
        ["*one*", "** ** and * *", "*one\ntwo* three"],
    ),
    (
        "detectable_format:multiple_sections",
        {"section_spliter": "SECTION", "num_sections": 2},
        ["SECTION 1\nx\nSECTION 2\ny"],
        ["SECTION 1\nx", "Section 1 Section 2"],
    ),
    (
        "detectable_format:json_format",
        {},
        ['{"a": 1}', "```json\n[1, 2]\n```", "```\n{}\n```"],
        ["Here: {}", '{"a": 1', "```json\n{}\n```\nDone."],
    ),
    ("detectable_format:title", {}, ["<<A poem>>\nx"], ["<A poem>", "<< >>", "<<a\nb>>"]),
    (
        "combination:two_responses",
        {},
        ["one\n******\ntwo", "******\none\n******\ntwo\n******"],
        ["one", "one******one", "one******two******three", "one************two"],
    ),
    (
        "combination:repeat_prompt",
        {"prompt_to_repeat": "Say it."},
        ["say it. There."],
        ["There. Say it."],
    ),
    (
        "startend:end_checker",
        {"end_phrase": "Peace!"},
        ["So be it. peace! ", '"Peace!"'],
        ["Peace! Bye."],
    ),
    ("startend:quotation", {}, ['"Hi."', ' "a\nb"\n'], ['"Hi.', "Hi.", '"']),
    ("punctuation:no_comma", {}, ["No comma here."], ["One, two."]),
]


@pytest.mark.parametrize(("name", "arguments", "good", "bad"), CASES)
def test_an_instruction_takes_what_follows_it_and_nothing_else(
    name: str, arguments: dict[str, JSON], good: list[str], bad: list[str]
) -> None:
    check = check_for(name, arguments)
    assert [response for response in good if not check(response)] == []
    assert [response for response in bad if check(response)] == []


def test_all_25_kinds_are_tried() -> None:
    assert {name for name, *_ in CASES} == set(INSTRUCTIONS)
    assert len(INSTRUCTIONS) == 25


def test_arguments_that_are_null_count_as_not_given() -> None:
    check = check_for("detectable_content:number_placeholders", {"num_placeholders": 1, "x": None})
    assert check("[a]")


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("keywords:rhyme", {}, "unknown instruction 'keywords:rhyme'"),
        ("keywords:existence", {}, "keywords"),
        ("punctuation:no_comma", {"number": 3}, "number"),
        (
            "length_constraints:number_words",
            {"num_words": 3, "relation": "about"},
            "expected 'at least' or 'less than'",
        ),
    ],
)
def test_what_is_not_of_the_benchmark_is_refused(
    name: str, arguments: dict[str, JSON], said: str
) -> None:
    with pytest.raises(DatasetError, match=said):
        check_for(name, arguments)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("One", 1),
        ("One. Two! Three?", 3),
        ("Dr. Smith met Mr. J. Doe at 3.5 p.m. today. Fine.", 2),
        ("Wait... what? Well... Yes.", 3),
        ('He said "Stop!" Then he left.', 2),
        ("A title\n\nand its text. More", 2),
        ("We sell books, etc. They sell more, e.g. pens.", 2),
        ("Version 2.0 of example.com is out.", 1),
    ],
)
def test_sentences_end_where_a_reader_ends_them(text: str, count: int) -> None:
    assert len(sentences(text)) == count


def test_words_are_runs_of_letters() -> None:
    assert count_words("don't stop-gap 3 times_two") == 6
    assert capital_words("I'M at NASA, U.S. and X-RAY") == 5


def test_an_instruction_makes_a_filter_on_data() -> None:
    objects = must_follow("punctuation:no_comma", {})
    instruction = Instruction(text="No commas.")
    assert objects(Example(instruction=instruction, response="None.")) is None
    drop = objects(Example(instruction=instruction, response="One, two."))
    assert drop is not None
    assert (drop.reason, drop.evidence["instruction"]) == (
        "instruction_not_followed",
        "punctuation:no_comma",
    )
