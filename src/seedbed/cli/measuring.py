"""`seedbed eval STUDENT --benchmark …`: ask, judge, show."""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from seedbed.cli.stopping import stop_on_signals
from seedbed.errors import ConfigError

if TYPE_CHECKING:
    from seedbed.config_tables import BudgetTable, ModelTable
    from seedbed.evaluate.knowledge import KnowledgeTask
    from seedbed.evaluate.measurement import Result
    from seedbed.folder import RunFolder
    from seedbed.measuring import EvalOutcome, EvalPlan, Subject

INTERRUPTED = 130


def add_options(command: argparse.ArgumentParser) -> None:
    """The options of measuring a student."""
    asked = command.add_argument_group(
        "measuring",
        "STUDENT: a checkpoint's, a training's or a run's folder, hf/ORG/MODEL or vllm/ORG/MODEL, "
        "a TOML with [student], practice, or a model's name with --url",
    )
    asked.add_argument(
        "--benchmark",
        action="append",
        default=[],
        metavar="NAME,…",
        help="practice, ifeval, mt_bench, wild_bench, alpaca_eval, held_out, knowledge",
    )
    asked.add_argument("--url", help="of an OpenAI-compatible endpoint; STUDENT is its model")
    asked.add_argument("--key-env", metavar="NAME", help="the variable with its key")
    asked.add_argument("--judge", metavar="MODEL", help="who judges; or a TOML with [judge]")
    asked.add_argument("--judge-url", metavar="URL", help="default: OpenAI's")
    asked.add_argument("--judge-key-env", metavar="NAME", help="default: OPENAI_API_KEY")
    asked.add_argument("--dollars", type=float, metavar="N", help="most that may be spent")
    asked.add_argument("--calls", type=int, metavar="N", help="most calls that may be made")
    asked.add_argument("--limit", type=int, metavar="N", help="only the first N questions")
    for name, kind in (("temperature", float), ("top-p", float), ("max-tokens", int)):
        asked.add_argument(f"--{name}", type=kind, metavar="N", help="default: the benchmark's own")
    asked.add_argument(
        "--both-orders", action="store_true", help="alpaca_eval: judge every pair twice, swapped"
    )
    _practice(command.add_argument_group("practice"))
    _knowledge(command.add_argument_group("knowledge"))


def _practice(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--trained", action="append", default=[], metavar="RUN", help="a run it was tuned on"
    )
    group.add_argument("--skills", default="", metavar="NAME,…", help="default: those trained")
    group.add_argument("--k", default="1,2,3", metavar="K,…", help="default: %(default)s")
    group.add_argument(
        "--items", type=int, default=200, metavar="N", help="for each k (default: %(default)s)"
    )
    group.add_argument("--seed", type=int, default=0, help="of the set (default: %(default)s)")


def _knowledge(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--tasks",
        default="open-llm-v1",
        metavar="TASK:METRIC[:SHOTS],…",
        help="a preset or tasks of lm-evaluation-harness (default: %(default)s)",
    )
    group.add_argument(
        "--chat-template", action="store_true", help="show prompts through the chat template"
    )
    group.add_argument("--tokenizer", default="", metavar="NAME", help="of an endpoint's model")


def run_measuring(options: argparse.Namespace) -> int:
    """Measure, show, and say how to go on; the exit code."""
    plan = plan_of(options)
    outcome = asyncio.run(_measure(plan, silent=options.json)) if plan.asked else None
    results = list(outcome.results) if outcome else []
    finished = outcome is None or outcome.finished
    if finished and "knowledge" in plan.benchmarks:
        from seedbed.measuring.knowledge import measure_knowledge

        results.append(measure_knowledge(plan)[0])
    if options.json:
        found = [one for each in results for one in each.to_json()["measurements"]]
        print(json.dumps(found, ensure_ascii=False, indent=1))
    else:
        print(_report(plan, results, outcome))
        if not finished:
            print("\n  Stopped; what was asked is kept. To go on: " + shlex.join(sys.argv))
    return 0 if finished else INTERRUPTED


async def _measure(plan: EvalPlan, *, silent: bool) -> EvalOutcome:
    from seedbed.cli.measuring_watch import watching
    from seedbed.measuring import measure

    stop = asyncio.Event()
    stop_on_signals(stop)
    with watching(silent=silent) as watch:
        return await measure(plan, watch=watch, stop=stop)


def _report(plan: EvalPlan, results: list[Result], outcome: EvalOutcome | None) -> str:
    from seedbed.cli.result_tables import result_table
    from seedbed.cli.tables import paid_line

    parts = []
    for result in results:
        lengths = [item.chars for item in result.items if item.chars]
        mean = f"\n\n  {sum(lengths) / len(lengths):,.0f} characters per answer" if lengths else ""
        place = plan.folder / f"{result.benchmark}.json"
        parts.append(f"{result_table(result)}{mean}\n  {place}")
    if outcome is not None:
        spend = outcome.spend
        paid = paid_line(spend.dollars, priced=plan.priced)
        parts.append(f"  {spend.calls:,} calls, {spend.tokens:,} tokens, {paid} in all sessions")
    return "\n\n".join(parts)


def plan_of(options: argparse.Namespace) -> EvalPlan:
    """The plan that the options mean.

    Raises:
        ConfigError: an option's value is not what it should be.
    """
    from seedbed.measuring import EvalPlan, PracticePlan, SamplingWish, subject_of

    subject = subject_of(options.student, url=options.url, key_variable=options.key_env)
    runs = _runs(options.trained, subject)
    return EvalPlan(
        subject=subject,
        benchmarks=_names(",".join(options.benchmark)),
        folder=_folder(options, subject),
        judge=judge_of(options) or subject.judge,
        budget=_budget(options, subject),
        data=Path(options.data) if options.data else None,
        limit=positive("--limit", options.limit),
        sampling=SamplingWish(
            temperature=options.temperature,
            top_p=options.top_p,
            max_tokens=positive("--max-tokens", options.max_tokens),
        ),
        trained=runs,
        practice=PracticePlan(
            ks=_ks(options.k),
            count=positive("--items", options.items) or 1,
            skills=_names(options.skills),
            seed=options.seed,
        ),
        both_orders=options.both_orders,
        knowledge=_tasks(options.tasks),
        chat=options.chat_template,
        tokenizer=options.tokenizer,
        teacher=str(runs[0].read_manifest()["teacher"]) if runs else "",
    )


def _names(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))


def positive(option: str, value: int | None) -> int | None:
    if value is not None and value < 1:
        raise ConfigError(f"{option} {value}: expected at least 1")
    return value


def _ks(text: str) -> tuple[int, ...]:
    names = _names(text)
    if not names or not all(name.isdigit() and 0 < int(name) <= 10 for name in names):
        raise ConfigError(f"--k {text}: expected numbers from 1 to 10, such as 1,2,3")
    return tuple(map(int, names))


def _folder(options: argparse.Namespace, subject: Subject) -> Path:
    """--out; else in the checkpoint's folder; else `evaluation/<student>`."""
    if options.out:
        return Path(options.out)
    if subject.folder is not None:
        return subject.folder
    name = subject.table.name or subject.table.checkpoint or subject.table.model
    return Path("evaluation") / re.sub(r"[^\w.@-]+", "_", name)


def _runs(given: list[str], subject: Subject) -> tuple[RunFolder, ...]:
    from seedbed.folder import find_run

    if given:
        return tuple(find_run(Path(text)) for text in given)
    return (subject.run,) if subject.run else ()


def judge_of(options: argparse.Namespace) -> ModelTable | None:
    from seedbed.measuring import read_eval_config
    from seedbed.measuring.students import table_of

    if options.judge is None:
        return None
    if options.judge.endswith(".toml"):
        judge = read_eval_config(Path(options.judge)).judge
        if judge is None:
            raise ConfigError(f"{options.judge}: no [judge] in it")
        return judge
    return table_of(options.judge, url=options.judge_url, key_variable=options.judge_key_env)


def _budget(options: argparse.Namespace, subject: Subject) -> BudgetTable:
    wish = {"dollars": options.dollars, "calls": options.calls}
    for name, value in wish.items():
        if value is not None and value < 0:
            raise ConfigError(f"--{name} {value}: expected no less than 0")
    return subject.budget.model_copy(
        update={name: value for name, value in wish.items() if value is not None}
    )


def _tasks(text: str) -> tuple[KnowledgeTask, ...]:
    """A preset, or tasks with their metric and shots."""
    from seedbed.evaluate.knowledge import PRESETS, KnowledgeTask

    if text in PRESETS:
        return PRESETS[text]
    tasks = []
    for entry in _names(text):
        name, _, rest = entry.partition(":")
        metric, _, shots = rest.partition(":")
        if not metric or (shots and not shots.isdigit()):
            raise ConfigError(
                f"--tasks {entry}: expected TASK:METRIC or TASK:METRIC:SHOTS",
                hint=f"Presets: {', '.join(PRESETS)}. A filter follows its metric with `/`: "
                "gsm8k:exact_match/strict-match:5.",
            )
        shown = int(shots) if shots else None
        tasks.append(KnowledgeTask(name=name, metric=metric.replace("/", ","), shots=shown))
    return tuple(tasks)
