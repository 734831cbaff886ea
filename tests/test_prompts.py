"""Prompts are strict on missing and on unused values."""

from __future__ import annotations

from pathlib import Path

import pytest

from seedbed.errors import ConfigError
from seedbed.prompts import load_prompts

RECIPE = "seedbed.recipes.skillmix"


def test_a_prompt_of_the_user_replaces_its_namesake_only(tmp_path: Path) -> None:
    (tmp_path / "critique.md").write_text("Be harsh.")
    shipped, prompts = load_prompts(RECIPE), load_prompts(RECIPE, tmp_path)
    assert prompts.fill("critique") == "Be harsh."
    assert prompts.fill("refine") == shipped.fill("refine")
    assert prompts.digest != shipped.digest


def test_a_missing_and_an_unknown_placeholder_name_the_file(tmp_path: Path) -> None:
    (tmp_path / "critique.md").write_text("Be $manner.")
    with pytest.raises(ConfigError, match=r"critique\.md: unknown placeholder \$manner"):
        load_prompts(RECIPE, tmp_path)
    (tmp_path / "critique.md").write_text("Be harsh.")
    (tmp_path / "topics.md").write_text("Name $count topics.")
    with pytest.raises(ConfigError, match=r"topics\.md: the placeholder \$known is missing"):
        load_prompts(RECIPE, tmp_path)


def test_a_value_without_a_placeholder_is_an_error() -> None:
    with pytest.raises(ConfigError, match=r"critique\.md: the placeholder \$manner is missing"):
        load_prompts(RECIPE).fill("critique", manner="harsh")


def test_a_stray_dollar_sign_says_how_to_write_one(tmp_path: Path) -> None:
    (tmp_path / "critique.md").write_text("It costs $5.")
    with pytest.raises(ConfigError) as caught:
        load_prompts(RECIPE, tmp_path).fill("critique")
    assert "$$" in caught.value.hint


def test_a_file_that_replaces_nothing_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "critic.md").write_text("Be harsh.")
    with pytest.raises(ConfigError, match=r"critic\.md: .* no prompt of this name") as caught:
        load_prompts(RECIPE, tmp_path)
    assert "critique" in caught.value.hint


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such folder"):
        load_prompts(RECIPE, tmp_path / "nowhere")


def test_model_text_with_dollar_signs_passes_through_unchanged() -> None:
    text = "costs $5, ${x} and $y"
    filled = load_prompts(RECIPE).fill("presence", skills="a", instruction=text, response=text)
    assert filled.count(text) == 2
