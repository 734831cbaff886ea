"""Four sets of values; the README has a table of what differs and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import nextafter
from typing import Literal, TypeVar

from seedbed.recipes.self_instruct.params import (
    Bootstrap,
    Conflict,
    Instances,
    InstructionRules,
    Params,
    Truncation,
)
from seedbed.records import Sampling

T = TypeVar("T")

Preset = Literal["chat", "paper", "repo", "alpaca"]

_REPO = Params(
    bootstrap=Bootstrap(
        prompt="continue",
        form="continued",
        demonstrations=8,
        from_machine=2,
        new=7,
        sampling=Sampling(
            temperature=0.7,
            top_p=0.5,
            max_tokens=1024,
            presence_penalty=2.0,
            stop=("\n\n", "\n16", "16.", "16 ."),
        ),
        truncated="drop_all",
        capitalize=True,
        rules="self_instruct",
        threshold=0.7,
        tokenizer="rouge",
    ),
    instances=Instances(
        classify="classify_by_example",
        input_first="input_first_by_example",
        output_first="output_first_by_example",
        form="plain",
        most=5,
        classify_sampling=Sampling(temperature=0.0, max_tokens=3, stop=("\n", "Task")),
        input_first_sampling=Sampling(
            temperature=0.0, max_tokens=350, presence_penalty=1.5, stop=("Example 6", "Task:")
        ),
        output_first_sampling=Sampling(
            temperature=0.0, max_tokens=300, presence_penalty=1.5, stop=("Example 6", "Task:")
        ),
        rules="self_instruct",
        conflict="drop_all",
    ),
)

_PAPER_INSTANCE = Sampling(temperature=0.0, max_tokens=300, presence_penalty=1.5, stop=("Task:",))


def _paper(repo: Params) -> Params:
    bootstrap, instances = repo.bootstrap, repo.instances
    assert instances is not None
    return replace(
        repo,
        bootstrap=replace(
            bootstrap,
            form="labelled",
            sampling=replace(bootstrap.sampling, stop=("\n\n", "Task 16")),
            capitalize=False,
            threshold=nextafter(0.7, 0.0),  # "less than 0.7"
        ),
        instances=replace(
            instances,
            classify_sampling=replace(instances.classify_sampling, stop=("\n", "Task:")),
            input_first_sampling=_PAPER_INSTANCE,
            output_first_sampling=_PAPER_INSTANCE,
        ),
    )


_ALPACA = Params(
    bootstrap=Bootstrap(
        prompt="tasks",
        form="tasks",
        demonstrations=3,
        from_machine=0,
        new=16,
        sampling=Sampling(temperature=1.0, top_p=1.0, max_tokens=3072, stop=("\n20", "20.")),
        truncated="drop_last",
        capitalize=False,
        rules="alpaca",
        threshold=0.7,
        tokenizer="rouge",
    ),
    instances=None,
)

_CHAT_INSTANCE = Sampling(temperature=0.7, max_tokens=2048)

_CHAT = Params(
    bootstrap=Bootstrap(
        prompt="propose",
        form="listed",
        demonstrations=8,
        from_machine=2,
        new=8,
        sampling=Sampling(temperature=1.0, max_tokens=2048),
        truncated="drop_last",
        capitalize=False,
        rules="open",
        threshold=0.7,
        tokenizer="unicode",
    ),
    instances=Instances(
        classify="classify",
        input_first="input_first",
        output_first="output_first",
        form="headed",
        most=3,
        classify_sampling=Sampling(temperature=0.0, max_tokens=16),
        input_first_sampling=_CHAT_INSTANCE,
        output_first_sampling=_CHAT_INSTANCE,
        rules="sound",
        conflict="drop_conflicting",
    ),
)

PRESETS: Mapping[Preset, Params] = {
    "chat": _CHAT,
    "paper": _paper(_REPO),
    "repo": _REPO,
    "alpaca": _ALPACA,
}


def configured(
    preset: Preset = "chat",
    *,
    count: int,
    seed: int = 0,
    lag: int | None = None,
    window: int | None = None,
    rounds: int | None = None,
    threshold: float | None = None,
    tokenizer: Literal["rouge", "unicode"] | None = None,
    temperature: float | None = None,
    most_instances: int | None = None,
    conflict: Conflict | None = None,
    capitalize: bool | None = None,
    truncated: Truncation | None = None,
    rules: InstructionRules | None = None,
    classification_only: bool = False,
    scores: bool = False,
) -> Params:
    """A preset with what a user changes of it; None leaves the preset's value.

    `temperature` is that of step 1; `most_instances` and `conflict` say nothing with Alpaca, whose
    tasks have one instance each.
    """
    chosen = PRESETS[preset]
    step, follow = chosen.bootstrap, chosen.instances
    return replace(
        chosen,
        count=count,
        seed=seed,
        lag=_or(lag, chosen.lag),
        window=_or(window, chosen.window),
        rounds=_or(rounds, chosen.rounds),
        classification_only=classification_only,
        scores=scores,
        bootstrap=replace(
            step,
            threshold=_or(threshold, step.threshold),
            tokenizer=_or(tokenizer, step.tokenizer),
            sampling=replace(
                step.sampling, temperature=_or(temperature, step.sampling.temperature)
            ),
            capitalize=_or(capitalize, step.capitalize),
            truncated=_or(truncated, step.truncated),
            rules=_or(rules, step.rules),
        ),
        instances=follow
        and replace(
            follow,
            most=_or(most_instances, follow.most),
            conflict=_or(conflict, follow.conflict),
        ),
    )


def _or(given: T | None, otherwise: T) -> T:
    return otherwise if given is None else given
