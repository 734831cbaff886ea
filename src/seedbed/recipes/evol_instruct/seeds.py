"""Seeds: what is evolved, an instruction and its input in one text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from seedbed.curate.filters import is_no_input
from seedbed.records import Example, Instruction

ORIGINAL = "original"
"""The step of a seed that becomes an example as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seed:
    """`given` is what the user's data holds, `root` its text with its input, to be evolved.

    `repeated`: a seed before it has the same text. It would be asked the same questions and get
    the same answers.
    """

    given: Example | Instruction
    root: Instruction
    repeated: bool = False

    @property
    def id(self) -> str:
        """The id of the instruction in the user's data; seeds that differ in input share it."""
        return _instruction(self.given).id

    def example(self, answered: Example) -> Example:
        """An example of the whole text, or the given one, with instruction and input apart."""
        given = self.given
        instruction = replace(answered.instruction, text=_instruction(given).text)
        origin = replace(self.root.origin, calls=answered.instruction.origin.calls)
        material = given.input if isinstance(given, Example) else ""
        return replace(answered, instruction=replace(instruction, origin=origin), input=material)


def seeds_of(given: Iterable[Example | Instruction], *, joint: str) -> Iterator[Seed]:
    """The seeds in their order, those marked that come again."""
    seen: set[str] = set()
    for one in given:
        seed = _seed(one, joint)
        yield replace(seed, repeated=seed.root.text in seen)
        seen.add(seed.root.text)


def _seed(given: Example | Instruction, joint: str) -> Seed:
    instruction = _instruction(given)
    origin = replace(
        instruction.origin,
        recipe="evol_instruct",
        step=ORIGINAL,
        round=0,
        draw=0,
        parents=(instruction.id,),
        calls=(),
    )
    text = instruction.text
    if isinstance(given, Example) and not is_no_input(given.input):
        text = f"{text.strip()}{joint}{given.input.strip()}"
    return Seed(given=given, root=Instruction(text=text, origin=origin))


def _instruction(given: Example | Instruction) -> Instruction:
    return given.instruction if isinstance(given, Example) else given
