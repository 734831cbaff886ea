"""What is read of a teacher's answers, and what is not."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedbed.recipes.skillmix.parse import parse_conversation, parse_names, parse_query_types
from seedbed.records import Drop

RELEASE = Path(__file__).parents[3] / "../shared/data/skillmix"


def reason(text: str) -> str:
    parsed = parse_conversation(text)
    assert isinstance(parsed, Drop)
    return parsed.reason


@pytest.mark.parametrize(
    "text",
    [
        "### Instruction:\nAsk.\n\n### Response:\nAnswer.",
        "  \n### Instruction:\nAsk.\n### Response:\nAnswer.\n\n",
        "### Instruction: Ask.\n### Response: Answer.",
        "### Instruction\nAsk.\n### Response\nAnswer.",
        "###Instruction:\nAsk.\n###Response:\nAnswer.",
        "## instruction:\nAsk.\n#### RESPONSE :\nAnswer.",
        "### Instruction:   \nAsk.\n### Response:\t\nAnswer.",
        "### Instruction:\r\nAsk.\r\n\r\n### Response:\r\nAnswer.\r\n",
    ],
)
def test_both_fields_are_read_from_the_asked_form(text: str) -> None:
    assert parse_conversation(text) == ("Ask.", "Answer.")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Ask.\nAnswer.",
        "### Instruction:\nAsk.",
        "### Response:\nAnswer.",
        "### Response:\nAnswer.\n### Instruction:\nAsk.",
        "### Instruction:\nAsk.\n### Response:\nOne.\n### Instruction:\nAsk.\n### Response:\nTwo.",
        "### Instruction:\nAsk.\n### Response:\nOne.\n### Response:\nTwo.",
        "Sure, here it is:\n### Instruction:\nAsk.\n### Response:\nAnswer.",
        "**Instruction:**\nAsk.\n**Response:**\nAnswer.",
        "Instruction: Ask.\nResponse: Answer.",
        "### Refined Instruction:\nAsk.\n### Refined Response:\nAnswer.",
        "### **Instruction:**\nAsk.\n### **Response:**\nAnswer.",
        "### Instruction:\nAsk. ### Response:\nAnswer.",
    ],
)
def test_any_other_form_is_unparsed(text: str) -> None:
    assert reason(text) == "unparsed"


def test_an_empty_field_is_named() -> None:
    parsed = parse_conversation("### Instruction:\n### Response:\nAnswer.")
    assert isinstance(parsed, Drop)
    assert (parsed.reason, parsed.evidence["field"]) == ("empty", "instruction")
    parsed = parse_conversation("### Instruction:\nAsk.\n### Response:\n \n")
    assert isinstance(parsed, Drop)
    assert (parsed.reason, parsed.evidence["field"]) == ("empty", "response")


def test_other_headings_and_the_bare_words_stay_in_the_text() -> None:
    text = (
        "### Instruction:\n## Data\nWrite the Response: a plan.\n"
        "### Response:\n### Response times\nInstruction: wait.\n# Instructions"
    )
    assert parse_conversation(text) == (
        "## Data\nWrite the Response: a plan.",
        "### Response times\nInstruction: wait.\n# Instructions",
    )


@given(st.text(alphabet="#: \n\rInstructionResponse*ab"))
def test_no_text_breaks_the_parser(text: str) -> None:
    parsed = parse_conversation(text)
    assert isinstance(parsed, Drop) or all(part.strip() == part != "" for part in parsed)
    parse_names(text)
    parse_query_types(text)


@pytest.mark.parametrize(
    "text",
    ["### Instruction" + " " * 400_000 + "x", "\n \t" * 200_000 + "x", "## " + " * " * 100_000],
)
def test_long_white_space_takes_no_quadratic_time(text: str) -> None:
    """Hangs where a pattern can split white space in two ways: then the suite never ends."""
    assert reason(text) == "unparsed"
    assert len(parse_names(text)) <= 1
    assert parse_query_types(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "data_analysis\nplain_language\n3d_modeling",
        "- data_analysis\n* plain_language\n• 3d_modeling",
        "1. data_analysis\n2) plain_language\n(3) 3d_modeling",
        "1: Data Analysis\n2: Plain Language\n3: 3D modeling.",
        '**Data analysis**\n`plain_language`\n"3d modeling"',
        "- **Data analysis**: reads charts, tables, …\n- Plain language: x\n- 3D-modeling: x",
        "```text\ndata_analysis\nplain_language\n3d_modeling\n```",
        '```json\n[\n  "data_analysis",\n  "plain_language",\n  "3d_modeling"\n]\n```',
        "### Skills:\ndata_analysis\r\nplain_language\r\n\r\n3d_modeling",
        "Here are the skills:\ndata_analysis\nplain_language\n3d_modeling\nThat is all I have.",
        "Sure!\ndata_analysis\nplain_language\n3d_modeling\nShall I go on?",
        "data_analysis, plain_language, 3d_modeling",
        "Data analysis, plain language, and 3D modeling.",
        "Skills: data_analysis; plain_language; 3d_modeling",
        "Here they are:\n\ndata_analysis, plain_language, 3d_modeling",
        '["data_analysis", "plain_language", "3d_modeling"]',
        "data_analysis\nData Analysis\nplain_language\ndata-analysis\n3d_modeling",
    ],
)
def test_names_are_read_from_any_usual_list(text: str) -> None:
    assert parse_names(text) == ["data_analysis", "plain_language", "3d_modeling"]


def test_a_comma_in_a_list_of_several_lines_separates_nothing() -> None:
    assert parse_names("rent, lease and tenancy\ntaxes") == ["rent_lease_and_tenancy", "taxes"]


@pytest.mark.parametrize(
    "text",
    [
        "none",
        "None.",
        "- none",
        "Skills: none",
        "none\n(no skill fits)",
        "None of the skills fits",
        "",
        "```\n```",
        "I'm sorry, but I can't help with that request.",
        "As a language model I have no skills that could be listed here",
        "x" * 81,
        "_".join("abcdefghi"),
    ],
)
def test_no_names_are_read_where_there_are_none(text: str) -> None:
    assert parse_names(text) == []


def test_none_among_names_is_left_out() -> None:
    assert parse_names("data_analysis\nnone") == ["data_analysis"]


def test_a_query_type_has_a_name_a_definition_and_examples() -> None:
    text = (
        "Here are two.\n\n"
        '### 1. **Planning**\r\nThe person wants a plan.\r\nIn order.\r\n- "How do I move?"\r\n\n'
        "#### Error Detection:\n**Definition:** Something is wrong.\n1. Why does it fail?\n"
        "### Without a definition\n- only an example\n"
        "###\nNameless.\n"
    )
    planning, errors = parse_query_types(text)
    assert (planning.name, planning.definition) == (
        "Planning",
        "The person wants a plan. In order.",
    )
    assert planning.examples == ("How do I move?",)
    assert (errors.name, errors.definition) == ("Error Detection", "Something is wrong.")
    assert errors.examples == ("Why does it fail?",)


@pytest.mark.parametrize("heading", ["### Planning", "## **Planning**", "### **1. Planning:**"])
def test_a_query_type_is_named_without_markup(heading: str) -> None:
    assert [kind.name for kind in parse_query_types(f"{heading}\nA plan.")] == ["Planning"]


@pytest.mark.skipif(not RELEASE.exists(), reason="the released data is not here")
def test_the_released_query_types_are_read_whole() -> None:
    text = (RELEASE / "query_types_gpt-4-turbo.txt").read_text(encoding="utf-8")
    kinds = parse_query_types(text)
    assert len({kind.name for kind in kinds}) == 16
    assert (kinds[0].name, kinds[-1].name) == (
        "Information-Seeking",
        "Digital Communication Design and Strategy",
    )
    for kind in kinds:
        assert kind.definition[0].isupper()
        assert len(kind.definition) > 60
        assert len(kind.examples) == 2
        assert not any(mark in text for text in (kind.name, *kind.examples) for mark in '*#"')
