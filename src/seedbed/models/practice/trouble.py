"""The dials: what the practice teacher gets wrong on purpose, as shares of its calls.

Which calls are hit follows from their content, so a run with trouble replays like any other.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import isfinite
from random import Random

from seedbed.errors import ConfigError
from seedbed.models.practice.compose import Part, Task
from seedbed.models.practice.marking import states
from seedbed.models.practice.skills_dates import WEEKDAYS
from seedbed.models.practice.values import Value, number

DURATIONS = ("slow_seconds", "latency")

SHAPING = (
    *("duplicate", "imitated", "truncated", "refused", "malformed", "leaked_commentary", "wrong"),
)
"""The dials that change answers, and so belong to the teacher's name."""

REFUSAL = "I'm sorry, but I can't help with that request."


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Shares from 0 to 1, and two durations in seconds.

    duplicate: drafts whose instruction is one of five that the teacher is fond of, whatever skills
        were asked for.
    imitated: lists of new tasks that all need the same skills as one of the tasks shown.
    truncated, refused: examples and answers that are cut short, or declined.
    malformed: examples that are not in the form asked for.
    leaked_commentary: refined responses that speak of their refinement.
    wrong: responses with a false answer in the right form.
    rate_limited, failed: requests that meet a 429, or a 500, before they are answered.
    slow: calls that take `slow_seconds` on top of the `latency` of all.
    """

    duplicate: float = 0.0
    imitated: float = 0.0
    truncated: float = 0.0
    refused: float = 0.0
    malformed: float = 0.0
    leaked_commentary: float = 0.0
    wrong: float = 0.0
    slow: float = 0.0
    slow_seconds: float = 1.0
    rate_limited: float = 0.0
    failed: float = 0.0
    latency: float = 0.0

    def __post_init__(self) -> None:
        for name, value in self.shares().items():
            check_share(f"trouble.{name}", value)
        for name, value in (("slow_seconds", self.slow_seconds), ("latency", self.latency)):
            if not (isfinite(value) and value >= 0):
                raise ConfigError(f"trouble.{name} = {value!r}: expected seconds, 0 or more")

    def shares(self) -> dict[str, float]:
        return {name: value for name, value in asdict(self).items() if name not in DURATIONS}

    def shaping(self) -> dict[str, float]:
        """The dials that change answers, those of them that are on."""
        return {name: share for name, share in self.shares().items() if name in SHAPING and share}


def check_share(name: str, value: float) -> None:
    """Raise ConfigError unless the value is a number from 0 to 1."""
    if not 0 <= value <= 1:
        raise ConfigError(f"{name} = {value!r}: expected a share from 0 to 1")


def falsified(task: Task, rng: Random) -> Task:
    """The same task with a false result in one of its parts."""
    place = rng.randrange(len(task))
    part = task[place]
    false = _false_result(part, rng)
    wrong = Part(part.material, part.steps, (*part.results[:-1], false))
    return (*task[:place], wrong, *task[place + 1 :])


def _false_result(part: Part, rng: Random) -> Value:
    """A value of the right kind that does not pass for the true one."""
    true = part.result
    source = (part.material, *part.results)[-2] if true.kind == "block" else true
    last = part.steps[-1]
    while True:
        slipped = _slip(source, rng)
        false = last(slipped) if true.kind == "block" else slipped
        if false is not None and not states(false.text, true):
            return false


def _slip(value: Value, rng: Random) -> Value:
    """A small mistake: a number off by a few, two entries swapped, one lost, one letter changed."""
    match value.kind:
        case "number":
            return number(max(0, value.ints[0] + rng.choice((-10, -2, -1, 1, 2, 10)))) or value
        case "numbers" | "words" if len(value.items) > 1:
            items = list(value.items)
            place = rng.randrange(len(items) - 1)
            if rng.random() < 0.5:
                items[place], items[place + 1] = items[place + 1], items[place]
            else:
                del items[place]
            return Value(value.kind, tuple(items))
        case "numbers":
            return Value("numbers", (str(value.ints[0] + rng.randint(1, 9)),))
        case "date":
            year, month, _ = value.items[0].split("-")
            return Value("date", (f"{year}-{month}-{rng.randint(1, 28):02}",))
        case "phrase" if value.text in WEEKDAYS:
            return Value("phrase", (rng.choice(WEEKDAYS),))
        case "phrase" if value.text in ("even", "odd"):
            return Value("phrase", ("odd" if value.text == "even" else "even",))
        case _:
            return Value(value.kind, (_one_letter_changed(value.text, rng),))


def _one_letter_changed(text: str, rng: Random) -> str:
    places = [place for place, letter in enumerate(text) if letter.isalnum()]
    place = rng.choice(places)
    old = text[place]
    options = "0123456789" if old.isdigit() else "ACEIMORT" if old.isupper() else "aceimort"
    return text[:place] + rng.choice(options.replace(old, "")) + text[place + 1 :]


LEAKS_AT_THE_END = (
    "This refined response addresses the weaknesses of the previous version and adds clarity.",
    "This revised answer is more specific and keeps the strengths of the original response.",
    "This improved response provides a clear working and fits within the length limit.",
    "The refined version now includes each step, which makes the response more actionable.",
)
LEAKS_AT_THE_START = (
    "Here is the refined response:",
    "Certainly! Here's the improved and complete response:",
)

RESPONSE_HEADING = "### Response:\n"


def leaking(text: str, rng: Random) -> str:
    """A conversation whose response speaks of its own refinement."""
    if rng.random() < 0.75:
        return f"{text}\n\n{rng.choice(LEAKS_AT_THE_END)}"
    return text.replace(RESPONSE_HEADING, f"{RESPONSE_HEADING}{rng.choice(LEAKS_AT_THE_START)}\n\n")


def malformed(text: str, rng: Random) -> str:
    """A conversation in another form than the one asked for."""
    return rng.choice(
        (
            f"Sure! Here is the conversation you asked for.\n\n{text}",
            text.replace("### Instruction:", "**Query:**").replace("### Response:", "**Reply:**"),
            text.replace(RESPONSE_HEADING, ""),
            text.partition(RESPONSE_HEADING)[0] + RESPONSE_HEADING,
            f"{text}\n\n{RESPONSE_HEADING}(the response)",
        )
    )


def cut(text: str, rng: Random) -> str:
    """The beginning of a text: a fifth to four fifths of it."""
    return text[: int(len(text) * rng.uniform(0.2, 0.8))].rstrip()
