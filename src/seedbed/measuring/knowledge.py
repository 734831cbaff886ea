"""The benchmark `knowledge` for a student: another library asks, so the rules are other ones.

lm-evaluation-harness has its own client and cache: its calls are in no journal and under no cap.
"""

from __future__ import annotations

from pathlib import Path

from seedbed.errors import ConfigError
from seedbed.evaluate.knowledge import Checkpoint, CompletionsEndpoint, KnowledgeSettings, measure
from seedbed.evaluate.measurement import Result, write_result
from seedbed.files import make_folder
from seedbed.measuring.plan import EvalPlan
from seedbed.models.local_files import find_checkpoint


def measure_knowledge(plan: EvalPlan) -> tuple[Result, Path]:
    """Run the tasks and write the result; blocks for as long as that takes.

    Task files of the user's own are looked for in --data (or its folder `knowledge`); where there
    is none, the tasks are the harness's, and their data comes from the hub.

    Raises:
        ConfigError: the student cannot be asked so, or a task is unknown.
        DatasetError: a task's data cannot be had.
    """
    model, name = _model(plan)
    folder = plan.data_of("knowledge")
    own = folder if folder is not None and any(folder.glob("*.yaml")) else None
    make_folder(plan.folder)
    settings = KnowledgeSettings(
        tasks=plan.knowledge,
        folder=own,
        limit=plan.limit,
        chat=plan.chat,
        cache=plan.folder / "knowledge_cache",
    )
    result = measure(model, student=name, settings=settings)
    return result, write_result(result, plan.folder)


def _model(plan: EvalPlan) -> tuple[Checkpoint | CompletionsEndpoint, str]:
    table = plan.subject.table
    if table.kind == "practice":
        raise ConfigError(
            "knowledge: the practice teacher has no weights, so no answer has a likelihood",
            hint="Measure a checkpoint, or an endpoint of the completions protocol.",
        )
    if table.checkpoint is not None:
        found = find_checkpoint(_placed(table.checkpoint, plan.subject.home))
        device = None if table.local.device == "auto" else table.local.device
        # Not the student's own name: the harness asks transformers, and never vLLM's options.
        return Checkpoint(path=str(found.folder), device=device), found.name
    if plan.budget.dollars is not None or plan.budget.calls is not None:
        raise ConfigError(
            "knowledge: the harness asks the endpoint itself, so a cap cannot be kept",
            hint="Leave the cap out for this benchmark, or measure a local checkpoint.",
        )
    endpoint = CompletionsEndpoint(
        model=table.model,
        base_url=table.url,
        tokenizer=plan.tokenizer or table.model,
        in_flight=min(table.max_in_flight, 8),
    )
    return endpoint, table.name or table.model


def _placed(name: str, home: Path) -> str:
    """A folder relative to the TOML is found from there; a hub id stays as it is."""
    return str(home / name) if (home / name).is_dir() else name
