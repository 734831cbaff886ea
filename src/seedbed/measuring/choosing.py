"""Choosing a training's best epoch by win rate against the teacher's own responses.

Each epoch's checkpoint answers what training set aside, and a judge says which answer is better:
its own or the teacher's. Answers and judgments of an epoch go through a journal in
`TRAINING/win_rate/<checkpoint>/`, beside its result; the cap is of all epochs together.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seedbed.config_tables import BudgetTable, ModelTable
from seedbed.errors import ConfigError
from seedbed.evaluate.measurement import Result
from seedbed.files import write_jsonl
from seedbed.measuring.held_out import NAME, set_aside_in
from seedbed.measuring.picking import Epoch, Picked, pick
from seedbed.measuring.plan import EvalPlan, SamplingWish
from seedbed.measuring.running import Watch, measure
from seedbed.measuring.students import subject_of
from seedbed.models.ledger import Spend
from seedbed.training.training_folder import TrainingFolder


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoicePlan:
    """What is chosen from, and how.

    Args:
        training: a training that is over.
        judge: who says which answer is better.
        budget: caps of all epochs and sessions together.
        limit: only the first so many of the held-out examples.
        sampling: of the answers, where it is to differ from AlpacaEval's.
        both_orders: ask the judge twice for each pair, the outputs swapped.
        highest: the plain highest win rate; see `picking.RULES`.
    """

    training: TrainingFolder
    judge: ModelTable
    budget: BudgetTable = field(default_factory=BudgetTable)
    limit: int | None = None
    sampling: SamplingWish = field(default_factory=SamplingWish)
    both_orders: bool = False
    highest: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The choice; `picked` is None where it was stopped before the last epoch was judged."""

    epochs: tuple[Epoch, ...]
    picked: Picked | None
    spend: Spend


async def choose(
    plan: ChoicePlan, *, watch: Watch | None = None, stop: asyncio.Event | None = None
) -> Chosen:
    """Have every epoch judged and set the best one, or go on where it stopped.

    Writes win rates into `epochs.jsonl` and `training.json`, and `best` into the latter.

    Raises:
        ConfigError: training is not over, set nothing aside, or kept only the best checkpoint.
        SeedbedError: it cannot go on; what was settled is kept.
    """
    manifest, rows = _checked(plan.training)
    measured: list[Epoch] = []
    spend = Spend()
    for row in rows:
        epoch = _epoch_plan(plan, row["checkpoint"], spend)
        outcome = await measure(epoch, watch=watch, stop=stop)
        spend += outcome.spend
        if not outcome.finished:
            return Chosen(epochs=tuple(measured), picked=None, spend=spend)
        measured.append(Epoch(row=row, result=_only(outcome.results)))
    picked = pick(measured, highest=plan.highest)
    _write(plan.training, manifest, measured, picked)
    return Chosen(epochs=tuple(measured), picked=picked, spend=spend)


def _checked(training: TrainingFolder) -> tuple[Mapping[str, Any], list[dict[str, Any]]]:
    """The manifest and the epochs, if all that is needed is there."""
    manifest = training.read_manifest()
    if not manifest:
        raise ConfigError(
            f"{training.path}: no training (training.json)", hint="`seedbed train` makes one."
        )
    if manifest.get("status") != "done":
        raise ConfigError(
            f"{training.path}: training is not over", hint="The same `seedbed train` goes on."
        )
    rows = training.read_epochs()
    gone = [row["checkpoint"] for row in rows if not _kept(training, row["checkpoint"])]
    if gone:
        raise ConfigError(
            f"{training.path}: no checkpoint any more of {', '.join(gone)}",
            hint='keep = "best" keeps one only. Train again with --set keep=all and another --out.',
        )
    set_aside_in(training.path)
    return manifest, rows


def _kept(training: TrainingFolder, checkpoint: str) -> bool:
    return (_place(training, checkpoint) / "config.json").exists()


def _place(training: TrainingFolder, checkpoint: str) -> Path:
    return training.path / "checkpoints" / checkpoint


def _epoch_plan(plan: ChoicePlan, checkpoint: str, spent: Spend) -> EvalPlan:
    """One epoch's part, under what is left of the caps."""
    subject = subject_of(str(_place(plan.training, checkpoint)))
    teacher = str(subject.run.read_manifest()["teacher"]) if subject.run else ""
    return EvalPlan(
        subject=subject,
        benchmarks=(NAME,),
        folder=plan.training.path / "win_rate" / checkpoint,
        judge=plan.judge,
        budget=_left(plan.budget, spent),
        limit=plan.limit,
        sampling=plan.sampling,
        both_orders=plan.both_orders,
        teacher=teacher,
    )


def _left(budget: BudgetTable, spent: Spend) -> BudgetTable:
    def less(cap: float | None, used: float) -> float | None:
        return None if cap is None else max(0, cap - used)

    return budget.model_copy(
        update={
            "dollars": less(budget.dollars, spent.dollars),
            "tokens": less(budget.tokens, spent.tokens),
            "calls": less(budget.calls, spent.calls),
        }
    )


def _only(results: tuple[Result, ...]) -> Result:
    (result,) = results
    return result


def _write(
    training: TrainingFolder, manifest: Mapping[str, Any], epochs: list[Epoch], picked: Picked
) -> None:
    rows = [epoch.json() for epoch in epochs]
    one = picked.best.measured
    chosen = {
        "by": "win_rate",
        "rule": picked.rule,
        "judge": one.judge,
        "highest": picked.highest.row["checkpoint"],
        "alike": [epoch.row["checkpoint"] for epoch in picked.alike],
        "settings": dict(one.settings),
    }
    best = picked.best.row["checkpoint"]
    write_jsonl(training.epochs, rows)
    training.write_manifest({**manifest, "best": best, "epochs": rows, "chosen": chosen})
