"""What an ablation is: its comparisons, its folder, and where each piece of work lies in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seedbed.ablate.arms import Arm, arms_of, checked, configured
from seedbed.config import Config, parse_config, read_config
from seedbed.config_ablate import AblateTable, Factor
from seedbed.config_student import TINY
from seedbed.errors import ConfigError
from seedbed.files import make_folder, write_text
from seedbed.models.practice.world import skills, unknown
from seedbed.plan import RunPlan, plan_run
from seedbed.records import digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """A checked ablation, not begun. `groups` holds the arms of each comparison.

    The folder keeps `journal.db` (one for all runs, so nothing that arms share is paid twice),
    `base/`, `runs/`, `students/`, and the results `ablation.json`, `README.md`. Runs and students
    are named by what decides them: arms that come to the same share them.
    """

    config: Config
    text: str
    place: Path
    folder: Path
    table: AblateTable
    groups: Mapping[str, tuple[Arm, ...]]

    @property
    def journal(self) -> Path:
        return self.folder / "journal.db"

    @property
    def arms(self) -> tuple[Arm, ...]:
        """Every arm of every comparison; those that are the same stand there once."""
        return tuple({arm.slug: arm for arms in self.groups.values() for arm in arms}.values())

    def run_of(self, arm: Arm, *, seed: int, base: str) -> RunPlan:
        """The run of an arm, its config written to the folder.

        Raises:
            ConfigError: the arm's config is wrong.
            StorageError: the config cannot be written.
        """
        text = configured(self.text, arm, seed=seed, base=base, place=str(self.place))
        return self.planned(text)

    def planned(self, text: str) -> RunPlan:
        """A run of this ablation from its config's text."""
        named = self.folder / "runs" / digest("run", text)[:12]
        make_folder(named)
        path = named / "config.toml"
        write_text(path, text)
        return plan_run(path, folder=named, home=self.place.parent, journal=self.journal)


def plan_study(
    config: Path,
    *,
    folder: Path | None = None,
    factors: Sequence[Factor] = (),
    seeds: Sequence[int] = (),
) -> Study:
    """Read and check all arms before anything is spent.

    Args:
        config: a run's config; what is compared stands under `[ablate]`, or in `factors`.
        folder: where the ablation is kept; `runs/NAME-ablation` beside the config unless given.
        factors, seeds: in place of the config's.

    Raises:
        ConfigError: the config or an arm is wrong, or there is nothing to compare.
    """
    text = read_config(config)
    parsed = parse_config(text, place=str(config))
    table = parsed.ablate
    if factors:
        table = table.model_copy(update={"factors": list(factors), "arms": []})
    if seeds:
        table = table.model_copy(update={"seeds": list(seeds)})
    if missing := unknown(table.skills):
        raise ConfigError(
            f"[ablate] skills: {missing[0]!r} is no practice skill",
            hint=f"There are: {', '.join(skill.name for skill in skills())}.",
        )
    if len(set(table.seeds)) < len(table.seeds):
        raise ConfigError(f"seeds = {table.seeds}: one of them stands there twice")
    study = Study(
        config=parsed,
        text=text,
        place=config,
        folder=folder or config.parent / "runs" / f"{config.stem}-ablation",
        table=table,
        groups=arms_of(table.factors, table.arms),
    )
    checked(text, study.arms, place=str(config))
    return study


def warm_up_text(study: Study) -> str:
    """The config of the run that a tiny student is warmed up on: single skills, another seed.

    It stands for what a real base model has read, so a practice teacher has no trouble there: half
    a warm-up of favourite instructions would leave a student that cannot copy.
    """
    warm = study.table.warm_up
    changes: dict[str, Any] = {"recipe": "skillmix", "skillmix.k": 1, "count": warm.examples}
    changes["teacher.trouble"] = {}
    if warm.skills:
        changes["skills.path"] = warm.skills
    arm = Arm(name="warm-up", set=changes)
    return configured(study.text, arm, seed=WARM_UP_SEED, base=TINY, place=str(study.place))


WARM_UP_SEED = 90_001
"""Of the warm-up's run and weights; no arm is likely to have it."""
