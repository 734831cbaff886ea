"""The pool of step 1: seeds and what was accepted since, and which of it an ask is shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from seedbed.curate.novelty import NoveltyIndex
from seedbed.errors import ConfigError
from seedbed.prompts import Prompts
from seedbed.recipes.self_instruct.params import Params
from seedbed.recipes.self_instruct.proposals import FORMS, Task
from seedbed.recipes.self_instruct.seeds import Seed
from seedbed.records import Drop, Instruction, Message, Origin, Request
from seedbed.streams import rng


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """An instruction that entered the pool.

    `task` is what the teacher wrote of it, with Alpaca's form also an input and a response.
    `nearest` and `mean` are its ROUGE-L F1 with the pool before it, where `params.scores` asks
    for them: the ten most similar texts, and the average over all.
    """

    instruction: Instruction
    task: Task
    nearest: tuple[tuple[str, float], ...] = ()
    mean: float | None = None


Accept = Callable[[Accepted], None]
"""Takes what enters the pool, in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One request for new tasks; `shown` is how many demonstrations it holds."""

    request: Request
    origin: Origin
    shown: int


class Pool:
    """Seeds are in it unchecked, as in the paper; what a machine wrote has to be novel.

    `seeds` are those that asks of this form can show; `asked` counts the asks made so far.

    Args:
        recipe: whose instructions these are, as their origin says.

    Raises:
        ConfigError: no seed can be shown.
    """

    def __init__(
        self,
        seeds: Sequence[Seed],
        *,
        prompts: Prompts,
        params: Params,
        recipe: str = "self_instruct",
    ) -> None:
        self.seeds = demonstrable(seeds, params)
        self._prompts = prompts
        self._params = params
        self._recipe = recipe
        self._machine: list[Instruction] = []
        self._sizes: list[int] = []
        self._repeats: Counter[str] = Counter()
        self.asked = 0
        self._index = NoveltyIndex(params.bootstrap.threshold, params.bootstrap.tokenizer)
        self._index.add_all(seed.instruction.text for seed in self.seeds)

    @property
    def size(self) -> int:
        """Machine-written instructions."""
        return len(self._machine)

    @property
    def missing(self) -> int:
        return self._params.count - self.size

    def asks(self, count: int) -> Iterator[Ask]:
        """The next asks, each made when it is taken from the iterator."""
        for _ in range(count):
            yield self.ask(self.seeds)

    def ask(self, seeds: Sequence[Seed]) -> Ask:
        """The next ask, with demonstrations of these seeds.

        Ask n is shown the pool as it stood after ask n - lag, so what it says depends neither on
        which answers happen to be there nor on how many instructions are wanted.
        """
        number, step = self.asked, self._params.bootstrap
        self.asked += 1
        known = number - self._params.lag
        machine = self._machine[: self._sizes[known]] if known >= 0 else []
        shown = draw(seeds, machine, number=number, params=self._params)
        slots = FORMS[step.form].show([task for _, task in shown], step.new)
        text = self._prompts.fill(prompt_of(self._params), **slots)
        repeat = self._repeats[text]
        self._repeats[text] += 1
        return Ask(
            request=Request(messages=(Message("user", text),), sampling=step.sampling, draw=repeat),
            origin=Origin(
                recipe=self._recipe,
                step="bootstrap",
                seed=self._params.seed,
                round=number,
                draw=repeat,
                parents=tuple(instruction.id for instruction, _ in shown),
            ),
            shown=len(shown),
        )

    def settle(self) -> None:
        """Remember how large the pool is after an ask; call it once for each, in their order."""
        self._sizes.append(self.size)

    def admit(self, instruction: Instruction, task: Task) -> Accepted | Drop:
        """Let an instruction in, if it is novel beside all that is there now."""
        text = instruction.text
        if objection := self._index.check(text):
            return objection
        accepted = Accepted(
            instruction=instruction,
            task=task,
            nearest=tuple(self._index.nearest(text)) if self._params.scores else (),
            mean=self._index.mean(text) if self._params.scores else None,
        )
        self._index.add(text)
        self._machine.append(instruction)
        return accepted


def prompt_of(params: Params) -> str:
    """The name of the prompt that asks for new tasks."""
    return params.bootstrap.prompt + ("_classification" if params.classification_only else "")


def draw(
    seeds: Sequence[Seed], machine: Sequence[Instruction], *, number: int, params: Params
) -> list[tuple[Instruction, Task]]:
    """The demonstrations of an ask: machine-written ones first, seeds for the rest, shuffled.

    With 8 of which 2 may be machine-written: 8 + 0 at the start, 7 + 1 once there is one, then
    6 + 2.
    """
    step = params.bootstrap
    random = rng("self_instruct demonstrations", params.seed, number)
    written = random.sample(range(len(machine)), min(step.from_machine, len(machine)))
    chosen = [(machine[at], Task(instruction=machine[at].text)) for at in written]
    human = random.sample(seeds, min(step.demonstrations - len(chosen), len(seeds)))
    chosen += [(seed.instruction, _as_task(seed)) for seed in human]
    random.shuffle(chosen)
    return chosen


def _as_task(seed: Seed) -> Task:
    if not seed.examples:
        return Task(instruction=seed.instruction.text)
    example = seed.examples[0]
    return Task(instruction=seed.instruction.text, input=example.input, response=example.response)


def demonstrable(seeds: Sequence[Seed], params: Params) -> tuple[Seed, ...]:
    """The seeds that asks of this form can show.

    Raises:
        ConfigError: there is none, with what it would take.
    """
    if params.classification_only:
        seeds = [seed for seed in seeds if seed.is_classification]
        if not seeds:
            raise ConfigError(
                "classification_only: none of the seeds is marked as a classification task",
                hint='Mark them with "is_classification": true, or leave the setting out.',
            )
    if params.bootstrap.form == "tasks":
        seeds = [seed for seed in seeds if seed.examples]
    if not seeds:
        answered = " with responses" if params.bootstrap.form == "tasks" else ""
        raise ConfigError(
            f"no seed tasks{answered}; expected at least one",
            hint="Leave `seeds` out to start from the 175 that ship with seedbed.",
        )
    return tuple(seeds)
