"""The index: all of a run's items, while it is written too, and anew after another run."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

import pytest
from tests.view.worlds import Begin, example, folder_of, settle

from seedbed.decisions import Decision, Verdict, append_decision, content_of
from seedbed.errors import ConfigError
from seedbed.files import replacing
from seedbed.folder import RunFolder
from seedbed.projections import Projections
from seedbed.records import Attempt, Drop, Dropped, Example, Origin
from seedbed.view.filters import Filters
from seedbed.view.indexing import IndexState
from seedbed.view.queries import PAGE, Sort, facets, page, score_names
from seedbed.view.schema import connect

T = TypeVar("T")

WORLD = [
    example("Sort the fruit: pear, apple", "apple, pear", skills=("sorting",), query_type="Help"),
    example("Sort the herbs: sage, mint", "mint, sage", skills=("sorting",), query_type="Task"),
    example("Count the naïve fruit", "Two.", skills=("counting", "sorting"), query_type="Help"),
    example("รวมตัวเลขทั้งหมด", "12", skills=("counting",), query_type="Task"),
]
DROPS: list[tuple[Dropped, Drop]] = [
    (Attempt(text="Half of a", origin=Origin(recipe="skillmix")), Drop(reason="truncated")),
    (example("Sort the fruit: pear, fig"), Drop(reason="too_similar", evidence={"score": 0.9})),
]


def ask(state: IndexState, query: Callable[..., T], *arguments: Any) -> T:
    with closing(connect(Path(state.path))) as database:
        return query(database, *arguments)


def similarities(state: IndexState) -> dict[int, float]:
    def look(database: sqlite3.Connection) -> dict[int, float]:
        return dict(database.execute("select number, similarity from items where dropped = 0"))

    return ask(state, look)


def found(state: IndexState, sort: Sort = Sort(), **filters: Any) -> list[str]:  # noqa: B008
    made = ask(state, page, Filters(**filters), sort)
    return [item["excerpt"] for item in made["items"]]


@pytest.fixture
def state(tmp_path: Path, begin: Begin) -> IndexState:
    return settle(begin(folder_of(tmp_path / "run", WORLD, DROPS)))


def test_every_item_is_in_it_once(state: IndexState) -> None:
    assert (state.examples, state.drops, state.unread) == (4, 2, 0)
    assert found(state) == [each.instruction.text for each in WORLD]
    assert found(state, side="drops") == ["Half of a", "Sort the fruit: pear, fig"]


@pytest.mark.parametrize(
    ("filters", "places"),
    [
        ({"query_type": "Help"}, [0, 2]),
        ({"skills": ("sorting",)}, [0, 1, 2]),
        ({"skills": ("sorting", "counting")}, [2]),
        ({"instruction_low": 20, "instruction_high": 26}, [1, 2]),
        ({"response_high": 4}, [2, 3]),
        ({"search": "fruit"}, [0, 2]),
        ({"search": "SORT -herbs"}, [0]),
        ({"search": "-fruit"}, [1, 3]),
        ({"search": '"the herbs"'}, [1]),
        ({"search": '"herbs the"'}, []),
        ({"search": "naive"}, [2]),
        ({"search": "min"}, [1]),
        ({"search": "ตัวเลข"}, [3]),
        ({"search": "ตัวเลขxx"}, []),
        ({"search": ":"}, [0, 1]),
        ({"search": 'and or not near( " *'}, []),
        ({"search": "fruit", "query_type": "Task"}, []),
        ({"repaired": True}, []),
    ],
)
def test_filters_find_what_they_say(
    state: IndexState, filters: dict[str, Any], places: list[int]
) -> None:
    assert found(state, **filters) == [WORLD[place].instruction.text for place in places]
    counts = ask(state, facets, Filters(**filters))
    assert counts["total"] == len(places)


def test_a_narrowed_facet_still_counts_what_else_there_is(state: IndexState) -> None:
    counts = ask(state, facets, Filters(query_type="Help"))
    assert counts["values"]["query_type"] == [["Help", 2], ["Task", 2]]
    assert counts["values"]["skill"] == [["sorting", 2], ["counting", 1]]
    assert ask(state, facets, Filters())["values"]["skill"] == [
        ["sorting", 3],
        ["counting", 2],
    ]


def test_items_are_sorted_by_length_similarity_and_scores(state: IndexState) -> None:
    by_length = found(state, Sort(by="instruction", descending=True))
    assert by_length == sorted(by_length, key=len, reverse=True)
    likest = found(state, Sort(by="similarity", descending=True))
    assert likest == [WORLD[place].instruction.text for place in (2, 0, 1, 3)]
    assert ask(state, score_names) == ["evidence: score"]
    scored = ask(state, page, Filters(side="drops"), Sort(by="score:evidence: score"))
    assert [item["score"] for item in scored["items"]] == [0.9]


def test_pages_follow_each_other_without_gap_or_repetition(tmp_path: Path, begin: Begin) -> None:
    many = [
        example(f"Number {number % 7} of them", "x" * (number % 3 + 1)) for number in range(160)
    ]
    many = [Example(instruction=each.instruction, response=f"{each.response} {place}")
            for place, each in enumerate(many)]  # fmt: skip
    state = settle(begin(folder_of(tmp_path / "run", many)))
    for by in ("order", "instruction", "response", "similarity"):
        for descending in (False, True):
            seen, after = [], ""
            while True:
                sort = Sort(by=by, descending=descending, after=after)
                made = ask(state, page, Filters(), sort)
                seen += [item["number"] for item in made["items"]]
                assert len(made["items"]) <= PAGE
                if not (after := made["next"]):
                    break
            assert sorted(seen) == list(range(1, 161)), by


@pytest.mark.parametrize(
    "query",
    [
        {"side": "secrets"},
        {"judged": "maybe"},
        {"instruction_low": "-1"},
        {"response_high": "1e99"},
    ],
)
def test_what_is_no_filter_is_refused(query: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match=next(iter(query))):
        Filters.read(query)


@pytest.mark.parametrize("sort", [Sort(by="number; drop table items"), Sort(after="bm8=")])
def test_what_is_no_place_in_a_list_is_refused(state: IndexState, sort: Sort) -> None:
    with pytest.raises(ConfigError):
        ask(state, page, Filters(), sort)


def test_similarity_is_the_exact_rouge_of_the_nearest_other_instruction(state: IndexState) -> None:
    # "sort the fruit pear apple" and "sort the herbs sage mint": two words of five, F1 0.4;
    # "count the naïve fruit" shares "the … fruit" with the first, two of five and of four.
    assert similarities(state) == pytest.approx({1: 4 / 9, 2: 0.4, 3: 4 / 9, 4: 0.0})


def test_the_same_instruction_twice_is_its_own_nearest(tmp_path: Path, begin: Begin) -> None:
    twins = [example("Say hello", round=0), example("Say hello", round=1), example("Count to nine")]
    indexer = begin(folder_of(tmp_path / "run", twins))
    state = settle(indexer)
    assert similarities(state) == {1: 1.0, 2: 1.0, 3: 0.0}
    first, second = (twin.instruction.id for twin in twins[:2])
    assert indexer.nearest(first, "Say hello", 1) == [(second, 1.0)]


def test_an_unfinished_run_is_followed_line_by_line(tmp_path: Path, begin: Begin) -> None:
    folder = folder_of(tmp_path / "run", [])
    folder.examples.unlink()
    folder.drops.unlink()
    with Projections(folder) as files:
        indexer = begin(folder)
        assert settle(indexer, live=True).examples == 0
        files.keep(WORLD[0])
        files.flush()
        assert settle(indexer, live=True).examples == 1
        files.keep(WORLD[1])
        files.drop(*DROPS[0])
        files.flush()
        state = settle(indexer, live=True)
        assert (state.examples, state.drops) == (2, 1)
        before = state.path
        files.publish()
        state = settle(indexer)
        assert (state.examples, state.drops) == (2, 1)
        assert state.path == before, "a file put in place is the same file"


def test_another_run_in_the_same_folder_is_indexed_anew(tmp_path: Path, begin: Begin) -> None:
    folder = folder_of(tmp_path / "run", WORLD, DROPS)
    indexer = begin(folder)
    before = settle(indexer)
    folder_of(tmp_path / "run", WORLD[:1])
    state = settle(indexer)
    assert (state.examples, state.drops) == (1, 0)
    assert state.path != before.path
    assert not Path(before.path).exists()


def test_half_a_line_waits_for_its_other_half(tmp_path: Path, begin: Begin) -> None:
    folder = folder_of(tmp_path / "run", WORLD[:1])
    whole = folder.examples.read_bytes()
    with replacing(folder.drops) as file:
        row = json.dumps({"reason": "refused", "kind": "attempt", "text": "No."}).encode()
        file.write(row[:20])
        file.flush()
        indexer = begin(folder)
        folder.drops.unlink()
        assert settle(indexer, live=True).drops == 0
        file.write(row[20:] + b"\n")
        file.flush()
        assert settle(indexer, live=True).drops == 1
    assert folder.examples.read_bytes() == whole


def test_lines_that_are_no_items_are_counted_and_passed_over(tmp_path: Path, begin: Begin) -> None:
    folder = folder_of(tmp_path / "run", WORLD[:1])
    with folder.examples.open("ab") as file:
        file.write(b'no json\n[1]\n\xff\xfe\n{"instruction": "by hand", "response": "yes"}\n')
        file.write(b'{"instruction": 5, "response": "yes"}\n')
        file.write(b'{"instruction": "half \\ud83d", "response": "yes", "skills": "none"}\n')
    state = settle(begin(folder))
    assert state.unread == 5
    assert found(state) == [WORLD[0].instruction.text, "by hand"]


def test_half_a_surrogate_pair_is_shown_as_the_replacement_character(
    tmp_path: Path, begin: Begin
) -> None:
    folder = folder_of(tmp_path / "run", [])
    folder.examples.write_text('{"instruction": "half \\ud83d", "response": "\\ud83d\\ude00"}\n')
    state = settle(begin(folder))
    assert found(state) == ["half �"]
    assert found(state, search="😀") == ["… 😀"]


def test_decisions_of_earlier_days_are_shown(tmp_path: Path, begin: Begin) -> None:
    folder = folder_of(tmp_path / "run", WORLD, DROPS)
    dropped = DROPS[1][0]
    assert isinstance(dropped, Example)
    made: list[tuple[Example, Verdict]] = [
        (WORLD[0], "accept"),
        (WORLD[0], "none"),
        (WORLD[1], "reject"),
        (dropped, "accept"),
    ]
    for item, verdict in made:
        content = content_of(item.instruction.text, item.input, item.response)
        decision = Decision(id=item.id, content=content, verdict=verdict, dropped=item is dropped)
        append_decision(folder.decisions, decision)
    state = settle(begin(folder))
    assert found(state, judged="reject") == [WORLD[1].instruction.text]
    assert found(state, side="drops", judged="accept") == ["Sort the fruit: pear, fig"]
    assert len(found(state, judged="open")) == 3


def test_training_signals_are_scores(tmp_path: Path, begin: Begin) -> None:
    folder = folder_of(tmp_path / "run", WORLD)
    (folder.path / "training").mkdir()
    rows = [
        {"step": 1, "id": WORLD[0].id, "loss": 2.5, "note": "text"},
        {"step": 9, "id": WORLD[0].id, "loss": 0.5},
        {"step": 9, "id": WORLD[2].id, "loss": 1.5},
        {"step": 9, "id": "another run's", "loss": 9.5},
    ]
    text = "".join(json.dumps(row) + "\n" for row in rows) + "no json\n"
    (folder.path / "training" / "signals.jsonl").write_text(text)
    state = settle(begin(folder))
    made = ask(state, page, Filters(), Sort(by="score:signal: loss", descending=True))
    assert [(item["key"], item["score"]) for item in made["items"]] == [
        (WORLD[2].id, 1.5),
        (WORLD[0].id, 0.5),
    ]


def test_a_folder_without_files_is_an_empty_index(tmp_path: Path, begin: Begin) -> None:
    (tmp_path / "run").mkdir()
    state = settle(begin(RunFolder(tmp_path / "run")))
    assert (state.examples, state.drops, found(state)) == (0, 0, [])
