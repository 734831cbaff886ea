"""What a signal says beyond the length of the response and the phase of the training.

The mean token loss of a short answer has a larger gradient and varies more, and every norm drifts
with the learning rate and with what was already learned. Ranking by the raw signal therefore ranks
by length and by time (GraNd's and SeDi's norms alike). Within a window of steps both are close to
a straight line, which least squares takes out.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


def detrended(
    values: Sequence[float], *, lengths: Sequence[float], steps: Sequence[int], window: int
) -> list[float]:
    """The residuals of `values` on log length and step, fitted within each window of steps.

    Args:
        values: one signal of each example (or batch), in any order.
        lengths: its response tokens; at least 1 is assumed. For a batch, their mean.
        steps: the step that it was read at, which stands for the phase of the learning rate.
        window: how many consecutive steps share one fit, counted from the first step given: wide
            enough for some tens of values, short against the schedule.

    Returns:
        One residual per value, of mean zero within its window and in the unit of the signal. A
        window with too few values to fit a slope keeps what the mean and the known slopes leave:
        a single value becomes 0.

    Raises:
        ValueError: the three differ in length, or `window` is below 1.
    """
    if not len(values) == len(lengths) == len(steps):
        raise ValueError(f"{len(values)} values, {len(lengths)} lengths, {len(steps)} steps")
    if window < 1:
        raise ValueError(f"window {window}: expected at least 1")
    if not values:
        return []
    signal = np.asarray(values, dtype=np.float64)
    step = np.asarray(steps, dtype=np.float64)
    log_length = np.log(np.maximum(np.asarray(lengths, dtype=np.float64), 1.0))
    left = np.empty_like(signal)
    block = (step - step.min()) // window
    for number in np.unique(block):
        inside = block == number
        left[inside] = _residuals(signal[inside], log_length[inside], step[inside])
    return [float(value) for value in left]


def _residuals(signal: Values, log_length: Values, step: Values) -> Values:
    """Least squares on centred columns; a column that does not vary takes nothing away."""
    columns = [column - column.mean() for column in (log_length, step)]
    centred = signal - signal.mean()
    varying = [column for column in columns if column.std() > 1e-9]
    if len(signal) <= len(varying) + 1:
        varying = varying[: max(len(signal) - 2, 0)]
    if not varying:
        return np.asarray(centred)
    design = np.stack(varying, axis=1)
    slopes = np.linalg.lstsq(design, centred, rcond=None)[0]
    return np.asarray(centred - design @ slopes, dtype=np.float64)
