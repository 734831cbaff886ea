"""`skills.json`: one spelling a skill, which skills are too near, and every bad shape."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedbed.errors import ConfigError
from seedbed.recipes.skillmix.parse import parse_query_types
from seedbed.recipes.skillmix.skillset import (
    SkillSet,
    alike,
    distinct,
    load_skills,
    normalise,
    skills_to_json,
)
from seedbed.records import JSON, QueryType, Skill

RELEASE = Path(__file__).parents[3] / "../shared/data/skillmix"
released = pytest.mark.skipif(not RELEASE.exists(), reason="the released data is not here")


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("Data  Analysis", "data_analysis"),
        ("data-analysis_", "data_analysis"),
        ("Node.js", "node_js"),
        ("C++ programming", "c_plus_plus_programming"),
        ("C# programming", "c_sharp_programming"),
        ("C programming", "c_programming"),
        ("# Cooking #", "cooking"),
        ("Straßenbau", "strassenbau"),
        ("Cafe\u0301 culture", "café_culture"),
        ("हिन्दी व्याकरण", "हिन्दी_व्याकरण"),
        ("翻译", "翻译"),
        ("—?!", ""),
    ],
)
def test_a_name_has_one_spelling(written: str, name: str) -> None:
    assert normalise(written) == name


@given(st.text())
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


def test_the_first_of_each_name_is_kept() -> None:
    skills = [Skill(name="Data Analysis", topic="Sales & Co", uses=3), Skill(name="?")]
    skills += [Skill(name="data-analysis"), Skill(name="b")]
    assert distinct(skills) == (
        Skill(name="data_analysis", topic="sales_co", uses=3),
        Skill(name="b"),
    )


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("data_analysis", "data_analysis_methods"),
        ("data_analysis", "climate_data_analysis"),
        ("research_ethics", "ethics_in_research"),
        ("cooking", "cooking_techniques"),
        ("sewing_methods", "basic_sewing"),
        ("conflict_resolution_skills", "conflict_resolution_techniques"),
        ("lesson_plan", "lesson_planning"),
        ("story_telling", "storytelling"),
        ("colour_modelling", "colour_modeling"),
        ("organisational_change", "organizational_changes"),
        ("sustainable_practices", "sustainability_practice"),
        ("historical_maps", "history_map"),
        ("car_repair", "cars_repair"),
    ],
)
def test_skills_that_make_no_mix_are_alike(first: str, second: str) -> None:
    assert alike(first, second)
    assert alike(second, first)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("writing", "grant_writing"),
        ("time_management", "team_management"),
        ("data_analysis", "data_management"),
        ("painting_techniques", "sewing_techniques"),
        ("training_methods", "communication_skills"),
        ("structural_analysis", "story_structure_analysis"),
        ("technical_writing", "technical_drawing"),
        ("sorting_numbers", "adding_numbers"),
        ("risk_assessment", "risk_communication"),
    ],
)
def test_skills_that_are_merely_related_may_meet(first: str, second: str) -> None:
    assert not alike(first, second)
    assert not alike(second, first)


@released
def test_few_of_the_released_skills_are_alike() -> None:
    names = load_skills(RELEASE / "skills_gpt-4-turbo.txt").names
    assert len(names) == 1132
    assert sum(alike(*pair) for pair in combinations(names, 2)) == 189


@released
def test_the_released_skills_and_query_types_survive_a_round_trip(tmp_path: Path) -> None:
    text = (RELEASE / "query_types_gpt-4-turbo.txt").read_text(encoding="utf-8")
    skills = load_skills(RELEASE / "skills_gpt-4-turbo.txt").skills
    whole = SkillSet(skills=skills, query_types=tuple(parse_query_types(text)))
    path = tmp_path / "skills.json"
    path.write_text(skills_to_json(whole), encoding="utf-8")
    assert load_skills(path) == whole


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    pool = SkillSet(
        skills=(Skill(name="straße_翻译", topic="maps"), Skill(name="b", uses=7), Skill(name="c")),
        query_types=(
            QueryType(name="Planning", definition="Plan\nit — now.", examples=('"a"', "b")),
            QueryType(name="Bare"),
        ),
        made_by={"method": "SDD", "topics": ["x"]},
    )
    for spelled in (pool, SkillSet(skills=distinct(pool.skills), query_types=())):
        path = tmp_path / "skills.json"
        path.write_text(skills_to_json(spelled), encoding="utf-8")
        loaded = load_skills(path)
        assert loaded.query_types == spelled.query_types
        assert loaded.made_by == spelled.made_by
        assert loaded.skills == distinct(spelled.skills)


def test_a_file_edited_by_hand_may_be_plain(tmp_path: Path) -> None:
    path = tmp_path / "skills.json"
    content = '\ufeff{"skills": ["Data Analysis", "data_analysis", {"name": "b"}], "query_types": '
    path.write_text(content + '["Planning", {"name": "planning", "definition": "x"}]}')
    loaded = load_skills(path)
    assert loaded.names == ("data_analysis", "b")
    assert loaded.query_types == (QueryType(name="Planning"),)


def test_a_text_file_has_a_skill_on_each_line(tmp_path: Path) -> None:
    path = tmp_path / "skills.txt"
    path.write_text("data_analysis\n\nData analysis\r\ncooking\n")
    assert load_skills(path).names == ("data_analysis", "cooking")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], 'expected an object with a list "skills"'),
        ({}, 'expected an object with a list "skills"'),
        ({"skills": {"a": 1}}, 'expected an object with a list "skills"'),
        ({"skills": [3]}, r"skills\[0\]: 3: expected an object with a \"name\", or a text"),
        ({"skills": ["a", None]}, r"skills\[1\]: null: expected"),
        ({"skills": [{"nam": "a"}]}, r"skills\[0\]: name = null: expected a name"),
        ({"skills": [{"name": 3}]}, r"skills\[0\]: name = 3: expected a text"),
        ({"skills": [" - "]}, r"skills\[0\]: name = \" - \": expected a name"),
        ({"skills": [{"name": "a", "topic": 3}]}, r"skills\[0\]: topic = 3: expected a text"),
        ({"skills": [{"name": "a", "uses": "3"}]}, r"skills\[0\]: uses = \"3\": expected a count"),
        ({"skills": [{"name": "a", "uses": -1}]}, r"uses = -1: expected a count"),
        ({"skills": [{"name": "a", "uses": True}]}, r"uses = true: expected a count"),
        ({"skills": [], "query_types": {}}, '"query_types" to be a list'),
        ({"skills": [], "query_types": None}, '"query_types" to be a list'),
        ({"skills": [], "made_by": "me"}, '"made_by" an object'),
        ({"skills": [], "query_types": [3]}, r"query_types\[0\]: 3: expected an object"),
        ({"skills": [], "query_types": [{}]}, r"query_types\[0\]: name = null: expected a name"),
        (
            {"skills": [], "query_types": [{"name": "a", "definition": 3}]},
            r"query_types\[0\]: definition = 3: expected a text",
        ),
        (
            {"skills": [], "query_types": [{"name": "a", "examples": "one"}]},
            r"query_types\[0\]: examples = \"one\": expected a list of texts",
        ),
        (
            {"skills": [], "query_types": [{"name": "a", "examples": [1]}]},
            r"examples = \[1\]: expected a list of texts",
        ),
    ],
)
def test_a_bad_shape_is_named_with_its_place(tmp_path: Path, content: JSON, message: str) -> None:
    path = tmp_path / "skills.json"
    path.write_text(json.dumps(content))
    with pytest.raises(ConfigError, match=message) as caught:
        load_skills(path)
    assert str(path) in str(caught.value)


def test_a_file_that_is_not_json_says_where(tmp_path: Path) -> None:
    path = tmp_path / "skills.json"
    path.write_text('{"skills": [\n"a",]}')
    with pytest.raises(ConfigError, match=r"not JSON: .* in line 2, column \d"):
        load_skills(path)


def test_a_file_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such skills file") as caught:
        load_skills(tmp_path / "none.json")
    assert "seedbed skills" in caught.value.hint
    with pytest.raises(ConfigError, match="cannot be read"):
        load_skills(tmp_path)
    (tmp_path / "latin.json").write_bytes('{"skills": ["café"]}'.encode("latin-1"))
    with pytest.raises(ConfigError, match="cannot be read"):
        load_skills(tmp_path / "latin.json")
