"""The dataset card of a run: the `README.md` that the Hugging Face hub reads and shows.

Names, reasons and texts in it may come from models or files, so none of them is trusted: they
are escaped or fenced, and cannot become markup, links or keys of the header.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from seedbed.files import well_formed
from seedbed.markup import escaped, fenced, table, yaml_text
from seedbed.records import Example

SHOWN = 3
"""Examples that the card prints, of those it is given."""

_PAPERS = {
    "skillmix": ("Instruct-SkillMix", "2408.14774"),
    "self_instruct": ("Self-Instruct", "2212.10560"),
    "evol_instruct": ("Evol-Instruct", "2304.12244"),
    "sedi": ("SeDi-Instruct", "2502.04774"),
    "directed": ("Directed mixes", ""),
}
"""What a recipe is called in its paper, and the paper's number at arXiv."""

_SIZES = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
    (100_000_000, "10M<n<100M"),
    (1_000_000_000, "100M<n<1B"),
)
"""The hub's size categories, each with the first number that is beyond it."""

_PRACTICE = """\
> **Made by the practice teacher, which is not a language model.** It is a program inside seedbed
> that answers from a small world of programmed skills. Its instructions are narrow and its
> responses formulaic. This data shows and tests the machinery; do not judge the method by it, and
> do not expect a model trained on it to be of use outside of that world."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardFacts:
    """What a card tells. Only what is true of the files beside it belongs here.

    `pool` says in a few words where the skills came from. `settings` are the recipe's, as they
    shall be read. `dollars` is None where a price is unknown; `doubtful_dollars` is the part of it
    that may not have been charged. `drops` and `repairs` count by reason and by name. `data_file`
    is the file that the hub's viewer and `load_dataset` read.
    """

    name: str
    recipe: str
    teacher: str
    seed: int
    wanted: int
    kept: int
    calls: int
    prompt_tokens: int
    completion_tokens: int
    dollars: float | None
    version: str
    doubtful_dollars: float = 0.0
    judge: str = ""
    skills: int = 0
    query_types: int = 0
    pool: str = ""
    repaired: int = 0
    drops: Mapping[str, int] = field(default_factory=dict)
    repairs: Mapping[str, int] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)
    examples: Sequence[Example] = ()
    data_file: str = "examples.parquet"

    @property
    def practice(self) -> bool:
        """Whether the built-in teacher wrote the data."""
        return self.teacher.startswith("practice")


def dataset_card(facts: CardFacts) -> str:
    """The card's text: a YAML header for the hub, then Markdown for people."""
    sections = (
        _header(facts),
        f"# {escaped(facts.name)}",
        _lead(facts),
        _PRACTICE if facts.practice else "",
        _examples(facts.examples),
        _how(facts),
        _left_out(facts),
        _cost(facts),
        _limits(facts),
        _again(facts),
        _LICENSE,
    )
    return well_formed("\n\n".join(section for section in sections if section) + "\n")


def _header(facts: CardFacts) -> str:
    """The license is left out, not guessed: the hub takes a card without one."""
    title, _ = _paper(facts.recipe)
    tags = ["synthetic", "instruction-tuning", "seedbed", title.lower()]
    lines = [
        "---",
        "# license: yours to fill in, see the section License",
        f"pretty_name: {yaml_text(facts.name)}",
        "task_categories:",
        "- text-generation",
        "tags:",
        *(f"- {yaml_text(tag)}" for tag in [*tags, *(["practice-teacher"] * facts.practice)]),
        "size_categories:",
        f"- {yaml_text(size_category(facts.kept))}",
        "configs:",
        "- config_name: default",
        "  data_files:",
        "  - split: train",
        f"    path: {yaml_text(facts.data_file)}",
        "---",
    ]
    return "\n".join(lines)


def size_category(count: int) -> str:
    """The hub's name for so many rows."""
    return next((name for beyond, name in _SIZES if count < beyond), "n>1B")


def _lead(facts: CardFacts) -> str:
    title, number = _paper(facts.recipe)
    paper = f" ([arXiv {number}](https://arxiv.org/abs/{number}))" if number else ""
    short = f" of {facts.wanted:,} asked for" if facts.kept != facts.wanted else ""
    return (
        f"{facts.kept:,} examples{short}, each an instruction and a response, made with "
        f"seedbed {escaped(facts.version)} by the recipe "
        f"{escaped(title)}{paper}. The teacher, the model that wrote them, was "
        f"{escaped(facts.teacher)}."
    )


def _paper(recipe: str) -> tuple[str, str]:
    return _PAPERS.get(recipe, (recipe, ""))


def _examples(examples: Sequence[Example]) -> str:
    if not examples:
        return ""
    return "\n\n".join(["## Examples", *map(_printed, examples[:SHOWN])])


def _printed(example: Example) -> str:
    asked = example.instruction.text + (f"\n\n{example.input}" if example.input else "")
    skills = ", ".join(map(escaped, example.instruction.origin.skills))
    return "\n\n".join(
        [
            f"Skills: {skills}" if skills else "",
            fenced(asked),
            "is answered with",
            fenced(example.response),
        ]
    ).strip()


def _how(facts: CardFacts) -> str:
    rows = {"recipe": facts.recipe, "teacher": facts.teacher}
    if facts.judge:
        rows["judge"] = facts.judge
    rows |= {"seed": str(facts.seed)}
    if facts.skills:
        rows["skills"] = f"{facts.skills:,}" + (f", from {facts.pool}" if facts.pool else "")
        rows["query types"] = f"{facts.query_types:,}"
    rows |= facts.settings
    columns = (
        "Columns: `instruction`, `input` (often empty) and `response` are what to train on; the "
        "others say where each example came from (`recipe`, `step`, `seed`, `round`, `draw`, "
        "`skills`, `query_type`, `parents`, the journal keys of its `calls`) and what was mended "
        "in it (`repairs`)."
    )
    return f"## How it was made\n\n{table(('setting', 'value'), rows)}\n\n{columns}"


def _left_out(facts: CardFacts) -> str:
    dropped = sum(facts.drops.values())
    tried = dropped + facts.kept
    share = f" ({dropped / tried:.1%} of what was tried)" if tried else ""
    parts = [f"## What was left out\n\n{_were(dropped, 'item')} dropped{share}."]
    if facts.drops:
        parts.append(table(("reason", "items"), _counts(facts.drops)))
        parts.append("Every one of them is in `drops.jsonl` with its reason and the evidence.")
    parts.append(f"{_were(facts.repaired, 'example')} mended before being kept.")
    if facts.repairs:
        parts.append(table(("repair", "examples"), _counts(facts.repairs)))
    return "\n\n".join(parts)


def _were(number: int, noun: str) -> str:
    return f"{number:,} {noun} was" if number == 1 else f"{number:,} {noun}s were"


def _counts(counts: Mapping[str, int]) -> dict[str, str]:
    """Largest first, equal ones by name."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return {name: f"{count:,}" for name, count in ordered}


def _cost(facts: CardFacts) -> str:
    if facts.practice and not facts.dollars:
        dollars = "nothing: the practice teacher is free"
    elif facts.dollars is None:
        dollars = "unknown: the model has no known price"
    else:
        dollars = f"${facts.dollars:,.2f}"
        if facts.doubtful_dollars:
            dollars += f", of which ${facts.doubtful_dollars:,.2f} may not have been charged"
    rows = {
        "calls": f"{facts.calls:,}",
        "prompt tokens": f"{facts.prompt_tokens:,}",
        "completion tokens": f"{facts.completion_tokens:,}",
        "dollars": dollars,
    }
    return f"## What it took\n\n{table(('what', 'how much'), rows)}"


def _limits(facts: CardFacts) -> str:
    points = [
        "Written by a program."
        if facts.practice
        else "Written by a model and read by no person: "
        "expect errors, invented facts, and the teacher's own style, gaps and biases.",
        "Filtered for form (parsing, completeness, leaked commentary), not for truth.",
        "Not compared with any benchmark's test questions.",
    ]
    if facts.kept < facts.wanted:
        points.append(f"Incomplete: {facts.wanted - facts.kept:,} examples fewer than asked for.")
    if not facts.practice:
        points.append("The terms of the teacher's provider may limit what it can be used for.")
    return "## Limits\n\n" + "\n".join(f"- {point}" for point in points)


def _again(facts: CardFacts) -> str:
    parts = [
        "## Making it again",
        "`seedbed run CONFIG --out FOLDER`, with the config of this run, and its `journal.db` in "
        "the folder, rebuilds these files without a single call (`config.toml` is a copy: relative "
        "paths in it start where the original lies). Without the journal the same requests are "
        "sent anew; a model that does not answer the same way twice gives other data.",
    ]
    if facts.digests:
        parts.append(table(("what", "digest"), facts.digests))
    return "\n\n".join(parts)


_LICENSE = """\
## License

None has been chosen. Whoever publishes this data decides on one, in the light of the terms of the
teacher's provider, and puts its identifier into the header as `license:`."""
