"""The student that steers a run: made or found when its first lesson comes, and kept."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from seedbed.config_student import TINY
from seedbed.export.shapes import asked
from seedbed.plan import RunPlan
from seedbed.records import BatchSignals, Example, digest
from seedbed.session import Session
from seedbed.training.online import OnlineStudent
from seedbed.training.settings import TrainSettings

WARMUP = 10
"""Steps. A run that is steered does not know how many steps there will be."""


def online_settings(plan: RunPlan) -> TrainSettings:
    """The student's settings, with a constant rate where the config does not name a schedule.

    A schedule with an end would have every step say something about how many are to come: then a
    run could not be made longer, and signals would drift with the rate.
    """
    table, settings = plan.config.student, plan.config.student.settings
    if table.schedule is None:
        settings = replace(settings, schedule="constant")
    if table.warmup is None:
        settings = replace(settings, warmup=WARMUP)
    return settings


class Pupil:
    """A student that is opened with its first lesson; use it as a context manager.

    Its `feedback` and `probe` are the recipe's `Feedback` and `Probe`; one call at a time.

    Args:
        signals: which are read at each step.
        texts: beside the first batch, what a tiny student's words are learned from.
        reference: the examples of the signals that need some.
    """

    def __init__(
        self,
        plan: RunPlan,
        session: Session,
        *,
        signals: Sequence[str],
        texts: Callable[[], Sequence[Example]],
        reference: Sequence[Example] = (),
    ) -> None:
        self._plan = plan
        self._session = session
        self._signals = signals
        self._texts = texts
        self._reference = reference
        self._student: OnlineStudent | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._student is not None:
            self._student.__exit__(kind, error, trace)

    async def begin(self) -> None:
        """Open a base that is there already, so that a wrong one costs no calls.

        Raises:
            ConfigError: there is no such base, or the settings do not fit a run of unknown length.
        """
        if self._plan.config.student.base != TINY:
            await self._opened(())

    async def feedback(self, batch: Sequence[Example]) -> BatchSignals:
        return await (await self._opened(batch)).feedback(batch)

    async def probe(self, examples: Sequence[Example]) -> Sequence[float]:
        return await (await self._opened(examples)).probe(examples)

    async def _opened(self, first: Sequence[Example]) -> OnlineStudent:
        if self._student is None:
            self._student = await asyncio.to_thread(self._open, first)
        return self._student

    def _open(self, first: Sequence[Example]) -> OnlineStudent:
        settings = online_settings(self._plan)
        timeless = settings.schedule == "constant"
        wanted = self._session.wanted or 0
        return OnlineStudent(
            self._base(first),
            settings=settings,
            journal=self._session.journal,
            folder=self._plan.folder.student,
            signals=self._signals,
            reference=self._reference,
            total=None if timeless else max(1, wanted // settings.batch_examples),
        )

    def _base(self, first: Sequence[Example]) -> str | Path:
        """The base that the config names; a tiny one is made of the first texts that there are."""
        base = self._plan.config.student.base
        if base != TINY:
            folder = self._plan.path(base)
            return folder if folder.is_dir() else base
        texts = [
            text
            for example in [*self._texts(), *first]
            for text in (asked(example), example.response)
        ]
        return made_once(
            texts,
            self._plan.folder.student / f"tiny-{digest(texts)[:16]}",
            seed=self._plan.config.seed,
        )


def made_once(texts: Sequence[str], folder: Path, *, seed: int) -> Path:
    """A tiny student of these texts: it is there whole or not at all, and made only once."""
    if not folder.exists():
        from seedbed.training.tiny import make_tiny

        begun = folder.with_suffix(".part")
        make_tiny(texts, begun, seed=seed)
        begun.rename(folder)
    return folder
