"""Stage one: what is asked, when it stops, and what comes of answers of every sort."""

from __future__ import annotations

import asyncio
import random
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from seedbed.journal import Journal
from seedbed.models.journaled import Journaled
from seedbed.models.model import FakeModel, Model
from seedbed.prompts import load_prompts
from seedbed.recipes.skillmix.extract import (
    ExtractParams,
    skills_from_examples,
    skills_from_teacher,
)
from seedbed.recipes.skillmix.skillset import SkillSet, load_skills, skills_to_json
from seedbed.records import Completion, Example, FinishReason, Instruction, Request

PROMPTS = load_prompts("seedbed.recipes.skillmix")

Answers = dict[str, Callable[[str, int], str | Completion]]
"""By prompt: the answer to a prompt's text and the number of times that this prompt was asked."""

MARKS = {
    "topics": "list topics under which",
    "skills": "list skills that a knowledgeable",
    "query_types": "List the types of query",
    "label": "Name the skills that the assistant needed",
    "cluster": "Group them into at most",
    "relabel": "Choose from the list the skills",
    "infer_query_types": "Work out the types of query",
}


class Teacher:
    """Answers each prompt by a function of its own, and counts."""

    name = "fake"

    def __init__(self, answers: Answers) -> None:
        self.asked: dict[str, list[Request]] = {name: [] for name in MARKS}
        self._answers = answers

    async def complete(self, request: Request, /) -> Completion:
        text = request.messages[0].content
        name = next(name for name, mark in MARKS.items() if mark in text)
        self.asked[name].append(request)
        await asyncio.sleep(0)
        answer = self._answers[name](text, len(self.asked[name]) - 1)
        return Completion(text=answer) if isinstance(answer, str) else answer


def wanted(text: str) -> int:
    return int(re.findall(r"(?:write now|at most)[: ]+(\d+)", text)[-1])


def known(text: str) -> set[str]:
    found = re.search(r"already listed[^:\n]*: (.*)", text)
    return set(found[1].split(", ")) - {"none"} if found else set()


def counted(prefix: str, at_once: int = 1000) -> Callable[[str, int], str]:
    """As many new names as are wanted, but no more than so many at once."""

    def answer(text: str, _: int) -> str:
        topic = re.search(r"Topic: (\w+)", text)
        names = [f"{prefix}_{topic[1] if topic else ''}_{number}" for number in range(10_000)]
        listed = known(text)
        fresh = [name for name in names if name.replace("__", "_") not in listed]
        return "\n".join(fresh[: min(at_once, wanted(text))])

    return answer


def kinds(at_once: int = 1000) -> Callable[[str, int], str]:
    def answer(text: str, _: int) -> str:
        listed = known(text)
        fresh = [f"Type {number}" for number in range(100) if f"Type {number}" not in listed]
        shown = fresh[: min(at_once, wanted(text))]
        return "\n\n".join(f'### {name}\nIt is {name}.\n- "One?"\n- "Two?"' for name in shown)

    return answer


def taught(**answers: Callable[[str, int], str | Completion]) -> Teacher:
    usual: Answers = {
        "topics": counted("topic"),
        "skills": counted("skill"),
        "query_types": kinds(),
    }
    return Teacher(usual | answers)


def agnostic(model: Model, params: ExtractParams) -> SkillSet:
    return asyncio.run(skills_from_teacher(model=model, prompts=PROMPTS, params=params))


SMALL = ExtractParams(topics=4, skills_per_topic=6, query_types=5)


def test_topics_lead_to_skills_and_query_types() -> None:
    teacher = taught()
    pool = agnostic(teacher, SMALL)
    assert len(pool.skills) == 4 * (6 + 1)
    assert [kind.name for kind in pool.query_types] == [f"Type {number}" for number in range(5)]
    assert pool.query_types[0].examples == ("One?", "Two?")
    assert {name: len(asked) for name, asked in teacher.asked.items() if asked} == {
        "topics": 1,
        "skills": 4,
        "query_types": 1,
    }
    assert pool.made_by["method"] == "SDA"
    assert {skill.topic for skill in pool.skills} == set(pool.made_by["topics"])


def test_topics_are_skills_only_if_they_are_kept() -> None:
    topics = {"topic_0", "topic_1", "topic_2", "topic_3"}
    assert topics < set(agnostic(taught(), SMALL).names)
    assert not topics & set(agnostic(taught(), replace(SMALL, keep_topics=False)).names)


def test_a_list_that_came_out_too_short_is_asked_to_go_on() -> None:
    teacher = taught(skills=counted("skill", at_once=2), query_types=kinds(at_once=2))
    pool = agnostic(teacher, replace(SMALL, topics=1))
    assert len(pool.skills) == 7
    assert len(pool.query_types) == 5
    texts = [request.messages[0].content for request in teacher.asked["skills"]]
    assert [wanted(text) for text in texts] == [6, 4, 2]
    assert [len(known(text)) for text in texts] == [0, 2, 4]
    texts = [request.messages[0].content for request in teacher.asked["query_types"]]
    assert [wanted(text) for text in texts] == [5, 3, 1]
    assert known(texts[1]) == {"Type 0", "Type 1"}


def test_asking_ends_when_nothing_new_comes() -> None:
    teacher = taught(
        topics=lambda text, _: "only_topic\nonly_topic",
        skills=lambda text, _: "one_skill\nother_skill",
        query_types=lambda text, _: "### Planning\nA plan.",
    )
    pool = agnostic(teacher, SMALL)
    assert pool.names == ("only_topic", "one_skill", "other_skill")
    assert [kind.name for kind in pool.query_types] == ["Planning"]
    assert [len(teacher.asked[name]) for name in ("topics", "skills", "query_types")] == [2, 2, 2]


def test_none_is_a_list_that_has_ended() -> None:
    teacher = taught(skills=lambda text, _: "none" if known(text) else "only_skill")
    agnostic(teacher, replace(SMALL, topics=1))
    assert len(teacher.asked["skills"]) == 2


def test_asking_ends_after_so_many_asks() -> None:
    teacher = taught(skills=counted("skill", at_once=1))
    pool = agnostic(teacher, replace(SMALL, topics=1, asks=3, keep_topics=False))
    assert len(pool.skills) == len(teacher.asked["skills"]) == 3


def test_more_names_than_wanted_are_cut() -> None:
    teacher = taught(topics=lambda text, _: "\n".join(f"topic_{n}" for n in range(50)))
    assert len(agnostic(teacher, SMALL).made_by["topics"]) == 4


@pytest.mark.parametrize("prompt", ["topics", "skills", "query_types"])
def test_one_useless_answer_is_asked_for_again_and_not_the_end(prompt: str) -> None:
    usual = taught()._answers[prompt]

    def late(text: str, turn: int) -> str | Completion:
        if turn == 0:
            return Completion(text="I'm sorry, but I can't do that here.", finish_reason="refused")
        return usual(text, turn)

    teacher = taught(**{prompt: late})
    pool = agnostic(teacher, replace(SMALL, topics=1))
    assert (len(pool.skills), len(pool.query_types)) == (7, 5)
    first, second = teacher.asked[prompt][:2]
    assert first != second, "the same request would have the same answer"


def test_a_teacher_that_lists_nothing_ends_with_an_empty_pool() -> None:
    teacher = taught(topics=lambda *_: "none", query_types=lambda *_: "Planning, Asking")
    pool = agnostic(teacher, SMALL)
    assert (pool.skills, pool.query_types) == ((), ())
    assert len(teacher.asked["topics"]) == len(teacher.asked["query_types"]) == SMALL.asks


@pytest.mark.parametrize(("finish", "last"), [("stop", True), ("length", False)])
def test_half_a_name_at_a_cut_is_no_skill(finish: FinishReason, last: bool) -> None:
    def cut(text: str, turn: int) -> Completion:
        return Completion(text="whole_skill\ncut_ski", finish_reason=finish)

    pool = agnostic(taught(skills=cut), replace(SMALL, topics=1, asks=1))
    assert ("cut_ski" in pool.names) == last
    assert "whole_skill" in pool.names


def test_the_pool_is_the_same_for_every_window_and_again_from_the_journal(tmp_path: Path) -> None:
    chance = random.Random(3)

    def whim(text: str, turn: int) -> str:
        return "\n".join(f"skill_{chance.randrange(1000)}" for _ in range(3))

    async def free(request: Request) -> Completion:
        raise AssertionError("asked again")

    with Journal(tmp_path / "j.db") as journal:
        first = agnostic(Journaled(taught(skills=whim), journal), SMALL)
        for window in (1, 3):
            again = agnostic(Journaled(FakeModel(free), journal), replace(SMALL, window=window))
            assert again == first


# SDD


def rows(count: int) -> list[Example]:
    return [
        Example(instruction=Instruction(text=f"Do number {number}."), response=f"Done {number}.")
        for number in range(count)
    ]


def numbered(text: str) -> int:
    found = re.findall(r"Do number (\d+)\.", text)
    return int(found[-1])


def dependent(model: Model, count: int, params: ExtractParams) -> SkillSet:
    return asyncio.run(
        skills_from_examples(rows(count), model=model, prompts=PROMPTS, params=params)
    )


def listed_families(text: str) -> list[str]:
    return text.split("### List:\n")[1].split("\n\n###")[0].splitlines()


def first_family(text: str, turn: int) -> str:
    return listed_families(text)[numbered(text) % len(listed_families(text))]


def labelling(**answers: Callable[[str, int], str | Completion]) -> Teacher:
    usual: Answers = {
        "label": lambda text, _: f"fine_label_{numbered(text)}",
        "cluster": lambda text, _: "\n".join(f"family_{n}" for n in range(wanted(text))),
        "relabel": first_family,
        "infer_query_types": kinds(),
    }
    return Teacher(usual | answers)


DATASET = ExtractParams(families=8, query_types=5)


def test_examples_are_labelled_clustered_and_labelled_again() -> None:
    teacher = labelling()
    pool = dependent(teacher, 50, DATASET)
    assert pool.names == tuple(f"family_{n}" for n in range(8))
    assert sum(skill.uses for skill in pool.skills) == 50
    assert {skill.uses for skill in pool.skills} == {6, 7}
    assert len(pool.query_types) == 5
    counts = {name: len(asked) for name, asked in teacher.asked.items() if asked}
    assert counts == {"label": 50, "cluster": 1, "relabel": 50, "infer_query_types": 1}
    assert pool.made_by["labels"] == 50
    assert pool.made_by["families"] == 8


def test_few_labels_need_no_clustering() -> None:
    teacher = labelling(label=lambda text, _: f"label_{numbered(text) % 3}")
    pool = dependent(teacher, 9, DATASET)
    assert sorted(pool.names) == ["label_0", "label_1", "label_2"]
    assert teacher.asked["cluster"] == []


def test_an_example_without_a_skill_is_asked_no_further() -> None:
    teacher = labelling(label=lambda text, _: "none" if numbered(text) % 2 else "even_label")
    pool = dependent(teacher, 10, DATASET)
    assert pool.made_by["without_a_skill"] == 5
    assert len(teacher.asked["relabel"]) == 5
    [request] = teacher.asked["infer_query_types"]
    assert "Do number 3." not in request.messages[0].content
    assert "- Do number 4." in request.messages[0].content


def test_only_the_closed_list_counts_and_redraws_are_bounded() -> None:
    def stubborn(text: str, turn: int) -> str:
        if numbered(text) == 0:
            return "my_own_skill"
        return f"my_own_skill\n{listed_families(text)[1]}"

    teacher = labelling(relabel=stubborn)
    pool = dependent(teacher, 20, DATASET)
    assert pool.names == ("family_1",)
    assert pool.skills[0].uses == 19
    texts = Counter(request.messages[0].content for request in teacher.asked["relabel"])
    assert sorted(texts.values())[-2:] == [1, 3]
    draws = [request.draw for request in teacher.asked["relabel"] if texts[_text(request)] == 3]
    assert draws == [0, 1, 2]


def _text(request: Request) -> str:
    return request.messages[0].content


def test_none_of_the_list_is_an_answer_and_not_drawn_again() -> None:
    teacher = labelling(relabel=lambda text, _: "none")
    pool = dependent(teacher, 20, DATASET)
    assert pool.skills == ()
    assert len(teacher.asked["relabel"]) == 20


def test_labels_are_counted_once_per_example_and_up_to_the_limit() -> None:
    teacher = labelling(
        label=lambda text, _: "a_label\na_label\nb_label\nc_label\nd_label",
        relabel=lambda text, _: "a_label\nA Label\nb_label\nc_label",
    )
    pool = dependent(teacher, 7, replace(DATASET, labels_per_example=2))
    assert {skill.name: skill.uses for skill in pool.skills} == {"a_label": 7, "b_label": 7}


@pytest.mark.parametrize(
    "answer",
    [
        lambda text, _: "\n".join(f"family_{n}" for n in range(wanted(text))),
        lambda text, _: "none",
        lambda text, turn: f"family_{turn}" if turn % 5 == 0 else "I cannot do that, I am afraid.",
        lambda text, _: text.split("### Labels:\n")[1].split("\n\n###")[0],
        lambda text, _: "\n".join(text.split("### Labels:\n")[1].splitlines()[1:]),
    ],
    ids=["well", "never", "seldom", "echo", "one less"],
)
@pytest.mark.parametrize(("families", "chunk"), [(8, 20), (30, 20)])
def test_clustering_of_many_labels_ends(
    answer: Callable[[str, int], str], families: int, chunk: int
) -> None:
    """Also where more families are allowed than a chunk has labels."""
    teacher = labelling(cluster=answer)
    params = replace(DATASET, families=families, labels_per_cluster=chunk)
    pool = dependent(teacher, 400, params)
    assert 0 < len(pool.skills) <= families
    assert len(teacher.asked["cluster"]) <= 3 * 2 * 400 // chunk
    assert max(len(_text(request)) for request in teacher.asked["cluster"]) < 3000


def test_a_chunk_holds_more_labels_than_it_may_have_families() -> None:
    teacher = labelling()
    dependent(teacher, 70, replace(DATASET, families=30, labels_per_cluster=20))
    chunks = [_text(request).count("fine_label") for request in teacher.asked["cluster"]]
    assert chunks == [60, 10]


def test_query_types_come_from_further_batches_while_they_are_missing() -> None:
    def one_each(text: str, turn: int) -> str:
        return "" if turn == 1 else f"### Type {turn}\nIt is."

    teacher = labelling(infer_query_types=one_each)
    pool = dependent(teacher, 100, DATASET)
    assert [kind.name for kind in pool.query_types] == ["Type 0", "Type 2"]
    batches = [
        _text(request).count("- Do number") for request in teacher.asked["infer_query_types"]
    ]
    assert batches == [40, 40, 20]


def test_a_batch_without_a_type_is_asked_again() -> None:
    teacher = labelling(
        infer_query_types=lambda text, turn: kinds()(text, turn) if turn else "No types here."
    )
    assert len(dependent(teacher, 10, DATASET).query_types) == 5
    assert len(teacher.asked["infer_query_types"]) == 2


def test_a_long_instruction_is_shortened_where_only_its_kind_matters() -> None:
    long = Example(instruction=Instruction(text="Do number 1.\n\n" + "word " * 9000), response="x")
    teacher = labelling(label=lambda *_: "a_label", relabel=lambda *_: "a_label")
    asyncio.run(skills_from_examples([long], model=teacher, prompts=PROMPTS, params=DATASET))
    [request] = teacher.asked["infer_query_types"]
    assert len(_text(request)) < 2000
    assert "word " * 9000 in _text(teacher.asked["label"][0]) + " "


def test_the_input_of_an_example_is_shown_with_its_instruction() -> None:
    example = Example(
        instruction=Instruction(text="Do number 1."), input="3, 1, 2", response="1, 2, 3"
    )
    teacher = labelling()
    asyncio.run(skills_from_examples([example], model=teacher, prompts=PROMPTS, params=DATASET))
    for name in ("label", "relabel"):
        assert "Do number 1.\n\n3, 1, 2" in _text(teacher.asked[name][0])
    assert "1, 2, 3" in _text(teacher.asked["label"][0])


def test_no_examples_make_an_empty_pool() -> None:
    pool = dependent(labelling(), 0, DATASET)
    assert (pool.skills, pool.query_types) == ((), ())


def test_a_pool_made_here_can_be_kept_and_read_again(tmp_path: Path) -> None:
    path = tmp_path / "skills.json"
    for pool in (agnostic(taught(), SMALL), dependent(labelling(), 30, DATASET)):
        path.write_text(skills_to_json(pool), encoding="utf-8")
        assert load_skills(path) == pool
