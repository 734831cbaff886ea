"""What shapes a run of Evol-Instruct. Every point where the paper, its released code and today's
chat models differ is a setting here; `presets.py` gives the three sets of values.

The defaults are those of `chat`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, inf
from typing import Literal

from seedbed.errors import ConfigError
from seedbed.records import Sampling

Operation = Literal["constrain", "deepen", "concretize", "reason", "complicate_input", "broaden"]

BROADEN: Operation = "broaden"
COMPLICATE: Operation = "complicate_input"
IN_DEPTH: tuple[Operation, ...] = ("constrain", "deepen", "concretize", "reason")
"""Those that share one prompt and differ in a sentence of method."""

OPERATIONS: tuple[Operation, ...] = (*IN_DEPTH, COMPLICATE, BROADEN)

PAPER_FORMATS = (
    "XML data",
    "SQL database",
    "Python code",
    "HTML page",
    "shell command",
    "JSON data",
)
FORMATS = (*PAPER_FORMATS, "CSV table", "log file")

Originals = Literal["leave_out", "keep", "answer"]
"""What becomes of the seeds themselves.

`leave_out`: they are no examples. `keep`: those that have a response are examples as they stand.
`answer`: each is answered by the model, as WizardLM did for its comparison with Alpaca.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """How much longer an instruction may become; None sets no bound.

    `words` and `characters` bound one evolution, `words_in_all` all evolutions since the seed.
    `material_factor` widens the first two for `complicate_input`, which brings its data along. A
    word is a run of letters or digits, or one ideograph.
    """

    words: int | None = 80
    characters: int | None = 600
    words_in_all: int | None = 320
    material_factor: float = 3.0


NO_BOUND = Growth(words=None, characters=None, words_in_all=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Elimination:
    """Which objections make an evolution fail. The first four are the paper's (section 3.2).

    On the instruction: `equality` (a judge finds no information gain; one call), `leaked` (words
    of the evolving prompt), `unchanged`, `answered` (a response where a rewriting was asked for),
    `self_talk` ("As an AI language model"), `growth`. On the response: `short_apology` ("sorry"
    in fewer words than this; 0 is off), `no_content` (only punctuation and stop words),
    `asks_back` (it misses something that the instruction should have brought). On both:
    `refusal`, and `truncated` (cut at the token limit, or shows it). On the finished example:
    `duplicate` (an earlier one has the same words), which does not send the parent back.
    """

    equality: bool = True
    short_apology: int = 80
    no_content: bool = True
    leaked: bool = True
    unchanged: bool = True
    answered: bool = True
    self_talk: bool = True
    refusal: bool = True
    asks_back: bool = True
    truncated: bool = True
    duplicate: bool = True
    growth: Growth = Growth()


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """`count` is of examples kept; None evolves every seed. `rounds` is the paper's M.

    `operations` are drawn uniformly; `formats` are what `complicate_input` draws from. `system`
    goes before every instruction that is answered or rewritten, if it is not empty. `sampling` is
    of rewritings, `answering` of responses, `judging` of verdicts. `joint` stands between a seed's
    instruction and its input. `repair`: take a heading, a preface or quotes off a rewriting.
    `window`: seeds under way at once; no answer depends on it.
    """

    count: int | None = None
    rounds: int = 4
    seed: int = 0
    operations: tuple[Operation, ...] = OPERATIONS
    formats: tuple[str, ...] = FORMATS
    originals: Originals = "leave_out"
    system: str = ""
    sampling: Sampling = Sampling(temperature=1.0, max_tokens=2048)
    answering: Sampling = Sampling(temperature=1.0, max_tokens=4096)
    judging: Sampling = Sampling(temperature=0.0, max_tokens=64)
    joint: str = "\n\n"
    repair: bool = True
    elimination: Elimination = Elimination()
    window: int = 512

    def __post_init__(self) -> None:
        """Raise ConfigError where nothing could be drawn."""
        if not self.operations:
            raise ConfigError(f"operations: none; expected some of {', '.join(OPERATIONS)}")
        if COMPLICATE in self.operations and not self.formats:
            raise ConfigError(
                "formats: none; expected data formats for complicate_input",
                hint='For example formats = ["JSON data"], or take the operation out.',
            )

    def seeds_for(self, missing: float) -> int | None:
        """How many seeds are surely needed for so many examples more; None is all of them."""
        most = self.rounds + (self.originals != "leave_out")
        return None if missing == inf else ceil(missing / max(most, 1))
