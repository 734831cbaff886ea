"""One session of a run: what it counts, and the manifest that says how it went."""

from __future__ import annotations

import platform
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Literal

from seedbed.files import write_text
from seedbed.forecast import Forecast, total
from seedbed.journal import Journal
from seedbed.models.journaled import KIND
from seedbed.models.ledger import Ledger, Spend
from seedbed.models.metered import Tally
from seedbed.plan import RunPlan
from seedbed.projections import Projections
from seedbed.records import JSON, Drop, Dropped, Example, digest

Status = Literal["running", "skills", "complete", "short", "interrupted"]
"""`skills`: stage one only, as asked. `short`: the recipe ended with fewer examples than wanted.
`interrupted`: by a person or an error; started again, the run goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a run is.

    `reached` and `wanted` are of what the recipe counts, examples or instructions; `wanted` is
    None where it goes on to the end of its seeds. `calls` counts what the recipe asked, replayed
    or paid; `paid` what this session performed. `calls_expected` is the middle of the forecast.
    `level` is the adaptive concurrency's present bound. `trouble` says why nothing comes back: the
    latest failure, or what is waited for; empty while answers come. `spend` is of all sessions,
    `reserved` the worst case of what is in flight. `priced` says whether the present stage's model
    has a known price. `seconds` are since this session began.
    """

    stage: str
    kept: int
    reached: int
    wanted: int | None
    dropped: int
    calls: int
    calls_expected: int
    paid: int
    in_flight: int
    level: int
    trouble: str
    spend: Spend
    reserved: Spend
    priced: bool
    cap_dollars: float | None
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a run made and what it took; `manifest` is what stands in `manifest.json`."""

    plan: RunPlan
    status: Status
    manifest: Mapping[str, JSON]


@dataclass(slots=True, kw_only=True)
class Session:
    """Counts and notes of one session; `earlier` is the manifest that the last one left."""

    plan: RunPlan
    journal: Journal
    ledger: Ledger
    files: Projections
    earlier: Mapping[str, JSON]
    forecast: Forecast
    wanted: int | None
    clock: Callable[[], float] = time.monotonic
    began: float = 0.0
    started: str = ""
    in_doubt: int = 0
    stage: str = ""
    tallies: dict[str, Tally] = field(default_factory=dict)
    reasons: Counter[str] = field(default_factory=Counter)
    repairs: Counter[str] = field(default_factory=Counter)
    kept: int = 0
    repaired: int = 0
    calls_expected: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    extras: dict[str, JSON] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def begin(self) -> None:
        """Take stock of what earlier sessions left, and say that this one runs."""
        self.began = self.clock()
        self.started = _now()
        self.in_doubt = sum(doubt.sent for doubt in self.journal.in_doubt(KIND))
        if self.in_doubt:
            self.notes.append(
                f"{self.in_doubt} calls were in flight when an earlier session ended. They may "
                "have been charged; they are asked again if they are needed."
            )
        stages = [stage for group in self.forecast.values() for stage in group]
        expected = total(stages).calls
        self.calls_expected = round((expected.low + expected.high) / 2)
        write_text(self.plan.folder.config, self.plan.text)
        self.write_progress()

    @property
    def reached(self) -> int:
        """How far the run is on the way to `wanted`: instructions, or else examples."""
        return self.counts.get("instructions", self.kept)

    def tally(self, stage: str) -> Tally:
        """The tally of a stage, which becomes the one that is shown."""
        self.stage = stage
        return self.tallies.setdefault(stage, Tally())

    def keep(self, example: Example) -> None:
        self.kept += 1
        self.repaired += bool(example.repairs)
        self.repairs.update(example.repairs)
        self.files.keep(example)

    def drop(self, item: Dropped, objection: Drop) -> None:
        self.reasons[objection.reason] += 1
        self.files.drop(item, objection)

    def write_progress(self) -> None:
        """Say in the manifest how far a run is that goes on, or that was killed."""
        now = {
            "kept": self.kept,
            "dropped": self.reasons.total(),
            "stage": self.stage,
            "reached": self.reached,
            "wanted": self.wanted,
            "calls": sum(tally.calls for tally in self.tallies.values()),
            "calls_expected": self.calls_expected,
            "drops": dict(self.reasons.most_common()),
        }
        self.files.flush()
        manifest = self._manifest("running") | self._earlier_results() | {"progress": now}
        self.plan.folder.write_manifest(manifest)

    def progress(self, *, in_flight: int, level: int, trouble: str = "") -> Progress:
        return Progress(
            stage=self.stage,
            kept=self.kept,
            reached=self.reached,
            wanted=self.wanted,
            dropped=self.reasons.total(),
            calls=sum(tally.calls for tally in self.tallies.values()),
            calls_expected=self.calls_expected,
            paid=self.journal.performed,
            in_flight=in_flight,
            level=level,
            trouble=trouble,
            spend=self.ledger.spent,
            reserved=self.ledger.reserved,
            priced=self.plan.price(self.stage) is not None,
            cap_dollars=self.plan.config.budget.dollars,
            seconds=self.clock() - self.began,
        )

    def end(self, *, finished: bool, skills_only: bool) -> Outcome:
        """Put the files in place, unless an earlier session got farther than this one did."""
        status = self._status(finished=finished, skills_only=skills_only)
        manifest = self._manifest(status)
        farther = self.earlier.get("counts", {}).get("kept", 0) > self.kept
        nothing = not self.kept and not finished
        if skills_only or nothing or (farther and not finished):
            manifest |= self._earlier_results()
        else:
            self.files.publish()
        if skills_only and finished and self.earlier.get("status") in ("complete", "short"):
            manifest["status"] = self.earlier["status"]  # the examples are there as before
        self.plan.folder.write_manifest(manifest)
        return Outcome(plan=self.plan, status=status, manifest=manifest)

    def _status(self, *, finished: bool, skills_only: bool) -> Status:
        if not finished:
            return "interrupted"
        if skills_only:
            return "skills"
        return "complete" if self.wanted is None or self.reached >= self.wanted else "short"

    def _earlier_results(self) -> dict[str, JSON]:
        """What the manifest says of files that stay as they are."""
        results = ("counts", "drops", "repairs", "stages")
        return {name: self.earlier[name] for name in results if name in self.earlier}

    def _manifest(self, status: Status) -> dict[str, JSON]:
        plan = self.plan
        this = {
            "started": self.started,
            "ended": None if status == "running" else _now(),
            "status": status,
            "paid": self.journal.performed,
            "replayed": self.journal.replayed,
            "in_doubt_before": self.in_doubt,
        }
        return {
            "seedbed": version("seedbed"),
            "python": platform.python_version(),
            "recipe": plan.config.recipe,
            "status": status,
            "seed": plan.config.seed,
            "teacher": plan.config.teacher.shown,
            "judge": plan.config.judge.shown if plan.config.judge else "",
            "counts": {
                "wanted": self.wanted,
                "reached": self.reached,
                "kept": self.kept,
                "dropped": self.reasons.total(),
                "repaired": self.repaired,
            }
            | self.counts,
            "drops": dict(self.reasons.most_common()),
            "repairs": dict(self.repairs.most_common()),
            "spend": spend_to_json(self.ledger.spent),
            "stages": {name: tally.to_json() for name, tally in self.tallies.items()},
            "forecast": plan.forecast_json(self.forecast),
            "digests": {
                "config": digest(plan.text),
                "prompts": plan.prompts.digest,
            }
            | self.digests,
            "notes": self.notes,
            **self.extras,
            "sessions": [*self.earlier.get("sessions", []), this],
        }


def spend_to_json(spend: Spend) -> dict[str, JSON]:
    return {
        "calls": spend.calls,
        "tokens": spend.tokens,
        "prompt_tokens": spend.prompt_tokens,
        "completion_tokens": spend.completion_tokens,
        "cached_tokens": spend.cached_tokens,
        "dollars": spend.dollars,
        "doubtful_calls": spend.doubtful_calls,
        "doubtful_tokens": spend.doubtful_tokens,
        "doubtful_dollars": spend.doubtful_dollars,
    }


def _now() -> str:
    return datetime.now(tz=UTC).isoformat(timespec="seconds")
