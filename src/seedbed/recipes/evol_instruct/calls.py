"""The three calls of an evolution: rewrite, compare, answer. Each is made by a function, and ends
in the next stage of the instruction or in a failure, with what had been written by then."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from seedbed.curate.filters import first_objection
from seedbed.models.model import Model
from seedbed.prompts import Prompts
from seedbed.recipes.evol_instruct.elimination import Rewriting, instruction_rules, response_rules
from seedbed.recipes.evol_instruct.equality import compare, no_gain
from seedbed.recipes.evol_instruct.operations import Step, evolving_prompt
from seedbed.recipes.evol_instruct.params import Params
from seedbed.recipes.evol_instruct.rewriting import repaired
from seedbed.recipes.evol_instruct.seeds import Seed
from seedbed.records import (
    Attempt,
    Completion,
    Drop,
    Dropped,
    Example,
    Instruction,
    Message,
    Origin,
    Request,
    Review,
)

Failure = tuple[Dropped, Drop]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evolved:
    """A rewriting without a response; `parent` is the text that it came of."""

    instruction: Instruction
    parent: str
    repairs: tuple[str, ...] = ()

    def failed(self, objection: Drop) -> Failure:
        return self.instruction, objection

    def called(self, completion: Completion) -> Evolved:
        """With one more call behind it; an instruction's id does not depend on its calls."""
        origin = self.instruction.origin
        calls = (*origin.calls, completion.key)
        return replace(
            self, instruction=replace(self.instruction, origin=replace(origin, calls=calls))
        )


Rewrite = Callable[[Seed, Instruction, Step], Awaitable[Evolved | Failure]]
Compare = Callable[[Evolved], Awaitable[Evolved | Failure]]
Answer = Callable[[Evolved], Awaitable[Example | Failure]]


def rewriter(model: Model, prompts: Prompts, params: Params) -> Rewrite:
    """Call 1: the evolved instruction, unless a free rule about instructions objects."""
    rules = instruction_rules(params.elimination, prompts)

    async def rewrite(seed: Seed, parent: Instruction, step: Step) -> Evolved | Failure:
        messages = (*_system(params), Message("user", evolving_prompt(prompts, step, parent.text)))
        completion = await model.complete(
            Request(messages=messages, sampling=params.sampling, draw=step.draw)
        )
        origin = Origin(
            recipe="evol_instruct",
            step=step.name,
            seed=params.seed,
            round=step.round,
            draw=step.draw,
            parents=(seed.id,) if parent is seed.root else (parent.id, seed.id),
            calls=(completion.key,),
        )
        if objection := _unfinished(completion, "rewrite", params):
            return Attempt(text=completion.text, origin=origin), objection
        text, repairs = (
            repaired(completion.text) if params.repair else (completion.text.strip(), ())
        )
        made = Rewriting(
            operation=step.operation, root=seed.root.text, parent=parent.text, text=text
        )
        if objection := first_objection(made, rules):
            return Attempt(text=completion.text, origin=origin), objection
        instruction = Instruction(text=text, origin=origin)
        return Evolved(instruction=instruction, parent=parent.text, repairs=repairs)

    return rewrite


def comparer(judge: Model, prompts: Prompts, params: Params) -> Compare:
    """Call 2, where the equality judge is on: the instruction, if it brings information gain."""

    async def gains(evolved: Evolved) -> Evolved | Failure:
        if not params.elimination.equality:
            return evolved
        completion = await compare(
            evolved.parent,
            evolved.instruction.text,
            judge=judge,
            prompts=prompts,
            sampling=params.judging,
        )
        judged = evolved.called(completion)
        objection = no_gain(completion)
        return judged if objection is None else judged.failed(objection)

    return gains


def answerer(model: Model, params: Params) -> Answer:
    """Call 3: the example, unless a free rule about responses objects."""
    rules = response_rules(params.elimination)

    async def answer(evolved: Evolved) -> Example | Failure:
        messages = (*_system(params), Message("user", evolved.instruction.text))
        completion = await model.complete(Request(messages=messages, sampling=params.answering))
        asked = evolved.called(completion)
        example = Example(
            instruction=asked.instruction,
            response=completion.text.strip(),
            repairs=asked.repairs,
        )
        objection = _unfinished(completion, "answer", params) or first_objection(example, rules)
        return example if objection is None else (example, objection)

    return answer


async def original(seed: Seed, answer: Answer, params: Params) -> list[Example | Failure]:
    """The seed itself as an example, where that is wanted and it has or gets a response."""
    if params.originals == "keep" and isinstance(seed.given, Example):
        return [seed.example(seed.given)]
    if params.originals != "answer":
        return []
    answered = await answer(Evolved(instruction=seed.root, parent=""))
    return [seed.example(answered) if isinstance(answered, Example) else answered]


async def reviewed(outcome: Example | Failure, review: Review) -> Example | Failure:
    """The review has the last word on what has got so far."""
    if not isinstance(outcome, Example):
        return outcome
    verdict = await review(outcome)
    return verdict if isinstance(verdict, Example) else (outcome, verdict)


def _system(params: Params) -> tuple[Message, ...]:
    return (Message("system", params.system),) if params.system else ()


def _unfinished(completion: Completion, call: str, params: Params) -> Drop | None:
    """The objection to what the model did not end by itself."""
    reasons = {"length": "truncated", "refused": "refused", "rejected": "rejected"}
    finish = completion.finish_reason
    if finish == "stop" or (finish == "length" and not params.elimination.truncated):
        return None
    return Drop(reason=reasons[finish], evidence={"call": call, "note": completion.note})
