"""AlpacaEval 2.0: 805 instructions, judged against GPT-4's outputs, with lengths controlled.

    data = load_data(folder)
    result, annotated = await measure(
        outputs, student="…", data=data, judge=Judge(model), protocol=Protocol(prompt=load_prompt())
    )

`length_controlled` gives the win rates of arrays, `read_annotations` and `score` those of a file of
stored judgments; neither asks anybody.
"""

from seedbed.evaluate.alpaca_eval.annotate import Protocol, annotate, forecast
from seedbed.evaluate.alpaca_eval.annotations import Annotated, read_annotations
from seedbed.evaluate.alpaca_eval.data import AlpacaEvalData, load_data
from seedbed.evaluate.alpaca_eval.gamed import GamedRows, gamed_rows
from seedbed.evaluate.alpaca_eval.length_control import LengthControlled, length_controlled
from seedbed.evaluate.alpaca_eval.measure import measure
from seedbed.evaluate.alpaca_eval.protocol import JudgePrompt, load_prompt
from seedbed.evaluate.alpaca_eval.scoring import Scoring, score
from seedbed.evaluate.alpaca_eval.win_rate import WinRate, win_rate

__all__ = [
    "AlpacaEvalData",
    "Annotated",
    "GamedRows",
    "JudgePrompt",
    "LengthControlled",
    "Protocol",
    "Scoring",
    "WinRate",
    "annotate",
    "forecast",
    "gamed_rows",
    "length_controlled",
    "load_data",
    "load_prompt",
    "measure",
    "read_annotations",
    "score",
    "win_rate",
]
