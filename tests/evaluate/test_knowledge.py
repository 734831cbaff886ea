from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from tests.evaluate.tiny_models import write_tiny

from seedbed.errors import ConfigError, DatasetError
from seedbed.evaluate.knowledge import (
    OPEN_LLM_V1,
    Checkpoint,
    CompletionsEndpoint,
    KnowledgeSettings,
    KnowledgeTask,
    measure,
)

pytest.importorskip("lm_eval", reason="the extra `knowledge` is not installed")
pytest.importorskip("torch", reason="the extra `train` is not installed")

COLOURS = ("red", "blue", "green")

YAML = """\
task: {name}
tag: own
dataset_path: json
dataset_kwargs:
  data_files:
    test: {folder}/{data}
    train: {folder}/colours.jsonl
output_type: multiple_choice
test_split: test
fewshot_split: train
doc_to_text: "{{{{question}}}}"
doc_to_choice: "{{{{choices}}}}"
doc_to_target: answer
metric_list:
  - {{metric: acc, aggregation: mean, higher_is_better: true}}
  - {{metric: acc_norm, aggregation: mean, higher_is_better: true}}
metadata:
  version: 3
"""

ACC = KnowledgeTask(name="own_colours", metric="acc", shots=2)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny(tmp_path_factory.mktemp("model"), ["The colour of thing 1 is red."] * 5)


@pytest.fixture
def tasks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one task of our own, whose first answer is always right, and no network."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    folder = tmp_path / "tasks"
    folder.mkdir()
    rows = [
        {"question": f"The colour of thing {n} is", "choices": COLOURS, "answer": n % 3}
        for n in range(12)
    ]
    (folder / "colours.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "own.yaml").write_text(
        YAML.format(name="own_colours", folder=folder, data="colours.jsonl")
    )
    return folder


def test_a_task_file_of_ones_own_is_scored_on_a_local_checkpoint(model: Path, tasks: Path) -> None:
    """The tiny model's own likelihoods say which answers it would give."""
    settings = KnowledgeSettings(tasks=(ACC,), folder=tasks)
    result = measure(Checkpoint(path=str(model), device="cpu"), student="tiny", settings=settings)
    found = result.measurement("own_colours_acc")
    assert (found.n, found.expected_n, found.student) == (12, 12, "tiny")
    assert found.settings["task_version"] == 3
    assert found.settings["shots"] == 2
    assert found.tool.startswith("lm-evaluation-harness 0.4")
    scores = {item.id: item.scores["own_colours_acc"] for item in result.items}
    assert set(scores.values()) <= {0.0, 100.0}
    assert found.value == pytest.approx(sum(scores.values()) / 12)
    zero = KnowledgeTask(name="own_colours", metric="acc", shots=0)
    bare = measure(
        Checkpoint(path=str(model), device="cpu"),
        student="tiny",
        settings=KnowledgeSettings(tasks=(zero,), folder=tasks),
    )
    expected = [100.0 * (_best(model, f"The colour of thing {n} is") == n % 3) for n in range(12)]
    assert [item.scores["own_colours_acc"] for item in bare.items] == expected


def _best(model: Path, question: str) -> int:
    """Which colour the model finds likeliest, worked out without the harness."""
    served = _Scorer(model)
    sums = []
    for colour in COLOURS:
        whole = served.tokens(f"{question} {colour}")
        start = len(served.tokens(question))
        sums.append(sum(served.logprobs(whole)[1:][start - 1 :]))
    return max(range(3), key=sums.__getitem__)


def test_several_tasks_have_an_average_and_a_limit_says_so(model: Path, tasks: Path) -> None:
    both = (ACC, KnowledgeTask(name="own_colours", metric="acc_norm", shots=0))
    settings = KnowledgeSettings(tasks=both, folder=tasks, limit=6)
    with pytest.raises(ValueError, match="twice"):  # a task twice has its items twice
        measure(Checkpoint(path=str(model), device="cpu"), student="tiny", settings=settings)
    text = (tasks / "own.yaml").read_text()
    (tasks / "other.yaml").write_text(text.replace("task: own_colours", "task: other_colours"))
    two = (ACC, KnowledgeTask(name="other_colours", metric="acc_norm", shots=0))
    result = measure(
        Checkpoint(path=str(model), device="cpu"),
        student="tiny",
        settings=KnowledgeSettings(tasks=two, folder=tasks, limit=6),
    )
    values = {one.metric: one.value for one in result.measurements}
    average = result.measurement("average")
    assert average.n == 12
    assert average.value == pytest.approx(
        (values["own_colours_acc"] + values["other_colours_acc_norm"]) / 2
    )
    assert result.measurement("own_colours_acc").notes == ("Only the first 6 of each task.",)


def test_a_completions_endpoint_scores_as_the_same_checkpoint_does(
    model: Path, tasks: Path, endpoint: str
) -> None:
    settings = KnowledgeSettings(tasks=(ACC,), folder=tasks)
    remote = CompletionsEndpoint(model="tiny", base_url=endpoint, tokenizer=str(model))
    there = measure(remote, student="tiny", settings=settings)
    here = measure(Checkpoint(path=str(model), device="cpu"), student="tiny", settings=settings)
    assert [item.scores for item in there.items] == [item.scores for item in here.items]
    assert there.measurement("own_colours_acc").dollars is None


@pytest.mark.parametrize(
    ("task", "said"),
    [
        (KnowledgeTask(name="nonsense", metric="acc"), "no task 'nonsense'"),
        (KnowledgeTask(name="own_colours", metric="f1"), "no metric 'f1'"),
    ],
)
def test_an_unknown_task_or_metric_is_refused(
    model: Path, tasks: Path, task: KnowledgeTask, said: str
) -> None:
    settings = KnowledgeSettings(tasks=(task,), folder=tasks)
    with pytest.raises(ConfigError, match=said):
        measure(Checkpoint(path=str(model), device="cpu"), student="tiny", settings=settings)


def test_data_that_is_not_there_is_a_clear_error(model: Path, tasks: Path) -> None:
    (tasks / "own.yaml").write_text(
        YAML.format(name="own_colours", folder=tasks, data="missing.jsonl")
    )
    settings = KnowledgeSettings(tasks=(ACC,), folder=tasks)
    with pytest.raises(DatasetError, match="own_colours"):
        measure(Checkpoint(path=str(model), device="cpu"), student="tiny", settings=settings)


def test_the_preset_has_the_leaderboards_tasks_and_shots() -> None:
    assert {task.name: task.shots for task in OPEN_LLM_V1} == {
        "arc_challenge": 25,
        "hellaswag": 10,
        "mmlu": 5,
        "truthfulqa_mc2": 0,
        "winogrande": 5,
        "gsm8k": 5,
    }


class _Scorer:
    """A checkpoint's log-probabilities, token by token."""

    def __init__(self, folder: Path) -> None:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer

        torch.set_num_threads(1)
        self._torch = torch
        self._tokenizer = AutoTokenizer.from_pretrained(folder)
        self._model = AutoModelForCausalLM.from_pretrained(folder)

    def tokens(self, text: str) -> list[int]:
        return list(self._tokenizer(text, add_special_tokens=False)["input_ids"])

    def logprobs(self, tokens: list[int]) -> list[float]:
        """Of each token after those before it; the first has none and counts 0."""
        with self._torch.no_grad():
            logits = self._model(self._torch.tensor([tokens])).logits[0]
        chances = self._torch.log_softmax(logits.float(), dim=-1)
        return [0.0, *(float(chances[n, token]) for n, token in enumerate(tokens[1:]))]


@pytest.fixture
def endpoint(model: Path) -> Iterator[str]:
    """A completions server (echo, prompt log-probabilities) over a real socket."""
    scorer = _Scorer(model)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            answer = json.dumps({"choices": [_choice(scorer, body)]}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()


def _choice(scorer: _Scorer, body: dict[str, Any]) -> dict[str, Any]:
    assert body["echo"] is True
    tokens = body["prompt"][0] if isinstance(body["prompt"][0], list) else body["prompt"]
    found = [*scorer.logprobs(tokens), 0.0]
    top = [{"x": value} for value in found]
    return {"index": 0, "text": "", "logprobs": {"token_logprobs": found, "top_logprobs": top}}
