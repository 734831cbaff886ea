"""The leak guard on invented texts; `test_leaks_on_real_data` holds the labelled ones."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedbed.curate.leak_patterns import Field
from seedbed.curate.leaks import MAX_LEAKS, find_leaks, guard
from seedbed.records import Drop, Example, Instruction

BODY = "**Step 1:** Soak the beans overnight.\n\n**Step 2:** Boil them for an hour with a bay leaf."


def example_of(instruction: str, response: str) -> Example:
    return Example(instruction=Instruction(text=instruction), response=response)


def mended(instruction: str, response: str) -> Example:
    verdict = guard(example_of(instruction, response))
    assert isinstance(verdict, Example), verdict
    assert guard(verdict) == verdict
    return verdict


# Repairs


@pytest.mark.parametrize(
    "opening",
    [
        "Certainly! Here's the refined and concise response:",
        "Certainly! Here’s a concise and complete version of the improved response:",
        "Absolutely, here is the refined and succinct response:",
        "Here's the improved, concise response that fits within the length constraint.",
        "### Refined Response:",
        "**",
    ],
)
def test_an_opening_about_the_refinement_goes_and_the_rest_stays(opening: str) -> None:
    verdict = mended("How do I cook beans?", f"{opening}\n\n{BODY}")
    assert verdict.response == BODY
    assert len(verdict.repairs) == 1


@pytest.mark.parametrize(
    "closing",
    [
        "This refined response offers clear steps and specific details.",
        "This response maintains the clarity of the original while adding detailed steps. 🌟",
        "---\n\nThis version retains the structure of the previous response while adding detail.",
        "By adding specific examples, this refined response gives clearer guidance to Dr. Ray.",
        "In this improved response, I have provided specific times. It also names a spice.",
        "**Final Note:**\nThis response is concise yet informative, with practical tips.",
    ],
)
def test_a_closing_about_the_response_goes_and_the_rest_stays(closing: str) -> None:
    verdict = mended("How do I cook beans?", f"{BODY}\n\n{closing}")
    assert verdict.response == BODY
    assert verdict.repairs == ("closing_commentary_removed",)


def test_a_content_sentence_beside_the_commentary_is_kept() -> None:
    closing = "Beans keep for three days. This refined response gives clear and practical steps."
    assert mended("Beans?", f"{BODY}\n\n{closing}").response.endswith("for three days.")
    kept = mended("Beans?", f"Certainly! Here's the refined response: Soak them.\n\n{BODY}")
    assert kept.response == f"Soak them.\n\n{BODY}"
    opening = "Beans need patience. Here's a concise version of the refined response: Soak them."
    kept = mended("Beans?", f"{opening}\n\n{BODY}")
    assert kept.response == f"Beans need patience. Soak them.\n\n{BODY}"


@pytest.mark.parametrize(
    ("claim", "left"),
    [
        ("Here’s a refined guide to beans:", "Here’s a guide to beans:"),
        ("Here’s an enhanced, detailed plan:", "Here’s a detailed plan:"),
        ("Here's a refined approach:", "Here's an approach:"),
        ("Here's a concise and enhanced guide:", "Here's a concise guide:"),
        ("Follow these refined steps:", "Follow these steps:"),
        ("This methodically refined approach works:", "This approach works:"),
        ("**Refined Step-by-Step Guide to Beans**", "**Step-by-Step Guide to Beans**"),
    ],
)
def test_a_claim_of_refinement_loses_its_adjective_only(claim: str, left: str) -> None:
    verdict = mended("How do I cook beans?", f"{claim}\n\n{BODY}")
    assert verdict.response == f"{left}\n\n{BODY}"
    assert verdict.repairs == ("refinement_claim_removed",)


@pytest.mark.parametrize(
    "instruction",
    [
        "How do I cook beans in an hour?\n\n Revised",
        "**\nHow do I cook beans in an hour?\n\n**Refined",
        '"How do I cook beans in an hour?"\n\nRefined',
        "**How do I cook beans in an hour?**",
        "Refined Instruction: How do I cook beans in an hour?",
        "### Instruction:\nHow do I cook beans in an hour?",
        "How do I cook beans in an hour?\n###",
        '"How do I cook beans in an hour?',
    ],
)
def test_stray_markers_of_an_instruction_go(instruction: str) -> None:
    verdict = mended(instruction, BODY)
    assert verdict.instruction.text == "How do I cook beans in an hour?"
    assert verdict.repairs == ("stray_marker_removed",)


def test_earlier_repairs_and_the_origin_are_kept() -> None:
    before = Example(
        instruction=Instruction(text="Beans?\n\nRevised"), response=BODY, repairs=("trimmed",)
    )
    after = guard(before)
    assert isinstance(after, Example)
    assert after.repairs == ("trimmed", "stray_marker_removed")
    assert after.instruction.origin == before.instruction.origin


# Drops


@pytest.mark.parametrize(
    "response",
    [
        f"This refined response gives clear and specific steps.\n\n{BODY}",
        f"{BODY}\n\n### Feedback and Improvement\nSay more about salt.\n\n{BODY}",
        f"{BODY}\n\n**Enhanced Response:**\n\n{BODY}",
        f"{BODY}\n\n**Enhancements:**\n- **Detail:** Adds times.\n- **Tone:** Maintains it.",
        f"{BODY}\n\n**End of Response**\n\nBeans are healthy.",
        "Certainly! Here's the refined and concise response:\n\nNo.",
        f"{BODY}\n\nSalt matters for taste, as the previous response about soaking said.",
        "**Beans**\n\nAs the previous response said, soak them.\n\nThen boil them.",
    ],
)
def test_a_leak_that_cannot_be_cut_safely_drops_the_example(response: str) -> None:
    verdict = guard(example_of("How do I cook beans?", response))
    assert isinstance(verdict, Drop)
    assert verdict.reason == "leaked_commentary"
    assert verdict.evidence["field"] == "response"


def test_a_response_inside_the_instruction_drops_the_example() -> None:
    text = "Write to Ann.\n\nDear Ann, hello.\n\nThis refined response addresses clarity."
    verdict = guard(example_of(text, BODY))
    assert isinstance(verdict, Drop)
    assert verdict.evidence["kind"] == "response_in_instruction"


def test_many_leaks_are_a_drop_and_not_a_repair() -> None:
    line = "This refined response is clear and concise.\n"
    verdict = guard(example_of("Beans?", BODY * 40 + "\n" + line * (MAX_LEAKS + 1)))
    assert isinstance(verdict, Drop)


def test_the_modes_drop_and_off() -> None:
    leaking = example_of("Beans?", f"{BODY}\n\nThis refined response offers clear steps.")
    verdict = guard(leaking, mode="drop")
    assert isinstance(verdict, Drop)
    assert verdict.evidence["kind"] == "refined_response"
    assert 0.5 < float(verdict.evidence["position"]) < 1
    assert guard(leaking, mode="off") is leaking


# What has to stay silent


@pytest.mark.parametrize(
    ("instruction", "response"),
    [
        ("Revise my essay about owls.", "Here is the revised version:\n\nOwls fly by night."),
        ("Improve this answer: owls fly.", "Here is the improved answer: Owls fly by night."),
        ("Rewrite the following sentence.", "This version maintains a clear and formal tone."),
        ("I've drafted a letter. Feedback?", f"{BODY}\n\nThis revised letter is clear."),
        ("Write a tweet within the length limit.", "This tweet is within the length limit."),
        ("Rate this response: hello", "This response is clear, but it gives no details."),
        ("What is new?", "This version of Python provides clearer error messages."),
        ("What is new?", "The updated version of the app offers a comprehensive search."),
        ("Did the survey work?", "The original response rate was 12 %; it has improved."),
        ("Why a cache?", "It gives an improved response time. The initial response is slower."),
        ("What do vaccines do?", "They cause an enhanced immune response to the virus."),
        ("What is stress?", "This response leads to a faster pulse. This response prepares you."),
        ("What is refined?", "Refined sugar is a refined carbohydrate. **Refined Sugar:** sweet."),
        ("Explain kwargs.", "**kwargs collects keywords, and 2 ** 3 is 8, so f(**{}) works."),
        ("What is 2 ** 3?", "**Final Answer:** 8"),
        ("Give me a motto.", '"Living each day with courage"'),
        ('What does "carpe diem" mean?', '"Carpe diem" means "seize the day"'),
        ("Tell me whether the law has been revised", "It has been revised."),
        ("How to treat beans?", "**Soak**, then **boil**. This approach ensures soft beans."),
        ("Is there a plan?", "The city has a plan. Here is a concise guide. Feedback is welcome."),
        ("**kwargs in Python: what is it?", "A dictionary of keyword arguments."),
        ("# Title\n\nWrite an article for this title.", "Beans are healthy."),
        ("Choose one:\n\nDraft\nFinal", "Final"),
        ('Who said "I came" and "I saw"', "Caesar did."),
        ("", ""),
    ],
)
def test_ordinary_uses_of_the_words_are_silent(instruction: str, response: str) -> None:
    given_example = example_of(instruction, response)
    assert guard(given_example) is given_example


# Properties


def words(text: str) -> list[str]:
    return [word for word in re.findall(r"\w+", text.lower()) if word not in ("a", "an")]


def is_subsequence(part: list[str], whole: list[str]) -> bool:
    rest = iter(whole)
    return all(word in rest for word in part)


PIECES = st.sampled_from(
    [
        "This refined response is clear. ",
        "Here's a refined guide: ",
        "Certainly! Here's the concise and refined response:\n\n",
        "**",
        '"',
        "\n\n",
        "###",
        "Revised",
        "This version maintains the structure of the original. ",
        "Beans, an enhanced plan. ",
        "Soak the beans overnight and boil them for an hour. ",
        "🌟 ",
    ]
)
TEXTS = st.one_of(st.text(max_size=200), st.lists(PIECES, max_size=12).map("".join))


@settings(max_examples=400, deadline=None)
@given(instruction=TEXTS, response=TEXTS)
def test_any_text_is_kept_mended_once_or_dropped(instruction: str, response: str) -> None:
    before = example_of(instruction, response)
    verdict = guard(before)
    if isinstance(verdict, Drop):
        assert guard(before, mode="drop") != before
        return
    assert guard(verdict) is verdict
    assert is_subsequence(words(verdict.response), words(response))
    assert is_subsequence(words(verdict.instruction.text), words(instruction))
    if not verdict.repairs:
        assert verdict is before


@settings(max_examples=200, deadline=None)
@given(text=TEXTS, field=st.sampled_from(["instruction", "response"]))
def test_leaks_lie_inside_the_text_in_order(text: str, field: Field) -> None:
    leaks = find_leaks(text, field=field)
    assert [leak.start for leak in leaks] == sorted(leak.start for leak in leaks)
    for leak in leaks:
        assert 0 <= leak.start < leak.end <= len(text)
        assert text[leak.start : leak.end].startswith(leak.excerpt)
        assert len(leak.excerpt) <= 80


@pytest.mark.parametrize(
    "unit", ["This response ", "**", '"', " ", "\n", "refined, ", "a", "Here is the refined and "]
)
def test_a_hostile_megabyte_comes_to_an_end(unit: str) -> None:
    text = unit * (1_000_000 // len(unit))
    assert guard(example_of("Beans?", text)) is not None
    assert guard(example_of(text, BODY)) is not None
