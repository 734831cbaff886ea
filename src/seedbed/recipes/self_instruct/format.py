"""Step 4: the format for finetuning (section 2.3 of the paper, "Finetuning the LM").

For a model that was not tuned on any format: several layouts, so that it learns to take tasks in
all of them. Today's chat models want the messages format instead, which a run's exports have.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from random import Random

from seedbed.records import Example
from seedbed.streams import rng

END = "<|endoftext|>"
"""What ends a completion: GPT-3's own mark; give your model's."""

WITH_INPUT = (
    ("", "\nInput: ", "\nOutput:"),
    ("", "\n\nInput: ", "\n\nOutput:"),
    ("Task: ", "\nInput: ", "\nOutput:"),
    ("", "\n\n", "\n\nOutput:"),
    ("", "\n\n", "\n\n"),
    ("", "\n", "\n\n"),
    ("Task: ", "\n\n", "\n\n"),
)
"""What stands before the instruction, between it and the input, and after the input
(yizhongw/self-instruct @ 0b26cca, `prepare_for_finetuning.py`)."""

WITHOUT_INPUT = (
    ("", " Output:"),
    ("", "\nOutput:"),
    ("", "\n\nOutput:"),
    ("", "\n"),
    ("", "\n\n"),
    ("Task: ", "\n\n"),
)
"""What stands before the instruction, and after it."""

_FIELD = re.compile(r"(\w+):")


def finetuning_rows(
    examples: Iterable[Example], *, seed: int = 0, end: str = END
) -> list[dict[str, str]]:
    """Rows of `prompt` and `completion`, each in a layout drawn for it, shuffled, none twice.

    The layout follows from the seed and the example's content; the same examples in another
    order give the same rows. Put the seeds' examples in front, as the paper does.
    """
    drawn: dict[tuple[str, str], None] = {}
    for example in sorted(examples, key=lambda example: example.id):
        random = rng("self_instruct layout", seed, example.id)
        drawn.setdefault(laid_out(example, random, end=end))
    rows = [{"prompt": prompt, "completion": completion} for prompt, completion in drawn]
    rng("self_instruct rows", seed).shuffle(rows)
    return rows


def laid_out(example: Example, random: Random, *, end: str) -> tuple[str, str]:
    """One example's prompt and completion."""
    instruction = example.instruction.text.strip()
    given = _without_field(example.input) if random.random() < 0.5 else example.input
    if given := given.strip():
        before, between, after = random.choice(WITH_INPUT)
        prompt = f"{before}{instruction}{between}{given}{after}"
    else:
        before, after = random.choice(WITHOUT_INPUT)
        prompt = f"{before}{instruction}{after}"
    space = " " if after.endswith(":") else ""
    return prompt, f"{space}{example.response.strip()}{end}"


def _without_field(given: str) -> str:
    """An input without the name of its only field ("Sentence: …"), and without blank lines."""
    if len(set(_FIELD.findall(given))) == 1:
        given = given.partition(":")[2].strip()
    return given.replace("\n\n", "\n")
