"""The benchmark from a student's outputs to its result, in one call."""

from __future__ import annotations

from collections.abc import Mapping

from seedbed.evaluate.alpaca_eval.annotate import Protocol, annotate
from seedbed.evaluate.alpaca_eval.annotations import Annotated
from seedbed.evaluate.alpaca_eval.data import AlpacaEvalData
from seedbed.evaluate.alpaca_eval.scoring import Scoring, score
from seedbed.evaluate.judge import Judge
from seedbed.evaluate.measurement import Result
from seedbed.records import JSON


async def measure(
    outputs: Mapping[str, str],
    *,
    student: str,
    data: AlpacaEvalData,
    judge: Judge,
    protocol: Protocol,
    scoring: Scoring | None = None,
    settings: Mapping[str, JSON] | None = None,
    notes: tuple[str, ...] = (),
) -> tuple[Result, Annotated]:
    """Have outputs judged and score them.

    Args:
        outputs: the student's, by instruction (`data.instructions`).
        student: its name.
        judge: asked once per instruction, twice with `protocol.both_orders`.
        settings: of the generation (sampling, template, …), kept with those of the judging.
        notes: of the generation.

    Returns:
        The result, and the judged outputs: `Annotated.rows` is the official `annotations.json`,
        from which `seedbed eval alpaca_eval --annotations` gives the same numbers again.

    Raises:
        ModelError: the judge could not answer.
        DatasetError: none of its answers could be read.
    """
    annotated = await annotate(outputs, student=student, data=data, judge=judge, protocol=protocol)
    read = "text" if annotated.from_text else "log-probabilities"
    result = score(
        annotated,
        data,
        scoring=scoring,
        settings={**(settings or {}), **protocol.settings, "preferences_from": read},
        dollars=judge.dollars,
        notes=(*notes, *protocol.notes(), *judge.notes()),
    )
    return result, annotated
