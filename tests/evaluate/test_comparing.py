"""Students compared: what is paired, what is refused, and what a reader is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.evaluate.alpaca_eval.made import annotation_rows, data

from seedbed.errors import ConfigError
from seedbed.evaluate.alpaca_eval import Annotated, Scoring, score
from seedbed.evaluate.alpaca_eval.comparing import compare_lc
from seedbed.evaluate.comparing import Comparison, compare
from seedbed.evaluate.measurement import Item, Measurement, Result
from seedbed.evaluate.plotting import figure, write_plot
from seedbed.evaluate.statistics import holm


def result(
    student: str,
    values: list[float],
    *,
    benchmark: str = "quiz",
    settings: dict[str, Any] | None = None,
    judge: str = "",
    chars: int = 100,
    tool: str = "seedbed 1",
) -> Result:
    """Two metrics that are means, and one that is none."""
    metrics = {"score": 1.0, "half": 0.5}
    measurements = [
        Measurement(
            benchmark=benchmark,
            metric=metric,
            value=factor * sum(values) / len(values),
            n=len(values),
            expected_n=len(values),
            student=student,
            judge=judge,
            tool=tool,
            settings=settings or {},
        )
        for metric, factor in metrics.items()
    ]
    measurements.append(replace(measurements[0], metric="weighted"))
    items = [
        Item(
            id=f"q{number}",
            scores={metric: factor * value for metric, factor in metrics.items()},
            chars=chars,
        )
        for number, value in enumerate(values)
    ]
    return Result(measurements=tuple(measurements), items=tuple(items))


GOOD = [7.0, 8, 6, 9, 7, 8, 9, 7, 6, 8]
BAD = [3.0, 4, 2, 4, 5, 3, 4, 4, 2, 3]


def test_every_two_students_are_compared_on_the_first_metric() -> None:
    found = compare(
        [[result("a", GOOD, chars=150)], [result("b", BAD)], [result("c", [*GOOD[:-1], 7.5])]]
    )
    names = [(pair.first.student, pair.second.student, pair.metric) for pair in found.pairs]
    assert names == [("a", "b", "score"), ("a", "c", "score"), ("b", "c", "score")]
    assert [pair.adjusted for pair in found.pairs] == holm([p.difference.p for p in found.pairs])
    first, second, third = (pair.verdict for pair in found.pairs)
    assert first.startswith("a is higher than b by 4.10")
    assert second.startswith("The data cannot tell a from c")
    assert third.startswith("c is higher than b")
    assert found.pairs[0].chars == 50
    assert found.notes == ()


def test_other_metrics_are_compared_when_they_are_asked_for() -> None:
    two = [[result("a", GOOD)], [result("b", BAD)]]
    every = compare(two, every=True)
    assert [pair.metric for pair in every.pairs] == ["score", "half"]
    assert every.untested == (("quiz", "weighted"),)
    (only,) = compare(two, metrics=["half"]).pairs
    assert only.metric == "half"
    assert only.difference.value == pytest.approx(2.05)
    with pytest.raises(ConfigError, match=r"nothing to compare: .* among unknown"):
        compare(two, metrics=["unknown"])
    with pytest.raises(ConfigError, match="nothing to compare"):
        compare([[result("a", GOOD)], [result("b", BAD, benchmark="other")]])


def test_a_part_that_both_have_is_compared_and_that_is_said() -> None:
    found = compare([[result("a", GOOD)], [result("b", BAD[:6])]])
    assert found.pairs[0].difference.n == 6
    assert found.notes == ("quiz.score: 6 items are compared; a has 10 and b 6.",)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"judge": "judge-2"}, "judge is judge-1 and judge-2"),
        ({"settings": {"judge_prompt": "y"}}, "judge_prompt is x and y"),
        ({"settings": {}}, "judge_prompt is x and not set"),
        ({"settings": {"judge_prompt": "x", "baseline": "z"}}, "baseline is not set and z"),
    ],
)
def test_scores_of_another_judging_are_refused_or_loud(
    change: dict[str, Any], complaint: str
) -> None:
    like: dict[str, Any] = {"judge": "judge-1", "settings": {"judge_prompt": "x"}}
    students = [[result("a", GOOD, **like)], [result("b", BAD, **(like | change))]]
    with pytest.raises(ConfigError, match=f"a and b were judged differently: {complaint}"):
        compare(students)
    (note,) = compare(students, anyway=True).notes
    assert note.startswith("WARNING: quiz: a and b differ in ")


def test_other_settings_are_a_warning_and_another_tool_a_note() -> None:
    students = [
        [result("a", GOOD, settings={"temperature": 0.9})],
        [result("b", BAD, settings={"temperature": 0.7}, tool="seedbed 2")],
    ]
    assert compare(students).notes == (
        "WARNING: quiz: a and b differ in temperature: 0.9 and 0.7.",
        "quiz: measured by seedbed 1 and by seedbed 2.",
    )


def longer(annotated: list[dict[str, Any]], *, share: float, chars: int) -> Annotated:
    """Judged rows with another preference and another length."""
    made = Annotated(student=f"student {share}", judge="judge-1", baseline="baseline-1")
    rng = np.random.default_rng(int(share * 100))
    for place, row in enumerate(annotated):
        preference = float(np.clip(1 + share + rng.normal(0, 0.05), 1, 2))
        made.add(place, preference, "x" * (chars + 3 * place), row["output_1"])
    return made


def test_lc_win_rates_are_compared_with_refits(tmp_path: Path) -> None:
    benchmark = data(tmp_path)
    rows = annotation_rows(benchmark)
    scoring = Scoring(draws=10, C=100.0)
    first, second, third = (
        score(longer(rows, share=share, chars=chars), benchmark, scoring=scoring)
        for share, chars in ((0.7, 300), (0.3, 90), (0.71, 280))
    )
    found = compare_lc(first, second, benchmark.gamed, draws=50)
    assert found.value > 20
    assert found.p == pytest.approx(1 / 51)
    assert found.low is not None
    assert 0 < found.low < found.value
    assert (found.n, found.test) == (40, "swap permutation with refits")
    back = compare_lc(second, first, benchmark.gamed, draws=50)
    assert back.value == pytest.approx(-found.value)
    same = compare_lc(first, third, benchmark.gamed, draws=50)
    assert abs(same.value) < 10
    itself = compare_lc(first, first, benchmark.gamed, draws=50)
    assert (itself.value, itself.p, itself.low, itself.high) == (0, 1, 0, 0)
    with pytest.raises(ConfigError, match="share 5 judged instructions"):
        compare_lc(first, replace(second, items=second.items[:5]), benchmark.gamed)


def comparison() -> Comparison:
    hostile = "<script>alert(1)</script>"
    return compare([[result(hostile, GOOD)], [result("b", BAD)], [result("c", GOOD)]])


def test_the_plot_shows_every_value_and_every_difference() -> None:
    traces = {trace.name: trace for trace in figure(comparison()).data}
    assert traces["b"].x == (pytest.approx(3.4),)
    assert traces["differ"].x == pytest.approx((4.1, -4.1))
    assert traces["the data cannot tell"].x == (0,)


def test_the_page_is_whole_and_shows_no_name_as_markup(tmp_path: Path) -> None:
    path = tmp_path / "compared.html"
    write_plot(comparison(), path)
    page = path.read_text()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; is higher than b" in page
    assert 'src="http' not in page
    with pytest.raises(ConfigError, match=r"ends in \.html|HTML page"):
        write_plot(comparison(), tmp_path / "compared.png")
