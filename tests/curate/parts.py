"""A dataset on which every step of curation has something to decide, and how it is decided."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from seedbed.curate.contamination import BenchmarkPrompt
from seedbed.curate.dataset import CurateSettings
from seedbed.records import Example, Instruction, Origin

WORDS = [f"{a}{b}" for a in "bdfgklmnprst" for b in ("a", "an", "el", "or", "im", "ut")]

LEAK = "\n\nThis refined response is more concise."

PROMPT = BenchmarkPrompt(
    benchmark="b", id="1", text="Please name the largest lake that lies wholly in Italy"
)

SETTINGS = CurateSettings(
    leaks="repair", novelty=0.85, near_duplicates=0.4, diverse=90, against=(PROMPT,)
)


def examples(count: int, *, seed: int = 0) -> list[Example]:
    """Some of them bad, many of them alike in chains, and one in ten a copy word for word."""
    random = Random(seed)
    made: list[Example] = []
    for number in range(count):
        words = random.choices(WORDS, k=random.randint(6, 14))
        if made and random.random() < 0.6:
            words = random.choice(made).instruction.text.split()
            for _ in range(random.randrange(4)):
                words[random.randrange(len(words))] = random.choice(WORDS)
        origin = Origin(recipe="test", draw=number, skills=("a", "b\ud800"))
        text = " ".join(words)
        made.append(
            Example(
                instruction=Instruction(text=text, origin=origin if number % 3 else Origin()),
                input="\ud83d half of a pair" if number % 7 == 3 else "",
                response="" if number % 41 == 7 else f"{text.capitalize()}.{number % 2 * LEAK}",
            )
        )
    made[2] = replace(made[2], instruction=Instruction(text=PROMPT.text))
    return made
