"""Directed mixes: their table of the config, their student, what they tell of each round."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace

from seedbed.export import example_to_json
from seedbed.forecast import Forecast
from seedbed.models.metered import Metered
from seedbed.models.model import Model
from seedbed.plan import RunPlan
from seedbed.recipes.directed import Directing, Params, Round, directed
from seedbed.recipes.directed.needs import arms_of
from seedbed.recipes.skillmix.forecast import PRACTICE, TEACHER, forecast_generation
from seedbed.recipes.skillmix.skillset import SkillSet, load_skills
from seedbed.records import JSON, BatchSignals, Example
from seedbed.session import Session
from seedbed.training.feedback import FREE
from seedbed.wiring import skillmix
from seedbed.wiring.steered import per_kept
from seedbed.wiring.student import Pupil
from seedbed.wiring.wiring import Wiring


def params(plan: RunPlan) -> Params:
    table = plan.config.directed
    return Params(
        mixing=skillmix.params(plan),
        directing=Directing(
            arms=table.arms,
            need=table.need,
            rate=table.rate,
            memory=table.memory,
            floor=table.floor,
            held_out_per_arm=table.held_out_per_arm,
        ),
        round=table.round,
        lag=table.lag,
        batch=plan.config.student.settings.batch_examples,
    )


def forecast(plan: RunPlan) -> Forecast:
    """Instruct-SkillMix's forecast, and the held-out examples; the student costs no calls."""
    stages = skillmix.forecast(plan)
    if plan.config.directed.listens:
        held_out = params(plan).held_out(_arms(plan) * _per_arm(plan))
        lengths = PRACTICE if plan.config.teacher.model == "practice" else TEACHER
        made = forecast_generation(plan.prompts, held_out, lengths, pool=_known(plan))
        named = [replace(stage, name=f"{stage.name} (held out)") for stage in made]
        stages["examples"] = named + stages["examples"]
    return stages


def _per_arm(plan: RunPlan) -> int:
    return plan.config.directed.held_out_per_arm


def _known(plan: RunPlan) -> SkillSet | None:
    table = plan.config.skills
    return load_skills(plan.path(table.path)) if table.path else None


def _arms(plan: RunPlan) -> int:
    """How many arms there are, or are likely to be."""
    table, by_topic = plan.config.skills, plan.config.directed.arms == "topic"
    if (pool := _known(plan)) is not None:
        return len(set(arms_of(pool, plan.config.directed.arms).values()))
    if table.dataset is not None:
        return table.families
    return table.topics * (1 if by_topic else table.skills_per_topic)


def settings(plan: RunPlan) -> Mapping[str, str]:
    table = plan.config.directed
    drawn = {
        "drawn by": f"{table.need} of each {table.arms}" if table.listens else "nothing (uniform)",
        "examples a round": str(table.round),
        "exploration floor": f"{table.floor:g}",
        "student": plan.config.student.base if table.listens else "none",
    }
    return {**skillmix.settings(plan), **drawn}


def caution(plan: RunPlan) -> str:
    """The first rounds know nothing of the student; where there are no others, it steers none."""
    table, wanted = plan.config.directed, skillmix.wanted(plan)
    if not table.listens or wanted > table.lag * table.round:
        return ""
    return (
        f"{wanted:,} examples end within the first {table.lag * table.round:,}, which are drawn "
        "before the student has learned anything. Ask for more, or lower [directed] round."
    )


async def grow(
    plan: RunPlan, session: Session, teacher: Model, judge: Model
) -> AsyncIterator[Example]:
    pool = await skillmix.skills(plan, session, teacher)
    told = Told(plan, session)
    session.counts["held_out"] = 0
    pupil = Pupil(plan, session, signals=FREE, texts=list)
    with pupil:
        if plan.config.directed.listens:
            await pupil.begin()
        async for example in directed(
            pool,
            model=Metered(teacher, session.tally("examples")),
            prompts=plan.prompts,
            feedback=pupil.feedback,
            probe=pupil.probe,
            review=skillmix.review(plan, session, judge),
            drop=session.drop,
            hold=told.hold,
            note=told.note,
            params=params(plan),
        ):
            yield example
        told.end()


class Told:
    """Takes a directed run's notes: rows for its files, and the summary."""

    def __init__(self, plan: RunPlan, session: Session) -> None:
        self._folder = plan.folder
        self._session = session
        self._first: Mapping[str, float] = {}
        self._last: Round | None = None
        self._rounds = 0

    def hold(self, example: Example) -> None:
        self._session.counts["held_out"] += 1
        self._session.files.add(self._folder.held_out, example_to_json(example))

    def note(self, entry: Round) -> None:
        self._session.files.add(self._folder.rounds, round_to_json(entry))
        if not entry.number:
            self._first = entry.losses
        self._rounds = entry.number
        self._last = entry
        self.end()

    def end(self) -> None:
        last = self._last
        losses = last.losses if last is not None else {}
        self._session.extras["directing"] = {
            "rounds": self._rounds,
            "arms": {
                arm: {
                    "share": share,
                    "first_loss": _rounded(self._first.get(arm)),
                    "last_loss": _rounded(losses.get(arm)),
                }
                for arm, share in (last.shares.items() if last is not None else ())
            },
            "per_example_kept": per_kept(self._session),
        }


def _rounded(loss: float | None) -> float | None:
    return None if loss is None else round(loss, 6)


def round_to_json(entry: Round) -> dict[str, JSON]:
    """A row of `rounds.jsonl`; round 0 is the student before any lesson."""
    return {
        "round": entry.number,
        "examples": entry.examples,
        "shares": dict(entry.shares),
        "drawn": dict(entry.drawn),
        "losses": {arm: round(loss, 6) for arm, loss in entry.losses.items()},
        "steps": [_step(said) for said in entry.signals],
    }


def _step(said: BatchSignals) -> dict[str, JSON]:
    return {"step": said.step, **said.batch}


WIRING = Wiring(
    wanted=skillmix.wanted,
    forecast=forecast,
    settings=settings,
    grow=grow,
    skills=skillmix.skills,
    caution=caution,
)
