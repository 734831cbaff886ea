"""What a run that training steers tells: rows of its files, and the sums in its manifest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from seedbed.curate.diversity import Diversity
from seedbed.curate.diversity.measures import mean_of
from seedbed.plan import RunPlan
from seedbed.recipes.sedi import Moved, Trained
from seedbed.recipes.self_instruct import Seed
from seedbed.records import JSON
from seedbed.session import Session


class Told:
    """Takes a SeDi run's notes: rows for `batches.jsonl` and `seeds.jsonl`, and the summary."""

    def __init__(self, plan: RunPlan, session: Session, *, seeds: Sequence[Seed]) -> None:
        self._folder = plan.folder
        self._session = session
        self._given = {seed.instruction.id for seed in seeds}
        self._moves: Counter[str] = Counter()
        self._windows: set[int] = set()
        self._ours: list[Diversity] = []
        self._random: list[Diversity] = []
        self._signals: dict[str, list[float]] = {}

    def note(self, entry: Trained | Moved) -> None:
        if isinstance(entry, Trained):
            self._trained(entry)
        else:
            self._moves[entry.move] += 1
            self._session.files.add(
                self._folder.seeds,
                moved_to_json(entry) | {"given": entry.seed.instruction.id in self._given},
            )
        self.end()

    def _trained(self, entry: Trained) -> None:
        self._session.files.add(self._folder.batches, trained_to_json(entry))
        if entry.attractive is not None:
            self._windows.add(entry.window)
        self._ours.append(entry.batch.diversity)
        self._random.append(entry.batch.at_random)
        for name, value in entry.signals.batch.items():
            self._signals.setdefault(name, []).append(value)

    def end(self) -> None:
        """Write the summary anew: the last one is that of the whole run."""
        self._session.extras["steering"] = {
            "batches": len(self._ours),
            "windows": len(self._windows),
            "seeds": {
                "at_the_start": len(self._given),
                "added": self._moves["added"],
                "retired": self._moves["retired"],
                "now": len(self._given) + self._moves["added"] - self._moves["retired"],
            },
            "diversity": {
                "batches": mean_of(self._ours).to_json(),
                "random_batches": mean_of(self._random).to_json(),
            }
            if self._ours
            else {},
            "signals": {name: _story(values) for name, values in self._signals.items()},
            "per_example_kept": per_kept(self._session),
        }


def _story(values: list[float]) -> dict[str, JSON]:
    """How a signal moved: the means of the first and the last tenth of the batches, and of all."""
    few = max(1, len(values) // 10)
    return {
        "first": round(sum(values[:few]) / few, 6),
        "last": round(sum(values[-few:]) / few, 6),
        "mean": round(sum(values) / len(values), 6),
    }


def per_kept(session: Session) -> dict[str, JSON]:
    """What an example that was kept has cost so far; dollars None where a price is not known."""
    kept, tally = session.kept, session.tallies["examples"]
    if not kept:
        return {}
    asked = tally.to_json()
    dollars = asked["dollars"]
    return {
        "calls": round(tally.calls / kept, 4),
        "tokens": round((tally.prompt_tokens + tally.completion_tokens) / kept, 1),
        "dollars": None if dollars is None else round(dollars / kept, 8),
    }


def trained_to_json(entry: Trained) -> dict[str, JSON]:
    """A row of `batches.jsonl`."""
    batch = entry.batch
    return {
        "batch": batch.number,
        "window": entry.window,
        "attractive": entry.attractive,
        "step": entry.signals.step,
        "signals": dict(entry.signals.batch),
        "diversity": batch.diversity.to_json(),
        "random_batches": batch.at_random.to_json(),
        "examples": [example.id for example in batch.items],
        "clusters": list(batch.clusters),
        "of_clusters": batch.of_clusters,
        "example_signals": [dict(row) for row in entry.signals.examples],
    }


def moved_to_json(entry: Moved) -> dict[str, JSON]:
    """A row of `seeds.jsonl`; `given` beside it says whether the run started with the seed."""
    return {
        "window": entry.window,
        "move": entry.move,
        "instruction_id": entry.seed.instruction.id,
        "instruction": entry.seed.instruction.text,
        **entry.evidence,
    }
