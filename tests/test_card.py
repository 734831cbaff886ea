"""The card says what is true, in a form that the hub reads, and nothing foreign becomes markup."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import datasets
import pytest
from huggingface_hub import DatasetCard
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from seedbed.card import CardFacts, dataset_card, size_category
from seedbed.export import write_parquet
from seedbed.markup import escaped, fenced, table
from seedbed.records import Example, Instruction, Origin

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()))

FACTS = CardFacts(
    name="first",
    recipe="skillmix",
    teacher="some-model-2024",
    judge="judge-model",
    seed=7,
    wanted=300,
    kept=280,
    calls=1234,
    prompt_tokens=1_000_000,
    completion_tokens=200_000,
    dollars=4.5,
    doubtful_dollars=0.25,
    version="0.1.0",
    skills=200,
    query_types=16,
    pool="the teacher itself",
    repaired=11,
    drops={"unparseable": 3, "leaked_commentary": 17},
    repairs={"closing_remark": 11},
    settings={"k": "2", "profile": "three_turn"},
    digests={"config": "abc"},
)
PRACTICE = replace(FACTS, teacher="practice-1", dollars=0.0, doubtful_dollars=0.0)


def header(card: str) -> dict[str, Any]:
    """The header as the hub's own library reads it."""
    return {key: value for key, value in vars(DatasetCard(card).data).items() if value is not None}


def tokens_of(text: str) -> list[Token]:
    """All tokens of the Markdown, as the hub's kind of parser sees it: tables, links, raw HTML."""
    markdown = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    return [token for block in markdown.parse(text) for token in (block, *(block.children or ()))]


def test_the_hub_reads_the_header() -> None:
    assert header(dataset_card(FACTS)) == {
        "pretty_name": "first",
        "task_categories": ["text-generation"],
        "tags": ["synthetic", "instruction-tuning", "seedbed", "instruct-skillmix"],
        "size_categories": ["n<1K"],
        "configs": [
            {
                "config_name": "default",
                "data_files": [{"split": "train", "path": "examples.parquet"}],
            }
        ],
    }


def test_a_folder_with_the_card_loads_as_a_dataset(tmp_path: Path) -> None:
    examples = [Example(instruction=Instruction(text="Q"), response="A")]
    write_parquet(examples, tmp_path / "examples.parquet")
    (tmp_path / "drops.jsonl").write_text('{"other": "columns"}\n')
    (tmp_path / "README.md").write_text(dataset_card(FACTS))
    rows = datasets.load_dataset(str(tmp_path), cache_dir=str(tmp_path / "cache"))
    assert rows["train"]["response"] == ["A"]


def test_the_license_is_left_to_the_user_and_the_card_says_so() -> None:
    card = dataset_card(FACTS)
    assert "license" not in header(card)
    assert "# license: yours to fill in" in card
    assert "## License\n\nNone has been chosen." in card


@pytest.mark.parametrize(
    "told",
    [
        "280 examples of 300 asked for",
        "| teacher | some-model-2024 |",
        "| judge | judge-model |",
        "| skills | 200, from the teacher itself |",
        "| query types | 16 |",
        "| k | 2 |",
        "20 items were dropped (6.7% of what was tried)",
        "| leaked\\_commentary | 17 |\n| unparseable | 3 |",
        "11 examples were mended",
        "| closing\\_remark | 11 |",
        "| calls | 1,234 |",
        "| dollars | \\$4.50, of which \\$0.25 may not have been charged |",
        "Incomplete: 20 examples fewer than asked for.",
        "https://arxiv.org/abs/2408.14774",
        "`seedbed run CONFIG",
        "| config | abc |",
        "terms of the teacher's provider",
    ],
)
def test_the_card_tells_how_it_was_made_and_what_it_lacks(told: str) -> None:
    assert told in dataset_card(FACTS)


def test_one_is_spoken_of_as_one() -> None:
    card = dataset_card(replace(FACTS, repaired=1, drops={"refused": 1}))
    assert "1 item was dropped" in card
    assert "1 example was mended" in card


def test_an_unknown_price_is_not_a_price_of_nothing() -> None:
    assert "unknown: the model has no known price" in dataset_card(replace(FACTS, dollars=None))


def test_a_complete_run_is_not_called_incomplete() -> None:
    card = dataset_card(replace(FACTS, kept=300))
    assert "Incomplete" not in card
    assert "asked for" not in card


def test_the_practice_teacher_is_not_passed_off_as_a_model() -> None:
    card = dataset_card(PRACTICE)
    assert "which is not a language model" in card
    assert "Written by a model" not in card
    assert "nothing: the practice teacher is free" in card
    assert "practice-teacher" in header(card)["tags"]
    other = dataset_card(FACTS)
    assert "which is not a language model" not in other
    assert "practice-teacher" not in header(other)["tags"]


@pytest.mark.parametrize(
    ("count", "name"),
    [
        (0, "n<1K"),
        (999, "n<1K"),
        (1000, "1K<n<10K"),
        (52_002, "10K<n<100K"),
        (999_999, "100K<n<1M"),
        (10**9, "n>1B"),
    ],
)
def test_sizes_are_named_as_the_hub_names_them(count: int, name: str) -> None:
    assert size_category(count) == name


NASTY = [
    "<script>alert(1)</script>",
    "![x](http://a/b.png) [y](javascript:z)",
    "a | b\n| c | d |",
    "---\nlicense: mit\n---",
    '"]\nlicense: mit\ntags: ["x',
    "~~~\n# heading\n~~~~ ```",
    "# heading\n\n- item\n\n<b>bold</b> &lt; **x** _y_ `z` \\",
    "https://example.com www.example.com",
    "a\x00b\x1b[31m\u202e\u2028# c\ud800",
]


@pytest.mark.parametrize("nasty", NASTY)
def test_foreign_text_becomes_no_markup_and_no_key(nasty: str) -> None:
    origin = Origin(skills=(nasty,))
    example = Example(
        instruction=Instruction(text=nasty, origin=origin), response=nasty, input=nasty
    )
    plain = Example(instruction=Instruction(text="a", origin=Origin(skills=("a",))), response="b")
    tame, wild = (
        replace(
            FACTS,
            name=text,
            teacher=text,
            judge=text,
            pool=text,
            version=text,
            drops={text: 1},
            repairs={text: 1},
            settings={text: text},
            digests={text: text},
            examples=[shown],
        )
        for text, shown in [
            ("a", plain),
            (nasty, example),
        ]
    )
    assert header(dataset_card(wild)).keys() == header(dataset_card(tame)).keys()
    bodies = [DatasetCard(dataset_card(facts)).text for facts in (tame, wild)]
    kinds = [[token.type for token in tokens_of(body)] for body in bodies]
    simple = [[kind for kind in found if not kind.startswith("text")] for found in kinds]
    assert simple[0] == simple[1]


@given(ANY_TEXT)
def test_escaped_text_shows_as_itself(text: str) -> None:
    tokens = [token for token in tokens_of(f"x {escaped(text)}") if token.type != "inline"]
    assert {token.type for token in tokens} <= {"paragraph_open", "text", "paragraph_close"}
    shown = "".join(token.content for token in tokens)
    assert shown.isprintable()
    wanted = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    assert shown.split() == ["x", *wanted.split()]


@given(ANY_TEXT, ANY_TEXT)
def test_a_cell_stays_a_cell(name: str, value: str) -> None:
    tokens = tokens_of(table(("a", "b"), {name: value}))
    assert [token.type for token in tokens].count("td_open") == 2
    assert not {token.type for token in tokens} & {
        "html_inline",
        "link_open",
        "code_inline",
        "image",
    }


@given(st.text(st.sampled_from("~`a\n\r >#")))
def test_a_fence_holds(text: str) -> None:
    tokens = MarkdownIt("commonmark").parse(f"{fenced(text)}\n\nafter")
    assert [token.type for token in tokens] == [
        "fence",
        "paragraph_open",
        "inline",
        "paragraph_close",
    ]
    assert tokens[2].content == "after"


def test_long_texts_are_cut() -> None:
    assert len(fenced("x" * 10_000)) < 1600
    assert fenced("x" * 10_000).endswith("x …\n~~~")
