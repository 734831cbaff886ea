"""Three sets of values; the README has a table of what differs and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from seedbed.recipes.evol_instruct.params import (
    BROADEN,
    IN_DEPTH,
    NO_BOUND,
    PAPER_FORMATS,
    Elimination,
    Params,
)
from seedbed.records import Sampling

Preset = Literal["chat", "paper", "wizardlm"]

_PAPER_SAMPLING = Sampling(temperature=1.0, top_p=0.9, max_tokens=2048)
_CODE_SAMPLING = Sampling(temperature=1.0, top_p=0.95, max_tokens=2048)

_CHAT = Params()

_PAPER = Params(
    formats=PAPER_FORMATS,
    originals="keep",
    sampling=_PAPER_SAMPLING,
    answering=_PAPER_SAMPLING,
    joint="\n",
    repair=False,
    elimination=Elimination(
        equality=True,
        short_apology=80,
        no_content=True,
        leaked=True,
        unchanged=False,
        answered=False,
        self_talk=False,
        refusal=False,
        asks_back=False,
        truncated=False,
        duplicate=False,
        growth=NO_BOUND,
    ),
)

_WIZARDLM = Params(
    rounds=1,
    operations=(*IN_DEPTH, BROADEN),
    system="You are a helpful assistant.",
    sampling=_CODE_SAMPLING,
    answering=_CODE_SAMPLING,
    joint="\r\n",
    repair=False,
    elimination=Elimination(
        equality=False,
        short_apology=0,
        no_content=False,
        leaked=False,
        unchanged=False,
        answered=False,
        self_talk=False,
        refusal=False,
        asks_back=False,
        truncated=False,
        duplicate=False,
        growth=NO_BOUND,
    ),
)

PRESETS: Mapping[Preset, Params] = {"chat": _CHAT, "paper": _PAPER, "wizardlm": _WIZARDLM}
