"""The command line, as a person or a machine uses it."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from tests.runs import TROUBLE, config

from seedbed.cli import FORMATS, main
from seedbed.cli.tables import visible
from seedbed.cli.watching import Rate, duration, line, watching
from seedbed.config import parse_config
from seedbed.export import SHAPES
from seedbed.models.ledger import Spend
from seedbed.session import Progress

Captured = pytest.CaptureFixture[str]


def seedbed(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "seedbed", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=60)


def test_from_nothing_to_an_export(tmp_path: Path) -> None:
    """What a new user types, in an empty folder."""
    for command in (
        ("init", "first.toml"),
        ("plan", "first.toml"),
        ("run", "first.toml"),
        ("show", "runs/first"),
        ("cost", "runs/first"),
        ("export", "runs/first", "--format", "messages"),
    ):
        result = seedbed(*command, cwd=tmp_path)
        assert result.returncode == 0, result.stderr
        assert result.stdout
    rows = (tmp_path / "runs/first/messages.jsonl").read_text().splitlines()
    assert len(rows) == 300
    assert [message["role"] for message in json.loads(rows[0])["messages"]] == ["user", "assistant"]


def test_every_export_format_is_offered_and_written(tmp_path: Path, capsys: Captured) -> None:
    assert set(FORMATS) == set(SHAPES)
    assert main(["run", str(config(tmp_path)), "--json"]) == 0
    capsys.readouterr()
    for shape in FORMATS:
        out = tmp_path / f"out.{shape}"
        arguments = ["export", str(tmp_path / "run"), "--format", shape, "--out", str(out)]
        assert main([*arguments, "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["examples"] == 20
        assert out.stat().st_size > 0


def test_the_finetuning_format_of_self_instruct_is_offered_too(
    tmp_path: Path, capsys: Captured
) -> None:
    assert main(["run", str(config(tmp_path)), "--json"]) == 0
    assert main(["export", str(tmp_path / "run"), "--format", "finetuning"]) == 0
    assert "finetuning.jsonl" in capsys.readouterr().out
    rows = (tmp_path / "run" / "finetuning.jsonl").read_text().splitlines()
    assert len(rows) == 20
    assert all(json.loads(row).keys() == {"prompt", "completion"} for row in rows)


def test_run_ends_by_saying_where_everything_is(tmp_path: Path, capsys: Captured) -> None:
    assert main(["run", str(config(tmp_path, teacher=TROUBLE))]) == 0
    out = capsys.readouterr().out
    for name in ("examples.jsonl", "drops.jsonl", "README.md", "skills.json"):
        assert str(tmp_path / "run" / name) in out


def test_show_tells_counts_reasons_spend_and_samples(tmp_path: Path, capsys: Captured) -> None:
    main(["run", str(config(tmp_path, teacher=TROUBLE, count=60))])
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    capsys.readouterr()
    assert main(["show", str(tmp_path / "run"), "--samples", "2"]) == 0
    out = capsys.readouterr().out
    assert "60 of 60 examples kept" in out
    for reason, count in manifest["drops"].items():
        assert f"{reason} " in out
        assert str(count) in out
    assert out.count("── example") == 2
    assert f"{manifest['spend']['tokens']:,} tokens" in out


def test_cost_puts_the_forecast_beside_the_actual_and_they_agree(
    tmp_path: Path, capsys: Captured
) -> None:
    path = config(tmp_path, count=60)
    assert main(["plan", str(path), "--json"]) == 0
    forecast = json.loads(capsys.readouterr().out)
    main(["run", str(path), "--json"])
    stages = json.loads(capsys.readouterr().out)["stages"]
    assert main(["cost", str(tmp_path / "run"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["forecast"] == forecast
    for field in ("calls", "prompt_tokens", "completion_tokens"):
        low, high = forecast["examples"][field]
        assert low <= stages["examples"][field] <= high
    assert main(["cost", str(tmp_path / "run")]) == 0
    assert f"{stages['examples']['calls']:,}" in capsys.readouterr().out


def test_plan_makes_no_call_and_no_folder(tmp_path: Path, capsys: Captured) -> None:
    assert main(["plan", str(config(tmp_path))]) == 0
    assert not (tmp_path / "run").exists()
    said = " ".join(capsys.readouterr().out.split())  # in lines as wide as the terminal
    assert "No call was made" in said


def test_plan_says_dollars_where_a_price_is_known(tmp_path: Path, capsys: Captured) -> None:
    path = tmp_path / "a.toml"
    path.write_text('[teacher]\nmodel = "x"\nprice = { input = 10.0, output = 30.0 }')
    assert main(["plan", str(path), "--json"]) == 0
    examples = json.loads(capsys.readouterr().out)["examples"]
    prompt, written = examples["prompt_tokens"], examples["completion_tokens"]
    for end in (0, 1):
        assert examples["dollars"][end] == pytest.approx(
            prompt[end] * 10 / 1e6 + written[end] * 30 / 1e6, abs=1e-3
        )
    path.write_text('[teacher]\nmodel = "x"')
    main(["plan", str(path)])
    assert "No price is known" in capsys.readouterr().out


def test_a_known_model_has_a_price_without_any_setting(tmp_path: Path, capsys: Captured) -> None:
    path = tmp_path / "a.toml"
    path.write_text('[teacher]\nmodel = "gpt-4o"')
    main(["plan", str(path), "--json"])
    low, high = json.loads(capsys.readouterr().out)["examples"]["dollars"]
    assert 0 < low < high


def test_skills_writes_stage_one_alone(tmp_path: Path, capsys: Captured) -> None:
    assert main(["skills", str(config(tmp_path))]) == 0
    assert "skills and" in capsys.readouterr().out
    assert (tmp_path / "run" / "skills.json").exists()
    assert not (tmp_path / "run" / "examples.jsonl").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("plan", "nowhere.toml"), 2, "no such config file"),
        (("run", "nowhere.toml"), 2, "seedbed init"),
        (("show", "nowhere"), 2, "no such folder"),
        (("frobnicate",), 2, "invalid choice"),
        (("serve-practice", "--fault", "hung=1"), 2, "unknown kind 'hung'"),
        (("serve-practice", "--trouble", "wrong=x"), 2, "expected a number"),
    ],
)
def test_errors_say_what_and_what_to_do_and_have_their_codes(
    tmp_path: Path, arguments: tuple[str, ...], code: int, words: str
) -> None:
    result = seedbed(*arguments, cwd=tmp_path)
    assert result.returncode == code
    assert words in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("name", "content", "command", "words"),
    [
        ("manifest.json", "{", "show", "not a manifest"),
        ("manifest.json", "{}", "cost", "not a manifest"),
        ("examples.jsonl", "{\n", "export", "examples.jsonl: line 1"),
        ("examples.jsonl", "{\n", "show", "examples.jsonl: line 1"),
        ("examples.jsonl", '[{"id": 1}]\n', "show", "examples.jsonl: line 1"),
        ("examples.jsonl", '{"id": 1}\n', "export", "examples.jsonl: line 1"),
    ],
)
def test_a_damaged_file_is_named_with_what_to_do(
    tmp_path: Path, capsys: Captured, name: str, content: str, command: str, words: str
) -> None:
    main(["run", str(config(tmp_path)), "--json"])
    (tmp_path / "run" / name).write_text(content)
    capsys.readouterr()
    more = ["--format", "alpaca"] if command == "export" else []
    assert main([command, str(tmp_path / "run"), *more]) in (2, 3)
    errors = capsys.readouterr().err
    assert words in errors
    assert "→" in errors


def test_a_terminal_that_cannot_show_every_letter_is_no_error(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "seedbed", "plan", str(config(tmp_path))],
        capture_output=True,
        env={"PYTHONIOENCODING": "ascii", "PATH": "/usr/bin"},
        timeout=60,
    )
    assert result.returncode == 0, result.stderr


def test_plan_finds_what_run_would_refuse(tmp_path: Path, capsys: Captured) -> None:
    for path in (
        config(tmp_path, skills='dataset = { path = "nowhere.json" }'),
        config(tmp_path, teacher="extra = { temperature = 3 }\nbase_url = 'http://127.0.0.1:1'"),
        config(tmp_path, teacher="base_url = 'http://127.0.0.1:1'", budget="dollars = 1.0"),
    ):
        assert main(["plan", str(path)]) in (2, 3)
        assert capsys.readouterr().err
        assert not (tmp_path / "run").exists()


def test_the_command_to_go_on_with_is_whole(tmp_path: Path) -> None:
    path = config(tmp_path, teacher="trouble = { latency = 0.2 }\nmax_in_flight = 4")
    out = tmp_path / "my run"
    command = [sys.executable, "-m", "seedbed", "run", str(path), "--out", str(out)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not (out / "manifest.json").exists():
        assert process.poll() is None
    process.terminate()
    text, _ = process.communicate(timeout=240)
    assert f"To go on: seedbed run {path} --out '{out}'" in text


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("options", [[], ["--json"]])
def test_output_that_goes_to_a_full_disk_is_said(tmp_path: Path, options: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "seedbed", "plan", str(config(tmp_path)), *options],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 4
    assert done.stderr.startswith("seedbed: the output cannot be written: No space left")
    assert "Traceback" not in done.stderr
    assert "ignored" not in done.stderr


def test_init_that_cannot_write_leaves_nothing_in_the_way(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        assert main(["init", str(tmp_path / "my.toml")]) == 4
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "my.toml: cannot be written" in capsys.readouterr().err
    assert main(["init", str(tmp_path / "my.toml")]) == 0


def test_init_never_replaces_a_file_unasked(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("mine")
    assert main(["init", str(path)]) == 2
    assert path.read_text() == "mine"
    assert main(["init", str(path), "--force"]) == 0
    assert parse_config(path.read_text(), place="template").count == 300


def test_a_short_run_has_an_exit_code_of_its_own(tmp_path: Path) -> None:
    assert main(["run", str(config(tmp_path, teacher="trouble = { malformed = 1.0 }"))]) == 7


def test_where_no_terminal_is_progress_comes_as_plain_lines_now_and_then(
    capsys: Captured,
) -> None:
    with watching(silent=False) as show:
        for second in range(25):
            show(progress(seconds=second, paid=second))
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert all("kept" in line and "\x1b" not in line for line in lines)


def progress(*, seconds: float, paid: int, kept: int = 0) -> Progress:
    return Progress(
        stage="examples",
        kept=kept,
        reached=kept,
        wanted=100,
        dropped=3,
        calls=paid,
        calls_expected=300,
        paid=paid,
        in_flight=12,
        level=64,
        trouble="",
        spend=Spend(calls=paid, prompt_tokens=1000, picodollars=1_500_000_000_000),
        reserved=Spend(),
        priced=True,
        cap_dollars=20.0,
        seconds=seconds,
    )


def test_a_line_of_progress_says_rate_spend_and_time_left() -> None:
    rate = Rate()
    for second in range(11):
        rate.see(progress(seconds=second, paid=10 * second))
    text = line(progress(seconds=10, paid=100, kept=30), rate)
    assert "30/100 kept" in text
    assert "3 dropped" in text
    assert "12 in flight (up to 64)" in text
    assert "10.0 calls/s" in text
    assert "$1.50 of $20.00" in text
    assert "about 20 s left" in text
    unpriced = replace(progress(seconds=10, paid=100), priced=False)
    assert "no price known" in line(unpriced, rate)
    waiting = replace(progress(seconds=10, paid=100), trouble="vLLM is loading the model (3 s)")
    assert line(waiting, rate).endswith("$1.50 of $20.00 · vLLM is loading the model (3 s)")


def test_durations_read_like_speech() -> None:
    assert [duration(s) for s in (4, 64, 3723)] == ["4 s", "1 min 04 s", "1 h 02 min"]


def test_model_text_cannot_steer_the_terminal() -> None:
    assert visible("a\x1b[2Jb\x07\u202ec\nd\te") == "a\ufffd[2Jb\ufffd\ufffdc\nd\te"
