"""Step 3: instances of a task, written and filtered (section 2.2, "Instance Generation")."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations

from seedbed.curate.filters import (
    empty,
    first_objection,
    input_equals_response,
    merged_tasks,
    on_response,
    placeholder_response,
    refusal,
    repetition,
    self_instruct_instances,
    truncated,
    url_only_input,
)
from seedbed.models.model import Model
from seedbed.prompts import Prompts
from seedbed.recipes.self_instruct.bootstrap import Left
from seedbed.recipes.self_instruct.params import Conflict, InstanceRules, Instances
from seedbed.recipes.self_instruct.pool import Accepted
from seedbed.recipes.self_instruct.reading import (
    Instance,
    Parse,
    read_headed_input_first,
    read_headed_output_first,
    read_input_first,
    read_output_first,
)
from seedbed.recipes.self_instruct.seeds import CLASSIFICATION
from seedbed.records import (
    Attempt,
    Completion,
    Drop,
    Example,
    Filter,
    Instruction,
    Message,
    Request,
)
from seedbed.streams import rng

PARSERS: Mapping[tuple[str, bool], Parse] = {
    ("plain", False): read_input_first,
    ("plain", True): read_output_first,
    ("headed", False): read_headed_input_first,
    ("headed", True): read_headed_output_first,
}
"""By the form, and whether the task is a classification."""


async def instances(
    instruction: Instruction, *, model: Model, prompts: Prompts, step: Instances
) -> list[Example | Left]:
    """Ask for a task's instances: the output first for classification, the input first else.

    Input first, a classification's inputs tend to one label; so there the label comes first.
    """
    classification = instruction.origin.query_type == CLASSIFICATION
    prompt = step.output_first if classification else step.input_first
    slots: dict[str, object] = {"count": step.most} if step.form == "headed" else {}
    text = prompts.fill(prompt, instruction=instruction.text.strip(), **slots)
    sampling = step.output_first_sampling if classification else step.input_first_sampling
    completion = await model.complete(Request(messages=(Message("user", text),), sampling=sampling))
    calls = (*instruction.origin.calls, completion.key)
    instruction = replace(instruction, origin=replace(instruction.origin, calls=calls))
    return sifted(instruction, completion, PARSERS[step.form, classification], step)


def whole(found: Accepted) -> list[Example | Left]:
    """The example of a task that came with its input and response. An empty response is none."""
    task = found.task
    instance = Instance(input=task.input, response=task.response)
    example = as_example(found.instruction, instance)
    objection = on_response(empty())(example)
    return [example] if objection is None else [(example, objection)]


def sifted(
    instruction: Instruction, completion: Completion, parse: Parse, step: Instances
) -> list[Example | Left]:
    """What one completion holds: examples, then what was left out of it.

    An instruction of which nothing is kept is itself left out ("no_instance").
    """
    attempt = Attempt(text=completion.text, origin=instruction.origin)
    if completion.finish_reason in ("refused", "rejected"):
        note = {"note": completion.note}
        return [(attempt, Drop(reason=completion.finish_reason, evidence=note))]
    parsed = parse(completion.text)
    if isinstance(parsed, Drop):
        return [(attempt, parsed)]
    cut = completion.finish_reason == "length"
    made = [as_example(instruction, instance) for instance in (parsed[:-1] if cut else parsed)]
    kept, left = _kept(made, step)
    if cut and parsed:
        last = as_example(instruction, parsed[-1])
        left.append((last, Drop(reason="truncated", evidence={"dropped": "the last instance"})))
    if not kept:
        left.append((instruction, Drop(reason="no_instance", evidence={"written": len(parsed)})))
    return [*kept, *left]


def as_example(instruction: Instruction, instance: Instance) -> Example:
    return Example(instruction=instruction, input=instance.input, response=instance.response)


def _kept(made: Sequence[Example], step: Instances) -> tuple[list[Example], list[Left]]:
    """Apply the rules in the code's order: each by itself, conflicts, repeats, the limit."""
    left: list[Left] = []
    kept = list(made)
    rules = instance_rules(step.rules)
    sieves: tuple[Callable[[list[Example]], dict[int, Drop]], ...] = (
        lambda examples: _numbered(first_objection(example, rules) for example in examples),
        lambda examples: conflicts(examples, step.conflict),
        repeats,
        lambda examples: over_limit(examples, step.most),
    )
    for sieve in sieves:
        objections = sieve(kept)
        left += [(kept[place], drop) for place, drop in objections.items()]
        kept = [example for place, example in enumerate(kept) if place not in objections]
    return kept, left


def _numbered(found: Iterator[Drop | None]) -> dict[int, Drop]:
    return {place: drop for place, drop in enumerate(found) if drop is not None}


def instance_rules(rules: InstanceRules) -> tuple[Filter, ...]:
    """The rules for an instance by itself."""
    match rules:
        case "self_instruct":
            return self_instruct_instances()
        case "sound":
            return (
                input_equals_response(),
                on_response(empty()),
                on_response(placeholder_response()),
                merged_tasks(),
                url_only_input(),
                on_response(refusal()),
                on_response(repetition()),
                on_response(truncated()),
            )


def conflicts(examples: Sequence[Example], rule: Conflict) -> dict[int, Drop]:
    """Reason `conflict`: the same input, not empty, with another output."""
    pairs = [
        (one, other)
        for one, other in combinations(range(len(examples)), 2)
        if examples[one].input
        and examples[one].input == examples[other].input
        and examples[one].response != examples[other].response
    ]
    if not pairs or rule == "keep":
        return {}
    contradicting = sorted({place for pair in pairs for place in pair})
    gone = range(len(examples)) if rule == "drop_all" else contradicting
    evidence = {"conflicting": len(contradicting), "of": len(examples), "rule": rule}
    return {place: Drop(reason="conflict", evidence=evidence) for place in gone}


def repeats(examples: Sequence[Example]) -> dict[int, Drop]:
    """Reason `repeated`: the same input and output again; the first one stays."""
    first: dict[tuple[str, str], int] = {}
    found = {}
    for place, example in enumerate(examples):
        earlier = first.setdefault((example.input, example.response), place)
        if earlier != place:
            found[place] = Drop(reason="repeated", evidence={"first": earlier + 1})
    return found


def over_limit(examples: Sequence[Example], most: int) -> dict[int, Drop]:
    """Reason `over_limit`: more than `most`, of which a random choice stays, as in the code."""
    if len(examples) <= most:
        return {}
    random = rng("self_instruct instances", examples[0].instruction.id)
    stay = set(random.sample(range(len(examples)), most))
    evidence = {"written": len(examples), "limit": most}
    return {
        place: Drop(reason="over_limit", evidence=evidence)
        for place in range(len(examples))
        if place not in stay
    }
