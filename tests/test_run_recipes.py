"""Self-Instruct and Evol-Instruct as runs: replayable, killable, chained."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from tests.faults.test_crash import IN_FLIGHT, TEACHER, kill_often, start
from tests.runs import lines, made, paid, run

from seedbed.models.practice import Trouble
from seedbed.models.practice.server import ServerOptions, start_server
from seedbed.session import Outcome

TROUBLE = "trouble = { duplicate = 0.2, truncated = 0.03, malformed = 0.05, refused = 0.02 }"

RECIPES = ("self_instruct", "evol_instruct")


def config(
    folder: Path, recipe: str, *, name: str = "run", teacher: str = TROUBLE, top: str = ""
) -> Path:
    path = folder / f"{name}.toml"
    path.write_text(
        f'recipe = "{recipe}"\nseed = 7\nfolder = "{name}"\n{top}\n'
        f'[teacher]\nmodel = "practice"\n{teacher}\n'
    )
    return path


def finished(outcome: Outcome) -> dict[str, int]:
    assert outcome.status == "complete"
    counts: dict[str, int] = outcome.manifest["counts"]
    return counts


@pytest.mark.parametrize("recipe", RECIPES)
def test_running_again_pays_nothing_and_changes_nothing(tmp_path: Path, recipe: str) -> None:
    path = config(tmp_path, recipe, top="count = 60")
    first = run(path)
    counts = finished(first)
    before = made(tmp_path / "run", without=("skills.json",))
    again = run(path)
    assert counts["kept"] > 0 < counts["dropped"]
    assert paid(first) > 0 == paid(again)
    assert made(tmp_path / "run", without=("skills.json",)) == before


@pytest.mark.parametrize("recipe", RECIPES)
def test_how_many_calls_are_in_flight_changes_nothing_that_is_made(
    tmp_path: Path, recipe: str
) -> None:
    for name, level in (("one", 1), ("many", 200)):
        teacher = f"{TROUBLE}\nmax_in_flight = {level}"
        run(config(tmp_path, recipe, name=name, teacher=teacher, top="count = 40"))
    one, many = (made(tmp_path / name, without=("skills.json",)) for name in ("one", "many"))
    assert one == many


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_drop_has_its_reason_and_every_example_its_trail(tmp_path: Path, recipe: str) -> None:
    outcome = run(config(tmp_path, recipe, top="count = 60"))
    drops = lines(tmp_path / "run" / "drops.jsonl")
    assert outcome.manifest["drops"].keys() == {drop["reason"] for drop in drops}
    for example in lines(tmp_path / "run" / "examples.jsonl"):
        assert example["recipe"] == recipe
        assert example["parents"]
        assert example["calls"]


def test_self_instruct_counts_instructions_and_evol_instruct_its_rates(tmp_path: Path) -> None:
    counts = finished(run(config(tmp_path, "self_instruct", top="count = 50")))
    assert (counts["instructions"], counts["wanted"], counts["seeds"]) == (50, 50, 175)
    outcome = run(config(tmp_path, "evol_instruct", name="evol"))
    counts, rates = finished(outcome), outcome.manifest["rates"]["operations"]
    assert sum(row["kept"] for row in rates.values()) == counts["kept"]
    assert set(rates) == {
        "constrain", "deepen", "concretize", "reason", "complicate_input", "broaden"
    }  # fmt: skip
    assert counts["wanted"] is None


def test_the_pool_of_self_instruct_is_written_with_its_scores_if_asked_for(tmp_path: Path) -> None:
    top = "count = 30\nself_instruct = { scores = true, lag = 1 }"
    run(config(tmp_path, "self_instruct", top=top))
    pool = lines(tmp_path / "run" / "instructions.jsonl")
    assert len(pool) == 30
    for row in pool:
        assert len(row["most_similar"]) == 10
        best = row["most_similar"][0][1]
        assert 0 < row["mean"] <= best <= 0.7
    ids = {row["id"] for row in pool}
    assert any(ids & set(row["parents"]) for row in pool), "machine-written ones are shown too"


def test_recipes_chain(tmp_path: Path) -> None:
    """One run's folder holds the seeds of the next."""
    run(config(tmp_path, "self_instruct", name="first", top="count = 20"))
    first = {line["instruction"] for line in lines(tmp_path / "first" / "examples.jsonl")}
    outcome = run(config(tmp_path, "evol_instruct", name="second", top='seeds = "first"'))
    assert 0 < outcome.manifest["counts"]["seeds"] >= len(first)
    assert outcome.manifest["counts"]["kept"] > 0


def test_seeds_of_the_user_are_what_a_run_starts_from(tmp_path: Path) -> None:
    rows = [{"instruction": f"Add up the numbers {n}, 2.", "output": str(n + 2)} for n in range(9)]
    (tmp_path / "mine.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    outcome = run(config(tmp_path, "evol_instruct", top='seeds = "mine.jsonl"'))
    assert outcome.manifest["counts"]["seeds"] == 9
    assert any("9 kept" in note for note in outcome.manifest["notes"])


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_sample_of_the_seeds_is_what_a_run_starts_from(tmp_path: Path, recipe: str) -> None:
    rows = [{"instruction": f"Add up the numbers {n}, 2.", "output": str(n + 2)} for n in range(30)]
    (tmp_path / "mine.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    top = 'count = 10\nseeds = { path = "mine.jsonl", sample = 12 }'
    outcome = run(config(tmp_path, recipe, top=top))
    assert outcome.manifest["counts"]["seeds"] == 12


@pytest.mark.slow
@pytest.mark.parametrize(
    ("recipe", "top"), [("self_instruct", "count = 1000"), ("evol_instruct", "")]
)
def test_ten_kills_change_nothing(tmp_path: Path, recipe: str, top: str) -> None:
    """1,000 accepted instructions; four rounds over the 175 seeds: over HTTP, killed ten times."""

    async def work() -> None:
        async with start_server(ServerOptions(trouble=Trouble(latency=0.005))) as server:
            teacher = TEACHER.format(url=server.base_url, in_flight=IN_FLIGHT)
            path = config(tmp_path, recipe, teacher=teacher, top=top)
            process = await start(path, tmp_path / "whole")
            _, errors = await process.communicate()
            assert process.returncode == 0, errors.decode()
            asked = server.stats.total
            kills = await kill_often(server, path, tmp_path / "killed", kills=11, calls=asked)
        assert kills >= 10
        assert server.stats.total - 2 * asked <= kills * IN_FLIGHT

    asyncio.run(work())
    killed, whole = (
        made(tmp_path / name, without=("skills.json",)) for name in ("killed", "whole")
    )
    assert killed == whole
