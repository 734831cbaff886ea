"""Is it a rewriting or an answer? The signs, and how often they are right on real data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from seedbed.curate.filters import EVOL_MARKERS, leaked_prompt, refusal, short_apology
from seedbed.models.practice import make, skills
from seedbed.recipes.evol_instruct.answered import answered, requests
from seedbed.recipes.evol_instruct.elimination import self_talk
from seedbed.streams import rng

DATA = Path(__file__).parents[3] / "../shared/data"
PARENT = "Describe how a battery works."

needs_data = pytest.mark.skipif(
    not DATA.is_dir(), reason="../shared/data is not here: real data is never copied into the repo"
)


def sign(text: str, parent: str = PARENT) -> str:
    found = answered(parent, text)
    return "" if found is None else str(found.evidence["sign"])


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Describe how a battery works in a car that starts on a cold morning.", ""),
        ("My car will not start in the cold. What happens inside its battery?", ""),
        ("You are an engineer. Your task is a short talk on batteries for children.", ""),
        ("A battery loses half its charge in 12 days. After how many days is an eighth left", ""),
        ("用简单的话解释电池如何工作？", ""),
        ("Sure! Describe how a battery works.", "opening"),
        ("The answer is that ions move between two plates.", "opening"),
        ("Describe a battery.\n\n**Answer:** Ions move between two plates.", "label"),
        ("Describe a battery.\n\nSolution:\n\nIons move between two plates.", "label"),
        ("Describe a battery. Use this form:\nAnswer: <your answer>", ""),
        (
            "A battery stores energy. Its ions move between two plates, and a current flows.",
            "no_request",
        ),
    ],
)
def test_each_sign_of_an_answer_is_seen(text: str, wanted: str) -> None:
    assert sign(text) == wanted


def test_what_the_parent_does_too_is_no_sign() -> None:
    assert sign("Answer: blue. Which was the question?", "Answer: red. What is asked?") == ""
    assert sign("The moon is far away.", "A text about the moon.") == ""


def test_what_follows_in_code_fences_does_not_hide_the_request() -> None:
    rows = "\n".join(f"{number},{number * 7}" for number in range(9))
    assert requests(
        f"I run a shop. It rains. Sales fell. Find the worst day.\n\n```csv\n{rows}\n```"
    )


def test_instructions_of_the_practice_world_are_requests() -> None:
    names = [skill.name for skill in skills()]
    texts = [make((name,), "Planning", rng("request", name))[0] for name in names]
    assert [text for text in texts if not requests(text)] == []


def rows(path: str) -> list[dict[str, Any]]:
    text = (DATA / path).read_text(encoding="utf-8")
    if path.endswith("l"):
        return [json.loads(line) for line in text.splitlines() if line]
    return list(json.loads(text))


def h2o() -> list[dict[str, Any]]:
    return [
        row for path in sorted((DATA / "h2o_wizardlm").glob("*.json")) for row in rows(str(path))
    ]


@needs_data
def test_responses_of_alpaca_are_found_and_its_instructions_pass() -> None:
    """A response in the place of a rewriting: the larger part is found, and few are wronged."""
    data = rows("alpaca/alpaca_random_9k.json")
    asked = ["\n\n".join(filter(None, (row["instruction"], row["input"]))) for row in data]
    found = sum(
        answered(one, row["output"]) is not None for one, row in zip(asked, data, strict=True)
    )
    wronged = sum(answered(PARENT, one) is not None for one in asked)
    assert found / len(data) > 0.80
    assert wronged / len(data) < 0.016


@needs_data
def test_evolved_instructions_of_others_pass_and_their_responses_are_found() -> None:
    evolved = [row["input"] for row in h2o()]
    answers = [row["output"] for row in h2o() if row["output"].strip()]
    assert (len(evolved), len(answers)) == (61, 55)
    assert [text for text in evolved if answered(PARENT, text)] == []
    assert sum(answered(PARENT, text) is not None for text in answers) >= 33
    tests = [row["Instruction"] for row in rows("wizardlm/WizardLM_testset.jsonl")]
    objected = [text for text in tests if answered(PARENT, text)]
    assert (len(tests), len(objected)) == (218, 5)
    assert sum("Solution:" in text for text in objected) == 1


@needs_data
def test_defects_of_evolved_data_of_others_are_counted_as_they_are() -> None:
    evolved = [row["input"] for row in h2o()]
    answers = [row["output"] for row in h2o()]
    counts = {
        "leaked": sum(leaked_prompt(EVOL_MARKERS)(text) is not None for text in evolved),
        "self_talk": sum(self_talk()(text) is not None for text in evolved),
        "empty": sum(not text.strip() for text in answers),
        "sorry": sum("sorry" in text.lower() for text in answers),
        "short_apology": sum(short_apology()(text) is not None for text in answers),
        "refusal": sum(refusal()(text) is not None for text in answers),
    }
    assert counts == {
        "leaked": 0, "self_talk": 2, "empty": 6, "sorry": 0, "short_apology": 0, "refusal": 0,
    }  # fmt: skip
