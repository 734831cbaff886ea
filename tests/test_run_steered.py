"""SeDi-Instruct and directed mixes as runs, with a real student: replayable, killable, told of."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from tests.faults.test_crash import TEACHER, kill_often, start
from tests.runs import lines, paid, run
from tests.training.students import make_base

from seedbed.cli import main
from seedbed.errors import ConfigError
from seedbed.models.practice import Trouble
from seedbed.models.practice.server import ServerOptions, start_server

TROUBLE = "trouble = { duplicate = 0.5, truncated = 0.03, malformed = 0.05, wrong = 0.1 }"

SEDI = """
recipe = "sedi"
count = {count}
seed = 7
folder = "{name}"
[teacher]
model = "practice"
{teacher}
[sedi]
every = 3
attractive_batches = 1
lookahead = 2
asks_ahead = 2
retire = 4
least_offspring = 2
{settings}
[student]
base = "base"
preset = "tiny"
batch_examples = 8
device = "cpu"
"""

DIRECTED = """
recipe = "directed"
count = {count}
seed = 7
folder = "{name}"
[teacher]
model = "practice"
{teacher}
[skills]
topics = 4
skills_per_topic = 5
query_types = 4
keep_topics = false
[directed]
round = 16
held_out_per_arm = 2
{settings}
[student]
base = "base"
preset = "tiny"
batch_examples = 8
device = "cpu"
"""

RECIPES = {"sedi": SEDI, "directed": DIRECTED}
FILES = {
    "sedi": ("examples.jsonl", "drops.jsonl", "instructions.jsonl", "batches.jsonl", "seeds.jsonl"),
    "directed": ("examples.jsonl", "drops.jsonl", "rounds.jsonl", "held_out.jsonl", "skills.json"),
}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_base(tmp_path_factory.mktemp("base"))


def config(
    folder: Path,
    base: Path,
    recipe: str,
    *,
    name: str = "run",
    count: int = 64,
    teacher: str = TROUBLE,
    settings: str = "",
) -> Path:
    path = folder / f"{name}.toml"
    text = RECIPES[recipe].format(count=count, name=name, teacher=teacher, settings=settings)
    path.write_text(text.replace('base = "base"', f"base = {json.dumps(str(base))}"))
    return path


def made(folder: Path, recipe: str) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in FILES[recipe]}


@pytest.mark.parametrize("recipe", ["sedi", "directed"])
def test_running_again_pays_nothing_trains_nothing_and_changes_nothing(
    tmp_path: Path, base: Path, recipe: str
) -> None:
    path = config(
        tmp_path, base, recipe, settings="example_signal = 'head_grad_norm'" * (recipe == "sedi")
    )
    first = run(path)
    before = made(tmp_path / "run", recipe)
    again = run(path)
    assert first.status == again.status == "complete"
    assert paid(first) > 0 == paid(again)
    assert made(tmp_path / "run", recipe) == before
    assert first.manifest["counts"]["kept"] == 64


def test_a_sedi_run_tells_of_its_batches_and_seeds(
    tmp_path: Path, base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outcome = run(config(tmp_path, base, "sedi"))
    folder = tmp_path / "run"
    batches, moves = lines(folder / "batches.jsonl"), lines(folder / "seeds.jsonl")
    ids = [row["id"] for row in lines(folder / "examples.jsonl")]
    assert [row["batch"] for row in batches] == list(range(1, 9))
    assert [name for row in batches for name in row["examples"]] == ids
    assert [row["attractive"] for row in batches].count(True) == 2
    assert all(row["signals"]["grad_norm"] > 0 for row in batches)
    story = outcome.manifest["steering"]
    for move in ("added", "retired"):
        assert story["seeds"][move] == sum(row["move"] == move for row in moves)
    assert story["seeds"]["added"] > 0
    assert all(row["window"] in (1, 2) for row in moves)
    drawn, random = story["diversity"]["batches"], story["diversity"]["random_batches"]
    assert drawn["similarity"] < random["similarity"]
    assert drawn["vendi"] > random["vendi"]
    calls = outcome.manifest["stages"]["examples"]["calls"]
    assert story["per_example_kept"]["calls"] == round(calls / 64, 4)
    assert main(["show", str(folder), "--samples", "0"]) == 0
    shown = capsys.readouterr().out
    assert "8 batches in 2 windows" in shown
    assert "grad_norm" in shown
    assert "calls, " in shown


def test_a_directed_run_tells_of_its_rounds(
    tmp_path: Path, base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outcome = run(config(tmp_path, base, "directed"))
    folder = tmp_path / "run"
    rounds, held = lines(folder / "rounds.jsonl"), lines(folder / "held_out.jsonl")
    assert [row["examples"] for row in rounds] == [0, 16, 16, 16, 16]
    assert [len(row["steps"]) for row in rounds] == [0, 2, 2, 2, 2]
    assert outcome.manifest["counts"]["held_out"] == len(held) > 0
    assert {row["id"] for row in held}.isdisjoint(
        row["id"] for row in lines(folder / "examples.jsonl")
    )
    assert len(rounds[-1]["shares"]) == 4
    assert rounds[-1]["shares"] != rounds[1]["shares"]
    assert main(["show", str(folder), "--samples", "0"]) == 0
    assert "4 rounds; what the last one was drawn by" in capsys.readouterr().out


@pytest.mark.parametrize("recipe", ["sedi", "directed"])
def test_a_run_stays_within_its_forecast(tmp_path: Path, base: Path, recipe: str) -> None:
    manifest = run(config(tmp_path, base, recipe, teacher="")).manifest
    expected, took = manifest["forecast"]["examples"], manifest["stages"]["examples"]
    for name in ("calls", "prompt_tokens", "completion_tokens"):
        low, high = expected[name]
        assert low <= took[name] <= high, name


@pytest.mark.parametrize(
    ("recipe", "settings"),
    [("sedi", 'prefer = "random"'), ("sedi", 'prefer = "none"'), ("directed", 'need = "none"')],
)
def test_an_arm_that_asks_no_student_needs_none(tmp_path: Path, recipe: str, settings: str) -> None:
    outcome = run(config(tmp_path, tmp_path / "nowhere", recipe, settings=settings))
    assert outcome.status == "complete"
    assert not (tmp_path / "run" / "student").exists()


@pytest.mark.parametrize("recipe", ["sedi", "directed"])
def test_a_base_that_is_not_there_costs_no_call(tmp_path: Path, recipe: str) -> None:
    """The teacher is asked for skills first where it has to be; for examples not once."""
    path = config(tmp_path, tmp_path / "nowhere", recipe)
    with pytest.raises(ConfigError, match="nowhere"):
        run(path)
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert "examples" not in manifest["stages"] or not manifest["stages"]["examples"]["calls"]


def test_a_longer_run_pays_only_for_what_is_new(tmp_path: Path, base: Path) -> None:
    """Also the lessons of the first batches are not given again."""
    short = run(config(tmp_path, base, "sedi", count=48))
    longer = run(config(tmp_path, base, "sedi", count=96))
    alone = run(config(tmp_path, base, "sedi", count=96, name="alone"))
    assert made(tmp_path / "run", "sedi") == made(tmp_path / "alone", "sedi")
    assert paid(longer) < paid(alone) <= paid(short) + paid(longer)


@pytest.mark.parametrize(("recipe", "count"), [("sedi", 400), ("directed", 240)])
def test_the_examples_run_with_a_student_made_on_the_spot(
    tmp_path: Path, recipe: str, count: int
) -> None:
    """The configs of `examples/`, cut short; run again, the student is not made again."""
    text = (Path(__file__).parents[1] / "examples" / f"{recipe}.toml").read_text("utf-8")
    path = tmp_path / f"{recipe}.toml"
    path.write_text(text.replace(f"count = {count}", "count = 64"))
    assert run(path).status == "complete"
    (student,) = (tmp_path / "runs" / recipe / "student").glob("tiny-*")
    made_at = (student / "config.json").stat().st_mtime_ns
    assert paid(run(path)) == 0
    assert (student / "config.json").stat().st_mtime_ns == made_at


@pytest.mark.slow
@pytest.mark.parametrize(("recipe", "count"), [("sedi", 200), ("directed", 48)])
def test_kills_change_nothing(tmp_path: Path, base: Path, recipe: str, count: int) -> None:
    """Over HTTP, killed three times in the midst of calls and lessons."""

    async def work() -> None:
        async with start_server(ServerOptions(trouble=Trouble(latency=0.02))) as server:
            teacher = TEACHER.format(url=server.base_url, in_flight=2)
            path = config(tmp_path, base, recipe, count=count, teacher=teacher)
            process = await start(path, tmp_path / "whole")
            _, errors = await process.communicate()
            assert process.returncode == 0, errors.decode()
            asked = server.stats.total
            kills = await kill_often(server, path, tmp_path / "killed", kills=3, calls=asked)
        assert kills >= 1
        assert server.stats.total - 2 * asked <= kills * 2

    asyncio.run(work())
    assert made(tmp_path / "killed", recipe) == made(tmp_path / "whole", recipe)
