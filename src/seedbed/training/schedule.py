"""The learning rate of each step."""

from __future__ import annotations

from math import ceil, cos, pi

from seedbed.errors import ConfigError
from seedbed.training.settings import TrainSettings


def learning_rate(settings: TrainSettings, step: int, *, total: int | None) -> float:
    """The rate of a step, counted from 0, of `total` steps.

    As in Hugging Face's schedules: the first step of a warm-up has the rate 0, and the rate would
    reach 0 one step after the last. A constant rate needs no `total`, if its warm-up is in steps.

    Raises:
        ConfigError: the schedule needs to know how many steps there are.
    """
    warm = warmup_steps(settings, total=total)
    if step < warm:
        return settings.learning_rate * step / warm
    if settings.schedule == "constant":
        return settings.learning_rate
    if total is None:
        raise ConfigError(
            f'schedule = "{settings.schedule}": it ends at a last step, and none is known',
            hint='Where data comes while training goes on, use schedule = "constant".',
        )
    progress = min((step - warm) / max(total - warm, 1), 1.0)
    share = 0.5 * (1 + cos(pi * progress)) if settings.schedule == "cosine" else 1 - progress
    return settings.learning_rate * share


def warmup_steps(settings: TrainSettings, *, total: int | None) -> int:
    """Steps in which the rate rises.

    Raises:
        ConfigError: it is a share of all steps, and their number is not known.
    """
    if settings.warmup >= 1 or not settings.warmup:
        return int(settings.warmup)
    if total is None:
        raise ConfigError(
            f"warmup = {settings.warmup}: a share of all steps, and their number is not known",
            hint="Give it in steps, e.g. warmup = 20.",
        )
    return ceil(settings.warmup * total)
