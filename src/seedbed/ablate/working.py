"""The work of an ablation: make each arm's data, tune a student on it, measure the student.

Every piece is kept under a name that says what decides it, so a stopped ablation goes on where it
was, and arms that come to the same are made once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from seedbed.ablate.arms import Arm
from seedbed.ablate.matching import Made, dollars_of, made, one_call, prefixes
from seedbed.ablate.measuring import Test, composed_batches, test_of
from seedbed.ablate.study import WARM_UP_SEED, Study, warm_up_text
from seedbed.config_ablate import Match
from seedbed.config_student import TINY
from seedbed.endpoint import open_model
from seedbed.errors import SeedbedError
from seedbed.evaluate.measurement import Result, read_result, write_result
from seedbed.export.shapes import asked
from seedbed.files import make_folder
from seedbed.journal import Journal
from seedbed.plan import RunPlan
from seedbed.projections import read_examples
from seedbed.prompts import load_prompts
from seedbed.recipes.shirkers import Params, shirkers
from seedbed.records import Drop, Example, digest
from seedbed.run import budget_of, grow
from seedbed.session import Progress
from seedbed.training import Trained, TrainSettings, finetune
from seedbed.training.settings import preset
from seedbed.training.tiny import make_tiny

Say = Callable[[str], None]
"""Takes a line of progress."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Data:
    """What an arm's run made with a seed."""

    arm: Arm
    seed: int
    plan: RunPlan
    examples: tuple[Example, ...]
    calls: Made
    dollars: Made


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One student of a comparison: what it was trained on, and what was measured of it."""

    group: str
    match: Match
    arm: Arm
    seed: int
    examples: int
    calls: float
    dollars: float
    result: Result


class Stopped(SeedbedError):
    """The ablation was stopped by a person; what is finished is kept."""

    exit_code = 130


@dataclass(slots=True, kw_only=True)
class Work:
    """An ablation being made; `say` is told of each piece, `stop` is asked between them."""

    study: Study
    say: Say
    stop: asyncio.Event

    async def cells(self) -> list[Cell]:
        """Make, tune and measure everything.

        Raises:
            SeedbedError: a run or a training cannot go on. What is finished is kept.
        """
        base = await self.base()
        data = {
            (arm.slug, seed): await self.data(arm, seed=seed, base=base)
            for seed in self.study.table.seeds
            for arm in self.study.arms
        }
        test = test_of(self.study.table, [one for row in data.values() for one in row.examples])
        cells = []
        for group, arms in self.study.groups.items():
            for match in self.study.table.match:
                for seed in self.study.table.seeds:
                    row = [data[arm.slug, seed] for arm in arms]
                    cells += await self.matched(group, match, row, base, test)
        return cells

    def check(self) -> None:
        if self.stop.is_set():
            raise Stopped("the ablation was stopped", hint="The same command goes on with it.")

    async def base(self) -> str:
        """The student that every arm starts from; a tiny one is made and warmed up first."""
        named = self.study.config.student.base
        if named != TINY:
            return named
        warm = self.study.table.warm_up
        plan = self.study.planned(warm_up_text(self.study))
        examples = await self.run(plan, "warm-up")
        decided = digest([one.id for one in examples], warm.model_dump())
        folder = self.study.folder / "base" / decided[:12]
        texts = [text for one in examples for text in (asked(one), one.response)]
        random = make_tiny(texts, folder / "random", seed=WARM_UP_SEED)
        if not warm.epochs:
            return str(random)
        settings = TrainSettings(
            learning_rate=warm.learning_rate,
            epochs=warm.epochs,
            batch_examples=warm.batch_examples,
            clip=1.0,
            seed=WARM_UP_SEED,
            max_length=preset(TINY).max_length,
            keep="best",
        )
        warmed = partial(finetune, examples, base=random, folder=folder / "warm", settings=settings)
        return str(await self.tuned("warm-up", warmed))

    async def data(self, arm: Arm, *, seed: int, base: str) -> Data:
        """What an arm's run makes, and what it had cost by the time of each example."""
        plan = self.study.run_of(arm, seed=seed, base=base)
        examples = await self.run(plan, f"{arm.name}, seed {seed}")
        with Journal(plan.folder.journal) as journal:
            price = dollars_of(journal)
        return Data(
            arm=arm,
            seed=seed,
            plan=plan,
            examples=tuple(examples),
            calls=made(plan.folder, one_call, overhead=_overhead(plan, "calls")),
            dollars=made(plan.folder, price, overhead=_overhead(plan, "dollars")),
        )

    async def run(self, plan: RunPlan, name: str) -> list[Example]:
        """A run's examples; what its journal knows is not asked again."""
        self.check()
        self.say(f"{name}: making the data")
        shown = 0

        def watch(progress: Progress) -> None:
            nonlocal shown
            if progress.kept >= shown + 500:
                shown = progress.kept
                self.say(f"{name}: {progress.kept:,} examples")

        outcome = await grow(plan, watch=watch, stop=self.stop)
        if outcome.status == "interrupted":
            self.check()
        return list(read_examples(plan.folder.examples))

    async def matched(
        self, group: str, match: Match, row: Sequence[Data], base: str, test: Test
    ) -> list[Cell]:
        """One comparison with one seed, on equal terms."""
        spent = [data.dollars if match == "dollars" else data.calls for data in row]
        sizes = prefixes(spent, match)
        return [
            await self.cell(group, match, data, max(1, round(data.arm.share * size)), base, test)
            for data, size in zip(row, sizes, strict=True)
        ]

    async def cell(
        self, group: str, match: Match, data: Data, size: int, base: str, test: Test
    ) -> Cell:
        """Tune a student on the first `size` examples of an arm, and measure it."""
        name = f"{data.arm.name}, seed {data.seed}"
        examples: Sequence[Example] = data.examples[:size]
        if data.arm.shirkers is not None:
            examples = await self.planted(name, data, examples)
        settings = replace(data.plan.config.student.settings, keep="best")
        composed = composed_batches(data.plan.folder.batches, examples)
        decided = digest(base, settings.deciding, [one.id for one in examples], composed)
        folder = self.study.folder / "students" / decided[:12]
        student = await self.tuned(
            name,
            partial(
                finetune,
                examples,
                base=base,
                folder=folder,
                settings=settings,
                composed=composed,
            ),
        )
        result = await self.measured(name, student, folder / "measured", examples, test, settings)
        return Cell(
            group=group,
            match=match,
            arm=data.arm,
            seed=data.seed,
            examples=len(examples),
            calls=data.calls.spent[size - 1],
            dollars=data.dollars.spent[size - 1],
            result=result,
        )

    async def planted(self, name: str, data: Data, examples: Sequence[Example]) -> list[Example]:
        """Shirkers in place of some responses; replies that could not be used are told of."""
        table, plan = data.arm.shirkers, data.plan
        assert table is not None
        unusable = 0

        def drop(example: Example, objection: Drop) -> None:
            nonlocal unusable
            unusable += 1

        params = Params(
            kind=table.kind, fraction=table.fraction, seed=data.seed, window=plan.window
        )
        with Journal(plan.folder.journal) as journal:
            budget = budget_of(plan, journal)
            async with open_model(plan.config.teacher, journal=journal, budget=budget) as teacher:
                found = await shirkers(
                    examples,
                    model=teacher.model,
                    prompts=load_prompts("seedbed.recipes.shirkers"),
                    drop=drop,
                    params=params,
                )
        if unusable:
            self.say(f"{name}: {unusable:,} shirkers less: the teacher's reply was not usable")
        return found

    async def tuned(self, name: str, tune: Callable[..., Trained]) -> Path:
        """The best checkpoint of a training, which goes on where an earlier session stopped."""
        self.check()
        self.say(f"{name}: tuning")
        trained = await asyncio.to_thread(tune, stop=self.stop.is_set)
        if trained.best is None or trained.status == "interrupted":
            self.stop.set()
            self.check()
        assert trained.best is not None
        return trained.best

    async def measured(
        self,
        name: str,
        student: Path,
        folder: Path,
        examples: Sequence[Example],
        test: Test,
        settings: TrainSettings,
    ) -> Result:
        """The student's marks on the held-out items, asked for once."""
        place = folder / "practice.json"
        if place.exists() and test.made(found := read_result(place)):
            return found
        self.check()
        self.say(f"{name}: measuring")
        trained = [one.instruction.text for one in examples]
        result = await test.of(student, trained, settings=settings)
        make_folder(folder)
        write_result(result, folder)
        return result


def _overhead(plan: RunPlan, unit: str) -> float:
    """What a run spent before its first example."""
    stages = plan.folder.read_manifest()["stages"]
    return float(stages.get("skills", {}).get(unit) or 0.0)
