"""What a config may say, and what it is told when it says something else."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from importlib.resources import files
from pathlib import Path

import pytest

from seedbed.config import Config, parse_config, read_config
from seedbed.config_recipes import (
    EvolInstructTable,
    SelfInstructTable,
    SkillmixTable,
    SkillsTable,
)
from seedbed.config_steered import DirectedTable, SediTable
from seedbed.config_student import StudentTable
from seedbed.config_tables import (
    BudgetTable,
    DatasetTable,
    LocalTable,
    ModelTable,
    PriceTable,
    Table,
    TroubleTable,
)
from seedbed.errors import ConfigError
from seedbed.models.practice import Trouble
from seedbed.training.settings import SKILLMIX, TINY

TEMPLATE = (files("seedbed") / "template.toml").read_text(encoding="utf-8")

TEACHER = '[teacher]\nmodel = "practice"\n'
SERVER = '[teacher]\nmodel = "gpt"\n'


def wrong(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse_config(text, place="my.toml")
    for line in str(caught.value).splitlines():
        assert line.startswith("my.toml: ")
    return str(caught.value).replace("my.toml: ", "")


def test_a_teacher_is_all_that_a_config_needs() -> None:
    config = parse_config(TEACHER, place="x")
    assert (config.count, config.skillmix.k, config.skills.topics) == (None, 2, 45)
    assert config.teacher.in_process
    assert config.budget == BudgetTable(dollars=None, tokens=None, calls=None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "teacher: missing; it has to be given"),
        ("[teacher]\n", "[teacher] model: missing; it has to be given"),
        (TEACHER + "price = {input = 1}", "[teacher.price] output: missing; it has to be given"),
        (TEACHER + "[skills.dataset]\n", "[skills.dataset] path: missing; it has to be given"),
        (
            'recipe = "self_instruct"\n' + TEACHER + "[skillmix]\nk = 2",
            'recipe = "self_instruct": it does not use skillmix',
        ),
        # unknown keys and tables
        ("conut = 3\n" + TEACHER, "conut: unknown key; did you mean count?"),
        ("[skillmx]\nk = 2\n" + TEACHER, "skillmx: unknown key; did you mean skillmix?"),
        (TEACHER + "api_key = 'sk-1'", "[teacher] api_key: unknown key; did you mean api_key_env?"),
        (
            TEACHER + "trouble = {refusd = 0.1}",
            "[teacher.trouble] refusd: unknown key; did you mean refused?",
        ),
        (
            TEACHER + "[skills.dataset]\npath = 'a'\nsampel = 3",
            "[skills.dataset] sampel: unknown key; did you mean sample?",
        ),
        (
            TEACHER + "[judge]\nmodel = 'practice'\nmdel = 3",
            "[judge] mdel: unknown key; did you mean model?",
        ),
        (
            TEACHER + "[budget]\nzzz = 3",
            "[budget] zzz: unknown key; allowed here: dollars, tokens, calls",
        ),
        # known keys in the wrong table
        ("k = 3\n" + TEACHER, "k: unknown key; it belongs under [skillmix]"),
        (TEACHER + "count = 3", "[teacher] count: unknown key; it belongs above the first [table]"),
        (
            TEACHER + "temperature = 1",
            "[teacher] temperature: unknown key; it belongs under [skills] or under [skillmix]",
        ),
        # wrong types
        ("count = true\n" + TEACHER, "count = true: it should be a valid integer"),
        ("count = 1.0\n" + TEACHER, "count = 1.0: it should be a valid integer"),
        ('count = "3"\n' + TEACHER, 'count = "3": it should be a valid integer'),
        ("seed = false\n" + TEACHER, "seed = false: it should be a valid integer"),
        (TEACHER + "timeout = true", "[teacher] timeout = true: it should be a valid number"),
        (TEACHER + "json_schema = 1", "[teacher] json_schema = 1: it should be a valid boolean"),
        (TEACHER + "name = 3", "[teacher] name = 3: it should be a valid string"),
        ("teacher = 3", "teacher = 3: expected a table"),
        ("skills = []\n" + TEACHER, "skills = []: expected a table"),
        (TEACHER + "extra = 'a'", '[teacher] extra = "a": expected a table'),
        (TEACHER + "[skills]\ndataset = [1]", "[skills] dataset = [1]: expected a table"),
        (
            TEACHER + "[skillmix]\nk = 2024-01-01",
            '[skillmix] k = "2024-01-01": it should be a valid integer',
        ),
        # out of range
        ("count = 0\n" + TEACHER, "count = 0: it should be greater than or equal to 1"),
        ("seed = -1\n" + TEACHER, "seed = -1: it should be greater than or equal to 0"),
        (
            TEACHER + "[skillmix]\nk = 0",
            "[skillmix] k = 0: it should be greater than or equal to 1",
        ),
        (
            TEACHER + "[skillmix]\nk = 11",
            "[skillmix] k = 11: it should be less than or equal to 10",
        ),
        (
            TEACHER + "[skillmix]\nredraws = 100",
            "redraws = 100: it should be less than or equal to 99",
        ),
        (TEACHER + "[skillmix]\ntop_p = 0", "top_p = 0: it should be greater than 0"),
        (TEACHER + "[skills]\ntemperature = 2.1", "2.1: it should be less than or equal to 2"),
        (
            TEACHER + "[budget]\ndollars = -0.01",
            "dollars = -0.01: it should be greater than or equal to 0",
        ),
        (TEACHER + "trouble = {slow = 1.1}", "slow = 1.1: it should be less than or equal to 1"),
        (
            TEACHER + "max_in_flight = 0",
            "max_in_flight = 0: it should be greater than or equal to 1",
        ),
        (
            TEACHER + "requests_per_minute = 0",
            "requests_per_minute = 0: it should be greater than 0",
        ),
        ('[teacher]\nmodel = ""', '[teacher] model = "": it should have at least 1 character'),
        # numbers that are none
        (TEACHER + "timeout = nan", "[teacher] timeout = nan: it should be a finite number"),
        (TEACHER + "patience = inf", "[teacher] patience = inf: it should be a finite number"),
        (TEACHER + "requests_per_minute = inf", "inf: it should be a finite number"),
        (
            TEACHER + "price = {input = 1, output = inf}",
            "[teacher.price] output = inf: it should be a finite",
        ),
        (
            TEACHER + "[budget]\ndollars = nan",
            "[budget] dollars = nan: it should be a finite number",
        ),
        (
            TEACHER + "[skillmix]\ntemperature = nan",
            "temperature = nan: it should be a finite number",
        ),
        (
            TEACHER + "trouble = {failed = nan}",
            "[teacher.trouble] failed = nan: it should be a finite",
        ),
        # choices
        ("recipe = 'evol'\n" + TEACHER, "recipe = \"evol\": it should be 'skillmix'"),
        (
            TEACHER + "[skillmix]\nleaks = 'on'",
            "leaks = \"on\": it should be 'repair', 'drop' or 'off'",
        ),
        (
            TEACHER + "[skillmix]\nprofile = 3",
            "profile = 3: it should be 'three_turn' or 'five_turn'",
        ),
        (
            TEACHER + "[skills.dataset]\npath = 'a'\non_bad_line = 'go'",
            "[skills.dataset] on_bad_line = \"go\": it should be 'stop' or 'skip'",
        ),
        # combinations
        (
            TEACHER + "[skills]\npath = 'a'\ndataset = {path = 'b'}",
            "skills: path and dataset: give one of them, or neither to ask the teacher",
        ),
        (
            SERVER + "trouble = {refused = 0.1}",
            "teacher: trouble: only the built-in practice teacher",
        ),
        (
            TEACHER + "base_url = 'http://x/v1'\ntrouble = {refused = 0.1}",
            "teacher: trouble: only the built-in practice teacher",
        ),
        (
            SERVER + "local = { rows = 4 }",
            "teacher: local: only for a model that is started here",
        ),
        (
            "[teacher]\nmodel = 'hf/a'\nlocal = { context = 4 }",
            "teacher: local.context: says nothing to a model of hf/",
        ),
        (
            "[teacher]\nmodel = 'gguf/a'\nlocal = { options = ['-x'] }",
            "teacher: local.options: says nothing to a model of gguf/",
        ),
        (
            "[teacher]\nmodel = 'hf/a'\nlocal = { gpus = 2 }",
            "teacher: local.gpus: only for actors, or for vllm/; hf/ takes one",
        ),
        (
            SERVER + "base_url = 'localhost:8000'",
            "teacher: base_url = 'localhost:8000': expected http://",
        ),
        # not TOML
        ("x = [", "not TOML: "),
        (TEACHER + "model = 'twice'", "not TOML: "),
        ("count = " + "9" * 5000, "not TOML: "),
        ("x = " + "[" * 5000, "not TOML: "),
    ],
)
def test_an_impossible_value_is_named_with_what_is_allowed(text: str, message: str) -> None:
    assert message in wrong(text)


def test_all_problems_are_told_at_once() -> None:
    problems = wrong("conut = 1\n" + TEACHER + "[skillmix]\nk = 0\nprofile = 'x'\n").splitlines()
    assert len(problems) == 3


def test_a_long_value_is_shown_in_part() -> None:
    assert len(wrong(TEACHER + f"[skillmix]\nprofile = '{'x' * 5000}'")) < 200


@pytest.mark.parametrize("key", ["sk-proj-abc123-DEF", "0123abcd", "a" * 64, "a b"])
def test_a_key_in_place_of_a_variable_is_refused_and_never_shown(key: str) -> None:
    message = wrong(SERVER + f"api_key_env = '{key}'")
    assert "api_key_env: expected the name of an environment variable" in message
    assert key not in message


def test_whole_numbers_are_numbers() -> None:
    config = parse_config(TEACHER + "timeout = 10\n[skillmix]\ntemperature = 0", place="x")
    assert (config.teacher.timeout, config.skillmix.temperature) == (10.0, 0.0)


def test_the_key_variable_is_openais_only_for_openai() -> None:
    assert parse_config(SERVER, place="x").teacher.key_variable == "OPENAI_API_KEY"
    local = parse_config(SERVER + "base_url = 'http://127.0.0.1/v1'", place="x").teacher
    assert local.key_variable is None
    named = parse_config(SERVER + "api_key_env = 'MY_KEY'", place="x").teacher
    assert named.key_variable == "MY_KEY"
    none = parse_config(SERVER + "api_key_env = ''", place="x").teacher
    assert none.key_variable is None


def test_a_server_may_be_called_practice_too() -> None:
    server = parse_config(TEACHER + "base_url = 'http://127.0.0.1:8123/v1'", place="x").teacher
    assert not server.in_process


def test_a_config_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such config file") as caught:
        read_config(tmp_path / "none.toml")
    assert "seedbed init" in caught.value.hint
    with pytest.raises(ConfigError, match="a folder; expected a config file"):
        read_config(tmp_path)
    (tmp_path / "latin.toml").write_bytes("# é\n".encode("latin-1"))
    with pytest.raises(ConfigError, match="cannot be read"):
        read_config(tmp_path / "latin.toml")


def test_a_byte_order_mark_is_no_error(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_bytes(b"\xef\xbb\xbf" + TEACHER.encode())
    assert parse_config(read_config(path), place="x").teacher.model == "practice"


def test_the_template_is_a_config() -> None:
    config = parse_config(TEMPLATE, place="template")
    assert config.teacher.in_process
    assert config.skillmix == SkillmixTable()


@pytest.mark.parametrize(
    "table",
    [
        Config,
        ModelTable,
        TroubleTable,
        PriceTable,
        BudgetTable,
        SkillsTable,
        DatasetTable,
        SkillmixTable,
        SelfInstructTable,
        EvolInstructTable,
        LocalTable,
        SediTable,
        DirectedTable,
        StudentTable,
    ],
)
def test_the_template_explains_every_key(table: type[Table]) -> None:
    """As `seedbed init` promises in the hint of every config error."""
    for key in table.model_fields:
        as_key = rf"^(?:# *)?{key} *=|[{{,(] *{key} *="
        as_table = rf"^(?:# *)?\[(?:\w+\.)?{key}\]"
        assert re.search(f"{as_key}|{as_table}", TEMPLATE, re.MULTILINE), f"{table.__name__}.{key}"


OTHERS = ("self_instruct", "evol_instruct", "sedi", "directed")


def test_what_the_template_offers_is_accepted_where_it_stands() -> None:
    """Each key in a comment, put alone under the table that it stands in."""
    needed = {"skills.dataset": "path = 'a'", "teacher": "model = 'gpt'", "judge": "model = 'gpt'"}
    table, offered = "", 0
    for line in TEMPLATE.splitlines():
        if line.startswith("# Other recipes"):
            table = ""
        elif header := re.match(r"(?:# *)?\[([\w.]+)\]", line):
            table = header[1]
        elif entry := re.match(r"# (\w+) = ", line):
            offered += 1
            recipe = {"seeds": "self_instruct"}.get(entry[1], table)
            lines = [f'recipe = "{recipe}"'] if recipe in OTHERS else []
            lines += [f"[{table}]"] if table else []
            lines += [line[2:]]
            if not needed.get(table, f"{entry[1]} =").startswith(f"{entry[1]} ="):
                lines += [needed[table]]
            teacher = "" if table == "teacher" else f"\n{TEACHER}"
            if table == "teacher.local":
                teacher = teacher.replace("practice", "vllm/folder")
            parse_config("\n".join(lines) + teacher, place=line)
    assert offered > 40


def test_the_dials_of_trouble_are_the_practice_teachers() -> None:
    dials = {field.name: field.default for field in fields(Trouble)}
    assert TroubleTable().model_dump() == dials
    Trouble(**TroubleTable(duplicate=0.5).model_dump())


def test_a_student_is_a_preset_and_what_differs_from_it() -> None:
    text = '[teacher]\nmodel = "practice"\n[student]\nbase = "some/model"\nepochs = 2\n'
    student = parse_config(text, place="x").student
    assert student.settings == replace(SKILLMIX, epochs=2)
    assert parse_config('[teacher]\nmodel = "practice"\n', place="x").student.settings == TINY


def test_a_student_of_an_impossible_kind_is_refused() -> None:
    text = '[teacher]\nmodel = "practice"\n[student]\nlora_rank = 8\nprecision = "bf16_split"\n'
    with pytest.raises(ConfigError, match=r"\[student\].*LoRA|student: .*LoRA"):
        parse_config(text, place="x")
