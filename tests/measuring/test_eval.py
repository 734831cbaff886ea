"""`seedbed eval STUDENT --benchmark …`, the whole way, offline."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.evaluate.alpaca_eval.made import write_data as write_alpaca_eval
from tests.evaluate.made import write_ifeval, write_mt_bench, write_wild_bench
from tests.evaluate.servers import ThreadedServer, threaded
from tests.evaluate.tiny_models import write_tiny

from seedbed.cli import main
from seedbed.cli.measuring_watch import line
from seedbed.config_tables import BudgetTable, ModelTable, PriceTable
from seedbed.evaluate.measurement import read_result
from seedbed.journal import Journal
from seedbed.measuring import EvalPlan, PracticePlan, Subject, measure
from seedbed.models.practice.server import ServerOptions, start_server

PRACTICE = ["--benchmark", "practice", "--items", "8", "--k", "1,2"]


def judge(body: dict[str, Any]) -> str:
    """A judge of everything: what is longer is better, and the prompt says in which form."""
    prompt = body["messages"][-1]["content"]
    if prompt.startswith("H USER"):
        pair = re.search(r" A (.*) B (.*) C ", prompt, re.DOTALL)
        if pair:
            return json.dumps({"choice": "A+" if len(pair[1]) > len(pair[2]) else "B+"})
        return json.dumps({"strengths": "", "score": "6"})
    if body["messages"][0]["content"].startswith("You judge: single"):
        return "Fair. Rating: [[4]]"
    return "m"


@pytest.fixture
def judging() -> Iterator[ThreadedServer]:
    with threaded(judge) as server:
        yield server


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Every benchmark's files, in a folder each."""
    folder = tmp_path / "data"
    write_ifeval(folder / "ifeval")
    write_mt_bench(folder / "mt_bench")
    outputs = {f"t{number}": "reference" for number in range(10)}
    write_wild_bench(folder / "wildbench", references={"ref": outputs})
    write_alpaca_eval(folder / "alpaca_eval")
    return folder


def _values(path: Path) -> dict[str, float]:
    return {one.metric: one.value for one in read_result(path).measurements}


def test_the_practice_teacher_is_right_and_measured_again_for_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["eval", "practice", *PRACTICE, "--out", str(tmp_path)]
    assert main(command) == 0
    shown = capsys.readouterr().out
    assert "accuracy_k2" in shown
    assert "characters per answer" in shown
    first = (tmp_path / "practice.json").read_bytes()
    assert _values(tmp_path / "practice.json")["accuracy"] == 100.0
    assert main([*command, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {one["metric"] for one in found} >= {"accuracy", "guess", "accuracy_k1"}
    assert (tmp_path / "practice.json").read_bytes() == first
    with Journal(tmp_path / "journal.db") as journal:
        assert len(list(journal.entries("completion"))) == 16
    rows = (tmp_path / "answers" / "practice.jsonl").read_text().splitlines()
    assert len(rows) == 16


def test_a_teacher_that_is_often_wrong_is_caught(tmp_path: Path) -> None:
    config = tmp_path / "eval.toml"
    config.write_text('[student]\nmodel = "practice"\ntrouble = { wrong = 0.5 }\n')
    out = tmp_path / "out"
    command = ["eval", str(config), "--benchmark", "practice", "--items", "60", "--k", "2"]
    assert main([*command, "--out", str(out)]) == 0
    assert 25 < _values(out / "practice.json")["accuracy"] < 75


def test_an_endpoint_is_measured_with_a_judge_over_sockets(
    tmp_path: Path, data: Path, judging: ThreadedServer
) -> None:
    """The practice server is the student; every benchmark that needs no weights."""

    async def work() -> None:
        async with start_server(ServerOptions()) as student:
            url = student.base_url
            command = [
                *("eval", "practice", "--url", url, "--judge", "judge", "--judge-url", judging.url),
                *("--benchmark", "practice,ifeval,mt_bench", "--benchmark", "wild_bench"),
                *("--benchmark", "alpaca_eval", "--items", "4", "--data", str(data)),
                *("--out", str(tmp_path / "out")),
            ]
            assert await asyncio.to_thread(_in_a_loop, command) == 0

    asyncio.run(work())
    out = tmp_path / "out"
    assert _values(out / "practice.json")["accuracy"] == 100.0
    assert _values(out / "mt_bench.json")["score"] == 4.0
    assert _values(out / "wild_bench.json")["wb_score"] == pytest.approx(20.0)
    assert -50 <= _values(out / "wild_bench.json")["wb_reward_ref"] <= 50
    assert 0 <= _values(out / "alpaca_eval.json")["win_rate"] <= 100
    assert "prompt_strict" in _values(out / "ifeval.json")
    result = read_result(out / "mt_bench.json")
    assert result.measurements[0].judge == "judge"
    outputs = json.loads((out / "answers" / "alpaca_eval.json").read_text())
    assert {row["generator"] for row in outputs} == {"practice"}
    assert len(judging.asked) == 6 + 20 + len(outputs)


def _in_a_loop(command: list[str]) -> int:
    """`main` in a thread cannot handle signals, so the measuring is called as it calls it."""
    from seedbed.cli import parser
    from seedbed.cli.measuring import plan_of

    plan = plan_of(parser().parse_args(command))
    return 0 if asyncio.run(measure(plan)).finished else 1


def test_a_local_checkpoint_is_measured_on_everything(
    tmp_path: Path, data: Path, judging: ThreadedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A random Llama as a training's best checkpoint, on all six benchmarks, in process."""
    pytest.importorskip("lm_eval", reason="the extra `knowledge` is not installed")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    _write_task(data / "knowledge")
    training = tmp_path / "training"
    checkpoint = write_tiny(training / "checkpoints" / "epoch-01", ["Sort the numbers."] * 3)
    (training / "training.json").write_text(json.dumps({"identity": "x", "best": "epoch-01"}))
    command = [
        *("eval", str(training), "--judge", "judge", "--judge-url", judging.url, "--limit", "3"),
        *("--benchmark", "practice,ifeval,mt_bench,wild_bench,alpaca_eval,knowledge"),
        *("--data", str(data), "--tasks", "own_colours:acc:0", "--max-tokens", "8"),
    ]
    assert main(command) == 0
    out = checkpoint / "evaluation"
    names = {path.stem for path in out.glob("*.json")}
    assert names == {"practice", "ifeval", "mt_bench", "wild_bench", "alpaca_eval", "knowledge"}
    result = read_result(out / "mt_bench.json")
    assert result.student.startswith("hf/epoch-01@")
    assert result.measurements[0].settings["max_tokens"] == 8
    notes = read_result(out / "wild_bench.json").measurements[0].notes
    assert "Only the first 3 of 10." in notes
    assert "ended at the length limit" in " ".join(notes)
    knowledge = read_result(out / "knowledge.json").measurement("own_colours_acc")
    assert (knowledge.n, knowledge.student) == (3, result.student)
    assert _values(out / "practice.json")["accuracy"] == 0.0


def test_knowledge_is_said_of_what_was_asked(tmp_path: Path, data: Path) -> None:
    """The harness knows nothing of vLLM and its options, so that neither stands in the name."""
    pytest.importorskip("lm_eval", reason="the extra `knowledge` is not installed")
    _write_task(data / "knowledge")
    write_tiny(tmp_path / "student", ["Sort the numbers."] * 3)
    options = 'local = { device = "cpu", options = ["--quantization", "fp8"] }'
    config = tmp_path / "eval.toml"
    config.write_text(f'[student]\nmodel = "vllm/student"\n{options}\n')
    command = ["eval", str(config), "--benchmark", "knowledge", "--tasks", "own_colours:acc:0"]
    assert main([*command, "--data", str(data), "--limit", "1"]) == 0
    result = read_result(tmp_path / "student" / "evaluation" / "knowledge.json")
    assert re.fullmatch(r"hf/student@\w+", result.student)


def test_where_answers_cannot_be_kept_it_says_so_and_asks_nothing_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["eval", "practice", "--benchmark", "practice", "--items", "3", "--k", "1"]
    (tmp_path / "answers").write_text("in the way")
    assert main([*command, "--out", str(tmp_path)]) == 4
    assert "answers: the folder cannot be made: a file" in capsys.readouterr().err
    (tmp_path / "answers").unlink()
    assert main([*command, "--out", str(tmp_path)]) == 0
    assert "3 calls" in capsys.readouterr().out


def test_a_judge_is_found_from_its_toml(
    tmp_path: Path,
    data: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_tiny(tmp_path / "judge", ["Rate it."] * 3)
    (tmp_path / "eval.toml").write_text(
        '[student]\nmodel = "practice"\n[judge]\nmodel = "hf/judge"\nlocal = { device = "cpu" }\n'
    )
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    command = ["eval", "../eval.toml", "--benchmark", "mt_bench", "--limit", "1", "--out", "out"]
    # It is asked, and random weights judge nothing that could be read.
    assert main([*command, "--data", str(data), "--max-tokens", "8"]) == 6
    assert "no answer of the student, or of the judge, could be read" in capsys.readouterr().err


def _write_task(folder: Path) -> None:
    folder.mkdir()
    rows = [
        {"question": f"Thing {n} is", "choices": ["red", "blue"], "answer": 0} for n in range(5)
    ]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "own.yaml").write_text(
        f"task: own_colours\ndataset_path: json\ndataset_kwargs:\n  data_files:\n"
        f"    test: {folder}/rows.jsonl\noutput_type: multiple_choice\ntest_split: test\n"
        'doc_to_text: "{{question}}"\ndoc_to_choice: "{{choices}}"\ndoc_to_target: answer\n'
        "metric_list:\n  - {metric: acc, aggregation: mean, higher_is_better: true}\n"
    )


def test_stopped_in_the_middle_it_goes_on_without_asking_twice(tmp_path: Path) -> None:
    """Of 120 questions four are asked at once; after ten comes a Ctrl-C."""
    stop = asyncio.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    def reply(_: dict[str, Any]) -> str:
        if len(server.asked) >= 10 and loops:
            loops.pop().call_soon_threadsafe(stop.set)
        return "Answer: 4"

    async def stopped(plan: EvalPlan) -> bool:
        loops.append(asyncio.get_running_loop())
        return (await measure(plan, stop=stop)).finished

    with threaded(reply) as server:
        plan = EvalPlan(
            subject=Subject(table=ModelTable(model="tiny", base_url=server.url, max_in_flight=4)),
            benchmarks=("practice",),
            folder=tmp_path,
            practice=PracticePlan(ks=(1,), count=120, skills=("adding_numbers",)),
        )
        assert asyncio.run(stopped(plan)) is False
        assert 10 <= len(server.asked) < 120
        assert not (tmp_path / "practice.json").exists()
        assert asyncio.run(measure(plan)).finished
        assert len(server.asked) == 120
    assert read_result(tmp_path / "practice.json").measurement("accuracy").n == 120


def test_a_cap_stops_the_asking(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with threaded(lambda body: "Answer: 4") as server:
        command = ["eval", "tiny", "--url", server.url, *PRACTICE, "--calls", "5"]
        assert main([*command, "--out", str(tmp_path)]) == 5
        assert len(server.asked) == 5
        assert "calls" in capsys.readouterr().err
        assert main([*command[:-2], "--out", str(tmp_path)]) == 0
    assert "tokens, no price known in all sessions" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("price", "paid"),
    [
        (None, "no price known"),
        (PriceTable(input=0.0, output=0.0), "$0.00 of $1.00"),
    ],
)
def test_the_progress_makes_up_no_dollars(
    tmp_path: Path, price: PriceTable | None, paid: str
) -> None:
    told: list[str] = []
    with threaded(lambda body: "Answer: 4") as server:
        plan = EvalPlan(
            subject=Subject(table=ModelTable(model="tiny", base_url=server.url, price=price)),
            benchmarks=("practice",),
            folder=tmp_path,
            budget=BudgetTable(dollars=1.0 if price else None),
            practice=PracticePlan(ks=(1,), count=4),
        )
        asyncio.run(measure(plan, watch=lambda progress: told.append(line(progress))))
    assert told[-1].endswith(f" in flight · {paid}")


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["practice"], "no benchmark"),
        (["practice", "--benchmark", "chess"], "no benchmark 'chess'"),
        (["practice", "--benchmark", "mt_bench"], "it needs a judge"),
        (["practice", "--benchmark", "ifeval"], "not part of this package"),
        (["nowhere", *PRACTICE], "nowhere: no student"),
        (["practice", *PRACTICE, "--limit", "0"], "--limit 0"),
        (["practice", "--benchmark", "practice", "--k", "x"], "--k x"),
        (["practice", "--benchmark", "practice", "--skills", "poetry"], "no skill 'poetry'"),
        (["practice", "--benchmark", "knowledge", "--tasks", "mmlu"], "expected TASK:METRIC"),
        (["practice", "--benchmark", "knowledge"], "no weights"),
    ],
)
def test_what_cannot_be_measured_is_said_before_anything_is_asked(
    command: list[str],
    said: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["eval", *command]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[judge]\nmodel = 'x'\n", "no [student] in it"),
        ("[student]\nmodel = 3\n", "student.model"),
        ("[student]\nmodel = 'practice'\n[teacher]\nmodel = 'x'\n", "teacher"),
        ("[student", "not TOML"),
    ],
)
def test_a_toml_that_is_none_of_ours_is_refused(
    text: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "eval.toml").write_text(text)
    assert main(["eval", str(tmp_path / "eval.toml"), *PRACTICE]) == 2
    assert said in capsys.readouterr().err


def test_the_examples_of_the_run_around_a_checkpoint_are_known(tmp_path: Path) -> None:
    """A run of the practice teacher, and a checkpoint below it: pairs are seen or unseen."""
    config = tmp_path / "run.toml"
    config.write_text('count = 12\nfolder = "run"\n[teacher]\nmodel = "practice"\n')
    assert main(["run", str(config), "--json"]) == 0
    folder = tmp_path / "run" / "training" / "checkpoints" / "epoch-01"
    write_tiny(folder, ["Sort the numbers."] * 3)
    command = ["eval", str(folder), *PRACTICE, "--max-tokens", "4"]
    assert main(command) == 0
    metrics = _values(folder / "evaluation" / "practice.json")
    assert "accuracy_k2_pairs_unseen" in metrics or "accuracy_k2_pairs_seen" in metrics
    settings = read_result(folder / "evaluation" / "practice.json").measurements[0].settings
    assert settings["trained"] == 12
