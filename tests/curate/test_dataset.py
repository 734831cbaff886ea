"""Curation of a whole dataset: every example is kept or dropped, once, for a reason."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from seedbed.cli import main
from seedbed.curate.contamination import BenchmarkPrompt
from seedbed.curate.dataset import CurateSettings, curate
from seedbed.datasets import read_dataset
from seedbed.records import Example, Instruction

DATA = Path(__file__).parents[2] / "../shared/data"
LIBRE = DATA / "alpaca_libre" / "alpaca_libre_tasks_v2.jsonl"

Captured = pytest.CaptureFixture[str]


def example(instruction: str, response: str = "A good answer.", input: str = "") -> Example:  # noqa: A002
    return Example(instruction=Instruction(text=instruction), response=response, input=input)


GOOD = [example("Name a river in France."), example("Write two lines about the sea at night.")]


def reasons(examples: list[Example], settings: CurateSettings) -> list[str]:
    return [drop.reason for _, drop in curate(examples, settings).drops]


def test_sound_examples_pass_everything_in_their_order() -> None:
    settings = CurateSettings(
        rules=("sound",), leaks="repair", novelty=0.7, near_duplicates=0.8, scripts=("LATIN",)
    )
    curated = curate(GOOD, settings)
    assert (curated.kept, curated.drops) == (GOOD, [])


@pytest.mark.parametrize(
    ("bad", "settings", "reason"),
    [
        (example("Name a lake.", ""), CurateSettings(), "empty"),
        (
            example("Name a lake.", "Here you are.\n\nThis refined response is more concise."),
            CurateSettings(leaks="drop"),
            "leaked_commentary",
        ),
        (example("Name a lake."), CurateSettings(words=(4, None)), "too_short"),
        (example("Name a lake.", "A " * 9), CurateSettings(response_words=(0, 8)), "too_long"),
        (example("Draw a lake."), CurateSettings(keywords=("draw",)), "keyword"),
        (example("Назови озеро."), CurateSettings(scripts=("LATIN",)), "foreign_script"),
        (
            example("Please name the largest lake of Italy."),
            CurateSettings(
                against=(
                    BenchmarkPrompt(
                        benchmark="b", id="1", text="Please name the largest lake of Italy"
                    ),
                )
            ),
            "contaminated",
        ),
        (example("Name a river in  France!"), CurateSettings(novelty=0.7), "too_similar"),
    ],
)
def test_each_setting_drops_what_it_is_for(
    bad: Example, settings: CurateSettings, reason: str
) -> None:
    curated = curate([*GOOD, bad], settings)
    assert [drop.reason for _, drop in curated.drops] == [reason]
    assert curated.drops[0][0] is bad
    assert curate([bad], CurateSettings(rules=())).drops == []


def test_what_is_off_is_not_asked() -> None:
    assert reasons([example("Name a lake.", "")], CurateSettings(rules=())) == []
    assert reasons([GOOD[0], GOOD[0]], CurateSettings()) == []


def test_a_near_duplicate_is_left_out_and_the_first_kept() -> None:
    pytest.importorskip("rensa")
    long = "Explain in your own words why the sky over a large city looks grey on most winter days"
    copies = [example(long + "."), example("Something else."), example(long + " at noon.")]
    curated = curate(copies, CurateSettings(near_duplicates=0.7))
    assert curated.kept == copies[:2]
    assert curated.reasons == {"near_duplicate": 1}


def test_repairs_are_kept_and_counted() -> None:
    leaking = example(
        "Name a river in France.",
        "The Loire is the longest river in France, and it flows into the Atlantic at "
        "Saint-Nazaire.\n\nThis refined response is more concise.",
    )
    curated = curate([leaking], CurateSettings(leaks="repair"))
    assert curated.repairs == {"closing_commentary_removed": 1}
    assert "refined" not in curated.kept[0].response


def test_the_command_reports_first_and_writes_only_when_asked(
    tmp_path: Path, capsys: Captured
) -> None:
    rows = [
        {"instruction": "Name a river.", "output": "The Loire."},
        {"instruction": "Name a lake.", "output": "<nooutput>"},
    ]
    source = tmp_path / "mine.json"
    source.write_text(json.dumps(rows))
    before = sorted(tmp_path.iterdir())
    assert main(["curate", str(source)]) == 0
    out = capsys.readouterr().out
    assert "1 kept, 1 dropped" in out
    assert "placeholder_response" in out
    assert sorted(tmp_path.iterdir()) == before
    assert main(["curate", str(source), "--out", str(tmp_path / "out"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["kept"] == 1
    kept = list(read_dataset(tmp_path / "out" / "alpaca.json"))
    assert [entry.response for entry in kept] == ["The Loire."]
    (dropped,) = (tmp_path / "out" / "drops.jsonl").read_text().splitlines()
    assert json.loads(dropped)["reason"] == "placeholder_response"


def test_columns_that_no_example_keeps_are_named(tmp_path: Path, capsys: Captured) -> None:
    source = tmp_path / "mine.jsonl"
    source.write_text('{"id": 7, "Prompt": "Name a lake.", "answer": "The Garda.", "topic": "x"}\n')
    assert main(["curate", str(source)]) == 0
    assert "1 kept; columns not read: `id`, `topic`\n" in capsys.readouterr().out
    source.write_text(
        '{"messages": [{"role": "user", "content": "Hi?"}, \
{"role": "assistant", "content": "Hello."}], "source": "x"}\n'
    )
    assert main(["curate", str(source)]) == 0
    assert "columns not read: `source`\n" in capsys.readouterr().out


def test_what_a_reader_asks_for_is_also_said_in_the_commands_words(
    tmp_path: Path, capsys: Captured
) -> None:
    source = tmp_path / "mine.jsonl"
    source.write_text('{"foo": "Name a lake.", "bar": "The Garda."}\n')
    assert main(["curate", str(source)]) == 3
    assert "--instruction" in capsys.readouterr().err
    source.write_text('{"instruction": "Name a lake.", "output": "The Garda."}\nbroken\n')
    assert main(["curate", str(source)]) == 3
    assert "--on-bad-line skip" in capsys.readouterr().err


def test_writing_never_replaces_the_dataset_that_is_read(tmp_path: Path, capsys: Captured) -> None:
    source = tmp_path / "alpaca.json"
    source.write_text('[{"instruction": "Name a lake.", "output": "<nooutput>"}]')
    before = source.read_bytes()
    assert main(["curate", str(source), "--out", str(tmp_path)]) == 2
    assert "alpaca.json would be replaced" in capsys.readouterr().err
    assert source.read_bytes() == before
    assert main(["curate", str(source), "--out", str(tmp_path), "--format", "messages"]) == 0


def test_writing_never_replaces_the_drops_of_a_run(tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "manifest.json").write_text("{}")
    (tmp_path / "drops.jsonl").write_text("of the run\n")
    (tmp_path / "examples.jsonl").write_text('{"instruction": "a", "response": "b"}\n')
    assert main(["curate", str(tmp_path), "--out", str(tmp_path)]) == 2
    assert "the folder of a run" in capsys.readouterr().err
    assert (tmp_path / "drops.jsonl").read_text() == "of the run\n"


@pytest.mark.parametrize(
    ("option", "words"),
    [
        (("--words", "many"), "LOW:HIGH"),
        (("--words", "50:5"), "LOW no larger than HIGH"),
        (("--script", "Klingon"), "no letter of Unicode"),
        (("--script", "latn"), "such as LATIN"),
        (("--against", "mmlu=x"), "alpaca_eval"),
        (("--novelty", "7"), "0 to 1"),
    ],
)
def test_an_impossible_option_says_what_is_expected(
    tmp_path: Path, capsys: Captured, option: tuple[str, str], words: str
) -> None:
    source = tmp_path / "mine.json"
    source.write_text('[{"instruction": "a", "output": "b"}]')
    assert main(["curate", str(source), *option]) == 2
    assert words in capsys.readouterr().err


@pytest.mark.skipif(not LIBRE.exists(), reason="the shared data is not here")
def test_real_bad_lines_stop_or_are_listed(capsys: Captured) -> None:
    assert main(["curate", str(LIBRE)]) == 3
    assert "line 2279" in capsys.readouterr().err
    assert main(["curate", str(LIBRE), "--on-bad-line", "skip"]) == 0
    assert "14 not_json (lines 2279, 2281" in capsys.readouterr().out
