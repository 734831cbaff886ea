"""Each objection with what it must catch, what it must let pass, and what it says."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedbed.curate.filters import (
    ALPACA_TERMS,
    EVOL_MARKERS,
    SELF_INSTRUCT_TERMS,
    Check,
    alpaca,
    banned_start,
    character_count,
    empty,
    ends_with_colon,
    first_objection,
    foreign_script,
    input_equals_response,
    is_no_input,
    keyword,
    language,
    leaked_prompt,
    merged_tasks,
    no_content,
    on_input,
    on_instruction,
    on_response,
    placeholder_input,
    placeholder_response,
    refusal,
    repetition,
    self_instruct,
    self_instruct_instances,
    short_apology,
    sound,
    split_words,
    truncated,
    url_only_input,
    word_count,
)
from seedbed.records import Drop, Example, Instruction

DATA = Path(__file__).parents[2] / "../shared/data"


def example(instruction: str = "Name a tree.", given: str = "", response: str = "Oak.") -> Example:
    return Example(instruction=Instruction(text=instruction), input=given, response=response)


def reason(drop: Drop | None) -> str:
    return drop.reason if drop else ""


def rows(path: str) -> list[dict[str, str]]:
    file = DATA / path
    if not file.exists():
        pytest.skip(f"{file} is absent: real data is not part of the repository")
    text = file.read_text("utf-8")
    found = json.loads(text) if path.endswith(".json") else map(json.loads, text.splitlines())
    return list(found)


def counted(texts: list[str], checks: tuple[Check, ...]) -> Counter[str]:
    return Counter(found.reason for text in texts if (found := first_objection(text, checks)))


# Length, start, words


def test_the_bounds_of_a_word_count_are_allowed_values() -> None:
    check = word_count(minimum=4, maximum=6)
    assert reason(check("one two three")) == "too_short"
    assert check("one two three four") is None
    assert check("one two three four five six") is None
    assert check("1 2 3 4 5 6 7") == Drop(reason="too_long", evidence={"words": 7, "maximum": 6})


def test_a_chinese_sentence_has_words_unless_they_are_split_at_spaces() -> None:
    text = "请把这句话翻译成英文。"
    assert word_count(minimum=4)(text) is None
    assert reason(word_count(minimum=4, words=split_words)(text)) == "too_short"


def test_characters_are_counted_without_the_space_around() -> None:
    check = character_count(minimum=3, maximum=5)
    assert check("  abc ") is None
    assert reason(check("  ab   ")) == "too_short"
    assert reason(check("abcdef")) == "too_long"


def test_invisible_characters_are_empty() -> None:
    assert reason(empty()(" \n\u200b\ufeff\x00")) == "empty"
    assert empty()("0") is None


def test_a_keyword_is_a_whole_word_in_any_case() -> None:
    check = keyword(SELF_INSTRUCT_TERMS)
    assert check("Draw a circle.") == Drop(reason="keyword", evidence={"keyword": "draw", "at": 0})
    assert reason(check("Please GO\n to the shop")) == "keyword"
    assert check("Explain mapping, drawings and a filename in photography") is None


def test_a_keyword_may_begin_or_end_with_a_sign() -> None:
    check = keyword(["c++", ".net"])
    assert reason(check("Learn C++ today")) == "keyword"
    assert reason(check("A .NET service")) == "keyword"
    assert check("c+ and a net") is None


def test_no_keywords_object_to_nothing() -> None:
    assert keyword([])("anything") is None


def test_a_banned_start_is_exact() -> None:
    check = banned_start(["Write a program"])
    assert reason(check("Write a program that sorts")) == "banned_start"
    assert check("write a program that sorts") is None
    assert check("Please Write a program") is None


def test_stop_words_alone_are_no_content_but_short_answers_are() -> None:
    check = no_content()
    assert reason(check("It is the... of, and to.")) == "no_content"
    assert reason(check("?!")) == "no_content"
    assert all(check(text) is None for text in ("No.", "both", "all", "7", "Oak"))


# Scripts and languages


def test_a_script_is_judged_by_its_share_of_the_letters() -> None:
    latin = foreign_script()
    assert latin("Translate 'привет' into English, please.") is None
    drop = latin("Переведи это предложение.")
    assert drop is not None
    assert drop.evidence["script"] == "CYRILLIC"
    assert drop.evidence["share"] == 0.0
    assert latin("12 + 7 = ?") is None
    assert foreign_script(["CYRILLIC"])("Переведи это.") is None


def test_full_width_and_accented_letters_are_latin() -> None:
    assert foreign_script(minimum_share=1.0)("Ｈｅｌｌｏ café naïve") is None


def test_a_language_is_what_the_detector_says() -> None:
    check = language(["en"], detect=lambda text: "fr" if "est" in text.split() else "en")
    assert check("It is late.") is None
    assert check("Il est tard.") == Drop(reason="language", evidence={"language": "fr"})


# Leaked prompts


def test_a_marker_leaks_in_any_case_and_spacing() -> None:
    check = leaked_prompt(EVOL_MARKERS)
    assert check("#Rewritten  Prompt#: Sort it.") == Drop(
        reason="leaked_prompt", evidence={"phrase": "rewritten prompt"}
    )
    assert check("Rewrite the text and keep its prompt delivery.") is None


def test_eight_words_of_a_template_are_a_leak_and_seven_are_not() -> None:
    template = "Rewrite the instruction below so that it needs one more step of reasoning."
    check = leaked_prompt(templates=[template])
    assert reason(check("Now, rewrite the instruction below so that it needs!")) == "leaked_prompt"
    assert check("Now, rewrite the instruction below so that it must") is None


# Refusals and placeholders


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't help with that request.",
        "I’m sorry, but as an AI I cannot browse the internet.",
        "No, I'm sorry but I can't help you write your memoir.",
        "I am unable to access real-time databases to provide this.",
        "As an AI language model, I do not have the ability to generate images.",
        "Sorry, this violates our content policy.",
        "Unfortunately, I cannot provide medical advice.",
        "This task cannot be completed by a GPT model, as it is visual.",
        "I'm sorry, but I don't have access to the book.",
    ],
)
def test_a_refusal_is_recognised(text: str) -> None:
    assert reason(refusal()(text)) == "refusal"


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, I can't come to the meeting today.",
        "I'm sorry for your loss. Here is what may help.",
        "Dear Sir, I am sorry that I cannot attend your wedding.",
        "As an AI language model, I don't have feelings, but here are three ideas.",
        "It is better to be safe than sorry.",
        "You cannot divide by zero. A language model may still try.",
        "I cannot wait to see you!",
    ],
)
def test_a_response_that_only_sounds_like_a_refusal_passes(text: str) -> None:
    assert refusal()(text) is None


def test_the_papers_apology_rule_counts_words() -> None:
    check = short_apology()
    assert reason(check("Sorry, no.")) == "short_apology"
    assert check("sorry " + "word " * 79) is None
    assert check("No.") is None


@pytest.mark.parametrize(
    "text", ["", "<noinput>", "No input", r"\<noinput\>", "<no input>.", "N/A", "None", "- NOINPUT"]
)
def test_no_input_has_many_spellings(text: str) -> None:
    assert is_no_input(text)
    assert bool(placeholder_input()(text)) == bool(text)


@pytest.mark.parametrize("text", ["0", "No input was given by the user", "none of the above", "不"])
def test_an_input_that_says_something_is_one(text: str) -> None:
    assert not is_no_input(text)


@pytest.mark.parametrize("text", ["<nooutput>", "No output", "N/A", "<no output> - not possible"])
def test_a_placeholder_is_no_response(text: str) -> None:
    assert reason(placeholder_response()(text)) == "placeholder_response"


@pytest.mark.parametrize("text", ["None", "0", "No", "Nothing", "The code prints no output."])
def test_a_short_response_is_no_placeholder(text: str) -> None:
    assert placeholder_response()(text) is None


# Loops and cut ends


@given(st.text("ab", max_size=40), st.integers(1, 3), st.text("ab", min_size=1, max_size=4))
def test_every_loop_is_found_wherever_it_stands(before: str, times: int, phrase: str) -> None:
    """Against all places and lengths of a stretch, one after the other."""
    words = [*before, *(phrase * 2 * times), *before[::-1]]
    check = repetition(times=3, words=8, longest=4, repeated_share=1.0)

    def loops(period: int, start: int) -> bool:
        end = start + max(8, 3 * period)
        return end <= len(words) and words[start : end - period] == words[start + period : end]

    expected = any(loops(period, start) for period in range(1, 5) for start in range(len(words)))
    assert (check(" ".join(words)) is not None) == expected


def test_a_loop_is_repetition_with_its_phrase_and_count() -> None:
    drop = repetition()("It begins. " + "I am very happy to help. " * 12)
    assert drop is not None
    assert drop.reason == "repetition"
    assert drop.evidence["times"] == 12
    assert drop.evidence["words"] == 72
    assert drop.evidence["phrase"] == "i am very happy to help"


def test_a_loop_whose_numbers_change_is_found_by_its_share() -> None:
    sentence = "the river runs down to the sea and the sun goes over the hill again"
    drop = repetition()("\n".join(f"{n}. {sentence}" for n in range(12)))
    assert drop is not None
    assert drop.evidence["repeated_share"] == pytest.approx(0.6, abs=0.15)


def test_a_refrain_and_a_table_are_no_loop() -> None:
    assert repetition()("Row, row, row your boat, gently down the stream. Merrily, " * 1) is None
    assert repetition()("A A G G A\nA A G G A\nA G A A") is None
    assert repetition()("ha " * 10) is None


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        ("Here it is:\n```python\nprint(1)\n", "code_fence"),
        ("Three reasons:\n1. Cost\n2.", "list_number"),
        ("Ideas:\n- one\n-", "list_number"),
        ("The word is derived from the name of the goddess,", "comma"),
        ("The population is estimated to be 1.4 billion as of 20", "year"),
        ("The next full moon will be on October 31, 20", "year"),
        ("October 20, 20", "year"),
        ("It changed between 1990-20", "year"),
        ("They moved to the coast last year because of the", "open_word"),
        ("They brought apples for all of us, pears, and", "open_word"),
        ("The committee met on Monday to discuss (among other things the budget", "bracket"),
    ],
)
def test_a_cut_end_shows(text: str, sign: str) -> None:
    drop = truncated()(text)
    assert drop is not None
    assert drop.evidence["sign"] == sign


@pytest.mark.parametrize(
    "text",
    [
        "20",
        "Team 3: 50, Team 2: 40, Team 1: 30, Team 4: 20",
        "$1382.20",
        "Sincerely,",
        "We look forward to hearing from you soon.\n\nWith heartfelt gratitude,",
        "Positive",
        "Present: am, is, are\nPast: was, were\nFuture: will be",
        "He scored 18 out of 20",
        "```python\nprint(1)\n```",
        "a) one b) two c) three and so on until the list is done",
        "1. Apples\n2. Pears",
        "A smile :( is what he wrote at the end of the letter",
        "The answers are, in the order of the questions, 1 b, 2 b, 4 a",
        "From last to first, the words are school, near, eggs, and, books, brave, the",
    ],
)
def test_a_finished_text_is_not_truncated(text: str) -> None:
    assert truncated()(text) is None


def test_a_final_colon_is_its_own_reason() -> None:
    assert reason(ends_with_colon()("The steps are: ")) == "ends_with_colon"
    assert ends_with_colon()("a: b") is None


# Examples


@pytest.mark.parametrize(
    "response",
    [
        "She watered them.\n\n\n6. Instruction: Write an ending.\n6. Input:\n<noinput>",
        "A rose.\n## Instruction: Name a bird.",
        "Fine.\nInstruction: Sort.\nInput: 3 1\nOutput: 1 3",
        "One.\n10. Output:\nTwo.",
    ],
)
def test_a_second_task_in_the_response_is_found(response: str) -> None:
    assert reason(merged_tasks()(example(response=response))) == "merged_tasks"


@pytest.mark.parametrize(
    "response",
    [
        "Output: 5",
        "print(1)\n# Output:\n# 1",
        "Use this form.\nInput: a number\nOutput: its square",
        "My plan\nTask 1: sweep\nTask 2: mop",
    ],
)
def test_labels_that_belong_to_the_response_pass(response: str) -> None:
    assert merged_tasks()(example(response=response)) is None


def test_a_second_task_is_found_in_the_input_too() -> None:
    drop = merged_tasks()(example(given="Rome\n5. Instruction: Name a river."))
    assert drop is not None
    assert drop.evidence["field"] == "input"


def test_an_address_alone_is_no_input_and_a_sentence_with_one_is() -> None:
    check = url_only_input()
    assert reason(check(example(given="https://example.org/a?b=c"))) == "url_only_input"
    assert reason(check(example(given="Article Link: [www.example.org]"))) == "url_only_input"
    assert check(example(given="Write to us at https://example.org for a free copy.")) is None
    assert check(example(given="")) is None


def test_a_repeated_input_is_no_response() -> None:
    check = input_equals_response()
    assert reason(check(example(given="b, a", response=" b,  a\n"))) == "input_equals_response"
    assert check(example(given="b, a", response="a, b")) is None
    assert check(example(given="", response="")) is None


def test_a_check_is_aimed_at_one_field_and_says_which() -> None:
    short = word_count(minimum=3)
    item = example(instruction="Sort these numbers.", given="1", response="1 2 3 4")
    assert on_instruction(short)(item) is None
    assert on_response(short)(item) is None
    assert on_input(short)(item) == Drop(
        reason="too_short", evidence={"words": 1, "minimum": 3, "field": "input"}
    )


def test_the_first_objection_decides() -> None:
    assert reason(first_objection("Draw", alpaca())) == "too_short"
    assert reason(first_objection("Draw me a nice house", alpaca())) == "keyword"
    assert first_objection("Name three trees of Norway", alpaca()) is None


@given(st.text(max_size=200), st.text(max_size=200), st.text(max_size=200))
def test_no_text_breaks_a_filter_and_the_answer_is_always_the_same(
    instruction: str, given_: str, response: str
) -> None:
    item = example(instruction, given_, response)
    filters = (*sound(), *self_instruct_instances(), on_input(foreign_script()))
    assert [check(item) for check in filters] == [check(item) for check in filters]
    assert first_objection(instruction, self_instruct()) == first_objection(
        instruction, self_instruct()
    )


# Real data: ../methods, section 5 of the notes on Self-Instruct


def test_alpacas_rules_reject_none_of_9229_released_instructions() -> None:
    texts = [row["instruction"] for row in rows("alpaca/alpaca_random_9k.json")]
    assert len(texts) == 9229
    assert counted(texts, alpaca()) == {}


def test_alpacas_rules_on_dolly_are_those_of_the_original() -> None:
    texts = [row["instruction"] for row in rows("alpaca/dolly_3k.json")]
    each_alone = Counter(
        found.reason for text in texts for check in alpaca() if (found := check(text))
    )
    expected = {"too_short": 125, "keyword": 45, "too_long": 6, "starts_with_punctuation": 1}
    assert each_alone == expected


def test_self_instructs_rules_on_its_own_tasks() -> None:
    tasks = [row["instruction"] for row in rows("self_instruct/user_oriented_instructions.jsonl")]
    seeds = [row["instruction"] for row in rows("self_instruct/seed_tasks.jsonl")]
    assert counted(tasks, self_instruct()) == {"keyword": 4, "too_short": 1}
    assert counted(seeds, self_instruct()) == {"too_short": 2, "banned_start": 1}


def test_the_keyword_rule_agrees_with_every_recorded_status_of_alpaca_libre() -> None:
    check = on_instruction(keyword(ALPACA_TERMS))
    recorded = rows("alpaca_libre/alpaca_libre_tasks_v1.jsonl")
    differing = [
        row
        for row in recorded
        if (row["status"] == "blacklist") != bool(check(example(row["instruction"])))
    ]
    assert len(recorded) == 2375
    assert differing == []
