"""What a stage's requests share stands first and is the same to the byte: providers cache that.

Every recipe is run with the practice teacher; its requests, as the journal has them, are grouped by
the prompt file that they were made from.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import takewhile
from pathlib import Path
from string import Template

import pytest
from tests.runs import run

from seedbed.evaluate import alpaca_eval
from seedbed.evaluate.alpaca_eval.protocol import load_prompt, sampling
from seedbed.journal import Journal
from seedbed.models.journaled import KIND
from seedbed.models.model import FakeModel
from seedbed.models.practice import make
from seedbed.plan import plan_run
from seedbed.prompts import load_prompts
from seedbed.recipes.shirkers import Params, shirkers
from seedbed.records import Completion, Drop, Example, Instruction, Request
from seedbed.streams import rng

ANCHOR = 60
"""Bytes of shared text that may stand behind the first part that varies: headings, and the words
that announce the answer ("### Skills:")."""

TEACHER = '[teacher]\nmodel = "practice"\n'
SKILLS = "[skills]\ntopics = 3\nskills_per_topic = 5\nquery_types = 4\nasks = 1\n"

RUNS = {
    "skillmix, three turns, judged": "count = 12\n"
    + TEACHER
    + SKILLS
    + '[judge]\nmodel = "practice"\n[skillmix]\npresence_judge = true\n',
    "skillmix, five turns": "count = 8\n"
    + TEACHER
    + SKILLS
    + '[skillmix]\nprofile = "five_turn"\n',
    "skillmix, from data": "count = 8\n"
    + TEACHER
    + '[skills]\ndataset = { path = "data.jsonl" }\nquery_types = 4\nfamilies = 4\n',
    "evol_instruct": 'recipe = "evol_instruct"\ncount = 60\n'
    + TEACHER
    + "[evol_instruct]\nequality_judge = true\n",
    "sedi": 'recipe = "sedi"\ncount = 24\n'
    + TEACHER
    + '[sedi]\nprefer = "none"\n[student]\nbatch_examples = 8\n',
    "directed": 'recipe = "directed"\ncount = 16\n'
    + TEACHER
    + SKILLS
    + '[directed]\nneed = "none"\nround = 8\n',
} | {
    f"self_instruct, {preset}": 'recipe = "self_instruct"\ncount = 40\n'
    + TEACHER
    + f'[self_instruct]\npreset = "{preset}"\n'
    for preset in ("chat", "paper", "repo", "alpaca")
}

STAGES = {
    "skillmix, three turns, judged": {"skills", "draft", "critique", "refine", "presence"},
    "skillmix, five turns": {"draft", "complete_draft", "complete_refined"},
    "skillmix, from data": {"label", "relabel", "draft"},
    "evol_instruct": {"rewrite", "complicate_input", "broaden", "equal"},
    "sedi": {"tasks"},
    "directed": {"skills", "draft", "critique", "refine"},
    "self_instruct, chat": {"propose", "classify", "input_first", "output_first"},
    "self_instruct, paper": {"continue", "classify_by_example", "input_first_by_example"},
    "self_instruct, repo": {"continue", "classify_by_example", "input_first_by_example"},
    "self_instruct, alpaca": {"tasks"},
}
"""The prompts that each run has to have sent several times; none may be missed unseen."""


Messages = list[list[str]]
"""Of one request, each as role and content."""


def write_data(path: Path) -> None:
    """Instructions of the practice world for the recipe to find skills in."""
    made = [make(["adding_numbers", "roman_numerals"], "Help-Seeking", rng(n)) for n in range(30)]
    rows = [{"instruction": asks, "output": says} for asks, says in made]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def requests_of(folder: Path) -> Iterator[Messages]:
    with Journal(folder / "journal.db") as journal:
        for entry in journal.entries(KIND):
            yield entry.question[1]["messages"]


def pattern(template: str) -> re.Pattern[str]:
    """What a rendered prompt looks like."""
    parts = re.split(r"\$\{?\w+\}?", template)
    return re.compile(".*".join(map(re.escape, parts)), re.DOTALL)


def static(template: str) -> int:
    """Bytes of a prompt file without its placeholders."""
    names = Template(template).get_identifiers()
    return len(Template(template).substitute(dict.fromkeys(names, "")).encode())


def made_from(text: str, templates: Mapping[str, str]) -> str:
    """The prompt file of a rendered prompt, the longest that fits; empty where it is of none."""
    fitting = [name for name, file in templates.items() if pattern(file).fullmatch(text)]
    return max(fitting, key=lambda name: static(templates[name]), default="")


def shared(requests: Iterable[Messages]) -> int:
    """Bytes at the beginning that are the same in all of them."""
    texts = ["".join(text for _, text in each).encode() for each in requests]
    first, last = min(texts), max(texts)
    return sum(
        1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False))
    )


def opening(messages: Messages) -> str:
    """The first thing that the user says."""
    return next(text for role, text in messages if role == "user")


@pytest.mark.parametrize("name", RUNS)
def test_the_shared_part_of_every_prompt_comes_first(tmp_path: Path, name: str) -> None:
    write_data(tmp_path / "data.jsonl")
    path = tmp_path / "run.toml"
    path.write_text(f'seed = 7\nfolder = "run"\n{RUNS[name]}')
    templates = plan_run(path).prompts.templates
    run(path)
    stages = defaultdict(list)
    for messages in requests_of(tmp_path / "run"):
        if stage := made_from(messages[-1][1], templates):
            stages[stage].append(messages)
    several = {stage: requests for stage, requests in stages.items() if len(requests) > 2}
    assert several.keys() >= STAGES[name]
    for stage, requests in several.items():
        file = templates[made_from(opening(requests[0]), templates)]
        assert shared(requests) >= static(file) - ANCHOR, stage


def test_every_turn_begins_with_the_whole_turn_before(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text(f'seed = 7\nfolder = "run"\n{RUNS["skillmix, five turns"]}')
    run(path)
    asked = [json.dumps(messages) for messages in requests_of(tmp_path / "run")]
    later = [messages for messages in requests_of(tmp_path / "run") if len(messages) > 1]
    assert later
    assert all(json.dumps(messages[:-2]) in asked for messages in later)


def _unexpected(example: Example, drop: Drop) -> None:
    raise AssertionError(drop)


def test_replies_of_shirkers_and_judgments_of_ours_share_their_beginning() -> None:
    asked: list[Request] = []

    async def note(request: Request) -> Completion:
        asked.append(request)
        return Completion(text="Well.")

    examples = [
        Example(instruction=Instruction(text=f"{n} is the number?"), response="x") for n in range(9)
    ]
    prompts = load_prompts("seedbed.recipes.shirkers")
    for kind in ("brevity", "junk"):
        asked.clear()
        params = Params(kind=kind, fraction=1.0)
        asyncio.run(
            shirkers(
                examples,
                model=FakeModel(note),
                prompts=prompts,
                drop=_unexpected,
                params=params,
            )
        )
        assert len(asked) == len(examples)
        told = [[["user", request.messages[0].content]] for request in asked]
        assert shared(told) >= static(prompts.templates[kind]) - ANCHOR
    judge = load_prompt(Path(alpaca_eval.__file__).parent / "prompts" / "judge.md")
    judged = [judge.request(f"{n}?", f"{n}a", f"{n}b", sampling()) for n in range(3)]
    told = [[[each.role, each.content] for each in request.messages] for request in judged]
    answers = (
        "[answer of m]\n\n[end of the answer of m]\n\n[answer of M]\n\n[end of the answer of M]"
    )
    whole = shared([[[each.role, each.content] for each in judge.messages]])
    assert shared(told) >= whole - len(answers) - 2 * ANCHOR
