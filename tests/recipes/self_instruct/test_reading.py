"""Reading instances, on text as models write it."""

from __future__ import annotations

import re

import pytest
from tests.recipes.self_instruct.made import PROMPTS

from seedbed.recipes.self_instruct.reading import (
    Instance,
    read_headed_input_first,
    read_headed_output_first,
    read_input_first,
    read_output_first,
)
from seedbed.records import Drop


def pairs(found: list[Instance] | Drop) -> list[tuple[str, str]]:
    assert not isinstance(found, Drop), found
    return [(one.input, one.response) for one in found]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Output: Just this.", [("", "Just this.")]),
        ("Input: a\nOutput: b", [("a", "b")]),
        ("Input 1: a\nOutput 1: b\nInput 2: c\nOutput 2: d", [("a", "b")]),
        (
            "Example 1\nInput: a\nOutput: b\n\nExample 2\nInput: c\nOutput: d",
            [("a", "b"), ("c", "d")],
        ),
        ("Example 1.\nSentence: a\nOutput: b", [("Sentence: a", "b")]),
        ("Example 1\nPassage: x\nQuestion: y\nOutput: z", [("Passage: x\nQuestion: y", "z")]),
        ("Example 1\nNo marker at all", [("", "No marker at all")]),
        ("Example 1\nOutput: a", [("", "a")]),
        ("Output: b\nInput: c", [("", "b")]),
        ("Example 1\nInput: a\nOutput: b\nOutput: c", [("a", "b")]),
        ("Example 1\nInput: a\nOutput:", [("a", "")]),
        ("Example1\nOutput 1 : x", [("", "x")]),
        ("For Example, salt.\nOutput: b", [("", "For"), (", salt.", "b")]),
    ],
)
def test_input_first_is_read_as_the_code_reads_it(text: str, wanted: list[tuple[str, str]]) -> None:
    assert pairs(read_input_first(text)) == wanted


@pytest.mark.parametrize("text", ["", "I do not know.", "output: small letters"])
def test_input_first_without_a_marker_is_unparsed(text: str) -> None:
    found = read_input_first(text)
    assert isinstance(found, Drop)
    assert found.reason == "unparsed"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Class label: yes", [("", "yes")]),
        (
            "Class label: A\nText: x\ny\n\nClass label: B\nText: z",
            [("Text: x\ny", "A"), ("Text: z", "B")],
        ),
        ("Sure.\nClass label:\nspam\nBuy now", [("Buy now", "spam")]),
        ("Class label:", [("", "")]),
    ],
)
def test_output_first_takes_the_first_line_for_the_label(
    text: str, wanted: list[tuple[str, str]]
) -> None:
    assert pairs(read_output_first(text)) == wanted


def test_output_first_without_a_label_is_unparsed() -> None:
    assert isinstance(read_output_first("label: yes"), Drop)


def test_our_own_demonstrations_are_read_back() -> None:
    """Notes, section 5.5: the templates' demonstrations as raw text."""
    blocks = PROMPTS.templates["input_first_by_example"].split("\nTask: ")[1:-1]
    read = [pairs(read_input_first(block.partition("\n")[2])) for block in blocks]
    assert [len(found) for found in read] == [2, 1, 2, 2, 1, 1, 2, 1, 2, 1, 1]
    assert sum(given == "" for found in read for given, _ in found) == 4
    assert read[0][1] == (
        "Sentences: Nobody knew the adress. The garden is behind the house. It was raining.",
        "Nobody knew the address.",
    )
    blocks = PROMPTS.templates["output_first_by_example"].split("\nTask: ")[1:-1]
    labelled = [pairs(read_output_first(block.partition("\n")[2])) for block in blocks]
    assert len(labelled) == 16
    assert sum(map(len, labelled)) == len(
        re.findall("Class label:", PROMPTS.templates["output_first_by_example"])
    )
    assert sum(given == "" for found in labelled for given, _ in found) == 2


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("### Output 1:\nJust this.", [("", "Just this.")]),
        ("### Input 1:\na\n\n### Output 1:\nb", [("a", "b")]),
        (
            "Sure!\n\n## Input 1\na\n## Output 1\nb\n\nc\n## Input 2\nd\n## Output 2\ne",
            [("a", "b\n\nc"), ("d", "e")],
        ),
        ("### Input: a\n### Output: b", [("a", "b")]),
        ("### Input 1:\nNone\n### Output 1:\nb", [("", "b")]),
        ("### Output 1:\na\n### Output 2:\nb", [("", "a"), ("", "b")]),
        ("### Input 1:\r\na\r\n### Output 1:\r\nb\r\n", [("a", "b")]),
        (
            "### Input 1:\n# A title\ntext\n### Output 1:\n## Answer\nb",
            [("# A title\ntext", "## Answer\nb")],
        ),
        ("### Input 1:\na\n### Output 1:", [("a", "")]),
    ],
)
def test_headed_instances_are_read(text: str, wanted: list[tuple[str, str]]) -> None:
    assert pairs(read_headed_input_first(text)) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Input: a\nOutput: b",
        "### Input 1:\na",
        "### Input 1:\na\n### Input 2:\nb\n### Output 2:\nc",
        "### Input 2:\na\n### Output 2:\nb",
        "### Input 1:\na\n### Output 2:\nb",
        "### Output 1:\nwrite it so:\n### Output 1:\nb",
        "### Label 1:\na\n### Input 1:\nb",
    ],
)
def test_headings_out_of_turn_are_unparsed(text: str) -> None:
    found = read_headed_input_first(text)
    assert isinstance(found, Drop)
    assert found.reason == "unparsed"


def test_headed_labels_come_first() -> None:
    text = "### Label 1:\nspam\n\n### Input 1:\nBuy now!\n\n### Label 2:\nham\n### Input 2:\nHi."
    assert pairs(read_headed_output_first(text)) == [("Buy now!", "spam"), ("Hi.", "ham")]
    assert pairs(read_headed_output_first("### Class label:\nyes")) == [("", "yes")]
    for disorder in ("### Input 1:\nx\n### Label 1:\ny", "### Input 1:\nx", "### Output 1:\ny"):
        assert isinstance(read_headed_output_first(disorder), Drop)
