"""AlpacaEval 2.0: 805 instructions, judged against GPT-4's outputs, with lengths controlled."""

from seedbed.evaluate.alpaca_eval.gamed import gamed_rows
from seedbed.evaluate.alpaca_eval.length_control import LengthControlled, length_controlled
from seedbed.evaluate.alpaca_eval.win_rate import WinRate, win_rate

__all__ = ["LengthControlled", "WinRate", "gamed_rows", "length_controlled", "win_rate"]
