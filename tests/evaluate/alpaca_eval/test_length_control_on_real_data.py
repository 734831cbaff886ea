"""The published numbers of AlpacaEval 2, to the digit."""

from __future__ import annotations

import statistics
from dataclasses import asdict

import pytest
from tests.evaluate.shared_data import (
    GAMED,
    bootstrap_table,
    difficulties_of,
    difficulty,
    judged,
    leaderboard,
    needs_data,
    published_weights,
)

from seedbed.evaluate.alpaca_eval import LengthControlled, gamed_rows, length_controlled, win_rate
from seedbed.evaluate.alpaca_eval.length_control import GRID, bootstrap, from_weights, judged_rows

pytestmark = needs_data

COUNTS = ("n_wins", "n_wins_base", "n_draws")

UNPUBLISHED = "text_davinci_003"
"""Its annotations are shared, but the leaderboard has no row for it."""

OTHER_C = {
    "NullModel": 6,
    "Qwen-14B-Chat": 6,
    "alpaca-7b": 6,
    "alpaca-farm-ppo-human": 6,
    "falcon-40b-instruct": 6,
    "oasst-sft-llama-33b": 6,
    "phi-2-sft": 6,
    "vicuna-7b": 6,
    "vicuna-7b-v1.5": 6,
    "alpaca-7b_concise": 7,
    "alpaca-7b_verbose": 7,
    "oasst-sft-pythia-12b": 8,
    "ultralm-13b": 9,
    "wizardlm-13b": 9,
}
"""Where in the grid the C lies with which a row was published: at 5 (2.78) unless listed here."""


def fitted(model: str, *, by: str, C: float | None) -> LengthControlled:
    columns = judged()[model]
    return length_controlled(
        columns["preference"],
        columns["len_2"],
        columns["len_1"],
        difficulties_of(columns, by=by),
        gamed_rows(GAMED),
        C=C,
    )


def test_win_rates_and_errors_of_every_shared_model_are_the_published_ones() -> None:
    models = sorted(set(judged()) & set(leaderboard()))
    assert len(models) == 30
    assert set(judged()) - set(models) == {UNPUBLISHED}
    for model in models:
        found = asdict(win_rate(judged()[model]["preference"]))
        for name in ("win_rate", "standard_error", "discrete_win_rate", *COUNTS):
            assert found[name] == pytest.approx(leaderboard()[model][name], abs=1e-9), model


def test_fitted_lc_win_rates_are_the_published_ones() -> None:
    """By row, as officially: it matters for the five models of which rows are missing."""
    for model in sorted(set(judged()) & set(leaderboard())):
        published = leaderboard()[model]["length_controlled_winrate"]
        found = fitted(model, by="row", C=GRID[OTHER_C.get(model, 5)])
        assert found.length_controlled_winrate == pytest.approx(published, abs=1e-6), model
        if "lc_standard_error" in leaderboard()[model]:
            official = leaderboard()[model]["lc_standard_error"]
            assert found.lc_standard_error == pytest.approx(official, abs=1e-6), model


def test_cross_validation_comes_within_two_tenths_of_a_point() -> None:
    for model in sorted(set(judged()) & set(leaderboard())):
        found = fitted(model, by="row", C=None)
        published = leaderboard()[model]["length_controlled_winrate"]
        assert found.length_controlled_winrate == pytest.approx(published, abs=0.2), model


def test_the_published_weights_give_the_published_lc_win_rates() -> None:
    models = sorted(set(published_weights()) & set(leaderboard()))
    differences = {
        model: abs(
            from_weights(published_weights()[model], difficulty())
            - leaderboard()[model]["length_controlled_winrate"]
        )
        for model in models
    }
    exact = [model for model, difference in differences.items() if difference < 1e-6]
    assert len(models) == 199
    assert len(exact) == 189
    assert max(differences.values()) < 0.2
    skillmix = from_weights(published_weights()["Llama-3-8B-Instruct-SkillMix"], difficulty())
    assert skillmix == pytest.approx(42.76194893575222, abs=1e-7)


def test_joined_by_instruction_a_subset_is_not_scored_with_other_rows_difficulties() -> None:
    """Where rows are missing, the official join by row moves the result by points."""
    by_row = fitted("gpt35_turbo_instruct", by="row", C=GRID[5])
    by_instruction = fitted("gpt35_turbo_instruct", by="instruction_index", C=GRID[5])
    difference = by_instruction.length_controlled_winrate - by_row.length_controlled_winrate
    assert abs(difference) > 1


@pytest.mark.parametrize(
    ("model", "C", "draws"), [("NullModel", GRID[6], 200), ("alpaca-7b", GRID[6], 200)]
)
def test_the_bootstrap_shows_the_error_that_the_official_figure_hides(
    model: str, C: float, draws: int
) -> None:
    columns = judged()[model]
    rows = judged_rows(
        columns["preference"], columns["len_2"], columns["len_1"], difficulties_of(columns)
    )
    refits = bootstrap(rows, gamed_rows(GAMED), C=C, draws=draws)
    expected = bootstrap_table()[model]
    assert statistics.stdev(refits) == pytest.approx(expected["lc_se_boot"], rel=0.1)
    assert statistics.stdev(refits) > 2 * expected["lc_se_official"]
