"""Knowledge benchmarks through lm-evaluation-harness, as a library: MMLU, ARC, HellaSwag, …

What a task is (its prompts, its shots, how an answer is scored) is the harness's matter; this
module chooses the model and the tasks, and turns the samples into items that can be paired. Needs
the extra `knowledge`.

Most tasks compare the likelihoods of given answers, so they need a local checkpoint, or a server
with the completions protocol that returns prompt log-probabilities (`echo`); a chat endpoint cannot
answer them.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, sqrt
from pathlib import Path
from typing import Any

from seedbed.errors import ConfigError, DatasetError, ModelError
from seedbed.evaluate.means import Means, Z, result_of
from seedbed.evaluate.measurement import Item, Measurement, Result
from seedbed.records import JSON

BENCHMARK = "knowledge"


@dataclass(frozen=True, slots=True, kw_only=True)
class KnowledgeTask:
    """A task of the harness: its metric ("acc_norm", or "exact_match,strict-match" with the filter)
    and how many examples are shown; None leaves that to the task."""

    name: str
    metric: str
    shots: int | None = None


OPEN_LLM_V1 = (
    KnowledgeTask(name="arc_challenge", metric="acc_norm", shots=25),
    KnowledgeTask(name="hellaswag", metric="acc_norm", shots=10),
    KnowledgeTask(name="mmlu", metric="acc", shots=5),
    KnowledgeTask(name="truthfulqa_mc2", metric="acc", shots=0),
    KnowledgeTask(name="winogrande", metric="acc", shots=5),
    KnowledgeTask(name="gsm8k", metric="exact_match,strict-match", shots=5),
)
"""The six tasks of the first Open LLM Leaderboard, with its shots.

That the SeDi-Instruct paper measured these is an assumption: its sources do not say which.
"""

PRESETS: Mapping[str, tuple[KnowledgeTask, ...]] = {"open-llm-v1": OPEN_LLM_V1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A local checkpoint, run in this process, on the best device unless one is given."""

    path: str
    device: str | None = None
    batch_size: int | str = 8

    @property
    def arguments(self) -> tuple[str, dict[str, str | int]]:
        return "hf", {"pretrained": self.path, "device": self.device or _device()}


def _device() -> str:
    """The best there is; the harness itself would insist on a GPU."""
    import torch

    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletionsEndpoint:
    """A server of the completions protocol (`POST base_url/completions`, with `echo`).

    `tokenizer` is a folder or hub name: the harness has to know where a prompt ends and an answer
    begins. The key, if one is needed, is read from OPENAI_API_KEY.
    """

    model: str
    base_url: str
    tokenizer: str
    in_flight: int = 8
    batch_size: int | str = 1

    @property
    def arguments(self) -> tuple[str, dict[str, str | int]]:
        return "local-completions", {
            "model": self.model,
            "base_url": f"{self.base_url.rstrip('/')}/completions",
            "tokenizer": self.tokenizer,
            "tokenizer_backend": "huggingface",
            "num_concurrent": self.in_flight,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class KnowledgeSettings:
    """How the harness is run.

    Args:
        tasks: what is measured.
        folder: of the user's own task files (YAML); only these tasks exist then, nothing is
            fetched unless they say so, and paths in them are relative to where the command runs.
        limit: only the first so many of each task.
        chat: show prompts through the model's chat template. It changes scores a lot and is part
            of the result; the leaderboard did without.
        cache: a file in which the harness keeps answers, to go on after a break.
    """

    tasks: tuple[KnowledgeTask, ...] = OPEN_LLM_V1
    folder: Path | None = None
    limit: int | None = None
    chat: bool = False
    cache: Path | None = None


def measure(
    model: Checkpoint | CompletionsEndpoint, *, student: str, settings: KnowledgeSettings
) -> Result:
    """Run the tasks, one after the other; blocks for as long as that takes.

    Metrics, in percent: `TASK_METRIC` for each task, and `average` over the tasks where there are
    several. Intervals of a task with subjects (MMLU) are over subjects.

    Raises:
        ConfigError: the harness is not installed, or knows no such task.
        DatasetError: a task's data cannot be had.
        ModelError: nothing could be scored.
    """
    harness = _harness(model, settings)
    items: list[Item] = []
    measured: list[Measurement] = []
    for task in settings.tasks:
        rows, known = _run(harness, task, settings)
        means = Means(
            benchmark=BENCHMARK,
            student=student,
            tool=f"lm-evaluation-harness {harness.version}",
            settings=known | {"chat_template": settings.chat, "limit": settings.limit},
            dollars=0.0 if isinstance(model, Checkpoint) else None,
            notes=(f"Only the first {settings.limit} of each task.",) if settings.limit else (),
        )
        found = means(rows, metric_of(task))
        measured += [found] if found else []
        items += rows
    return result_of([*measured, _average(measured)], items)


def metric_of(task: KnowledgeTask) -> str:
    return f"{task.name}_{task.metric.replace(',', '_').replace('-', '_')}"


def _average(measured: Sequence[Measurement]) -> Measurement | None:
    """The plain mean over tasks; its error is that of independent tasks."""
    errors = [one.standard_error for one in measured if one.standard_error is not None]
    if len(measured) < 2:
        return None
    value = sum(one.value for one in measured) / len(measured)
    error = sqrt(sum(error**2 for error in errors)) / len(measured)
    known = len(errors) == len(measured)
    first = measured[0]
    return Measurement(
        benchmark=first.benchmark,
        metric="average",
        value=value,
        low=value - Z * error if known else None,
        high=value + Z * error if known else None,
        standard_error=error if known else None,
        n=sum(one.n for one in measured),
        expected_n=sum(one.expected_n for one in measured),
        student=first.student,
        tool=first.tool,
        settings={one.metric: dict(one.settings) for one in measured},
        dollars=first.dollars,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Harness:
    """The library, a model in it, and the tasks that it knows."""

    version: str
    evaluate: Callable[..., Any]
    model: Any
    tasks: Any


def _harness(model: Checkpoint | CompletionsEndpoint, settings: KnowledgeSettings) -> _Harness:
    try:
        from lm_eval import __version__, simple_evaluate
        from lm_eval.api.registry import get_model
        from lm_eval.tasks import TaskManager
    except ImportError as error:
        raise ConfigError(
            f"knowledge is measured with lm-evaluation-harness, which is not there: {error}",
            hint="pip install 'seedbed[knowledge]'",
        ) from error
    folder = str(settings.folder) if settings.folder else None
    tasks = TaskManager(include_path=folder, include_defaults=folder is None)
    for task in settings.tasks:
        if task.name not in tasks.all_tasks:
            raise ConfigError(
                f"knowledge: no task {task.name!r}",
                hint=f"In {folder} there are: {', '.join(tasks.all_tasks) or 'none'}."
                if folder
                else "`lm_eval --tasks list` shows them.",
            )
    name, arguments = model.arguments
    opened = get_model(name).create_from_arg_obj(arguments, {"batch_size": model.batch_size})
    return _Harness(version=__version__, evaluate=simple_evaluate, model=opened, tasks=tasks)


def _run(
    harness: _Harness, task: KnowledgeTask, settings: KnowledgeSettings
) -> tuple[list[Item], dict[str, JSON]]:
    """One task's items, and what its score depends on."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the harness and its data sets; none is about us
        try:
            output = harness.evaluate(
                model=harness.model,
                tasks=[task.name],
                num_fewshot=task.shots,
                limit=settings.limit,
                apply_chat_template=settings.chat,
                task_manager=harness.tasks,
                use_cache=str(settings.cache) if settings.cache else None,
                bootstrap_iters=0,
            )
        except OSError as error:
            raise DatasetError(
                f"knowledge: {task.name}: {error}",
                hint="Its data comes from the hub: connect once, or name a folder of task files "
                "with data of your own (--data).",
            ) from error
    if output is None:
        raise ModelError(f"knowledge: {task.name}: the harness returned nothing")
    return list(_items(task, output)), _known(task, output)


def _known(task: KnowledgeTask, output: Mapping[str, Any]) -> dict[str, JSON]:
    """What two scores have to share to be compared."""
    versions = output.get("versions", {})
    shots = output.get("n-shot", {})
    return {
        "task": task.name,
        "task_version": versions.get(task.name, next(iter(versions.values()), None)),
        "shots": shots.get(task.name, next(iter(shots.values()), None)),
        "metric": task.metric,
    }


def _items(task: KnowledgeTask, output: Mapping[str, Any]) -> Iterator[Item]:
    """One for each sample; those of a task with subjects stand together by subject.

    Raises:
        ConfigError: the task has no such metric.
    """
    metric, _, wanted = task.metric.partition(",")
    samples: Mapping[str, Sequence[Mapping[str, Any]]] = output["samples"]
    for name, rows in samples.items():
        for row in rows:
            if row.get("filter", "none") != (wanted or "none"):
                continue
            if metric not in row:
                raise ConfigError(
                    f"knowledge: {task.name} has no metric {metric!r}",
                    hint=f"It has: {', '.join(map(str, row.get('metrics', ())))}.",
                )
            value = 100 * float(row[metric])
            yield Item(
                id=f"{name}/{row['doc_id']}",
                scores={metric_of(task): value} if isfinite(value) else {},
                chars=_chars(row.get("filtered_resps")),
                group=name if len(samples) > 1 else "",
            )


def _chars(responses: object) -> int:
    """Characters of what was generated; 0 where answers were only compared."""
    if isinstance(responses, str):
        return len(responses)
    first = responses[0] if isinstance(responses, list) and responses else None
    return len(first) if isinstance(first, str) else 0
