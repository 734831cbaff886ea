"""What training says of a batch and of each of its examples.

    signals     what each signal is, one function each
    head        those that only need what the head saw
    reader      one training step with its signals
    detrend     a signal without what length and phase explain

Imports nothing heavy: a config has to know the names.
"""

from __future__ import annotations

from collections.abc import Sequence

from seedbed.errors import ConfigError

FREE = ("loss", "progress", "grad_norm")
"""What a step says anyway."""

CHEAP = (*FREE, "momentum_cosine", "effective_rank", "head_grad_norm", "head_effective_rank", "ifd")
"""What needs no forward pass of its own; `ifd` needs one, but only in an example's first epoch."""

NAMES = (*CHEAP, "loss_drop", "reference_loss", "reference_drop")
"""All signals; the docstrings of `signals` and `head` say what each means."""


def known_signals(names: Sequence[str]) -> tuple[str, ...]:
    """The names in the order of `NAMES`, each once.

    Raises:
        ConfigError: there is no such signal.
    """
    for name in names:
        if name not in NAMES:
            raise ConfigError(
                f"signal {name!r}: there is no such one", hint=f"There are: {', '.join(NAMES)}."
            )
    return tuple(name for name in NAMES if name in names)
