"""The state from which training goes on after a kill, at the very step.

It is written beside the older one and takes its place by the rename of one small file. The order
of examples and dropout follow from the seed and the step, so no generator's state is kept.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from shutil import rmtree
from time import monotonic
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from seedbed.errors import ConfigError, StorageError
from seedbed.files import write_text
from seedbed.records import JSON
from seedbed.training.precision import local
from seedbed.training.settings import TrainSettings
from seedbed.training.student import Student

_CURRENT = "current.json"


STATE_SHARE = 0.05
"""Saving the state takes at most this share of the time, however slow the disk is."""


class Saver:
    """When the state is saved: as the settings say, but never for most of the time."""

    def __init__(self, settings: TrainSettings) -> None:
        self._steps, self._seconds = settings.state_steps, settings.state_seconds
        self._wait = self._seconds
        self._last = monotonic()

    def due(self, step: int) -> bool:
        if self._steps and step % self._steps == 0:
            return True
        return self._seconds > 0 and monotonic() - self._last >= self._wait

    def save(self, student: Student, folder: Path, *, facts: dict[str, JSON]) -> None:
        start = monotonic()
        save_state(student, folder, facts=facts)
        self._last = monotonic()
        self._wait = max(self._seconds, (self._last - start) / STATE_SHARE)


def save_state(student: Student, folder: Path, *, facts: dict[str, JSON]) -> None:
    """Keep what is tuned, the optimizer, the step, and `facts`. All processes have to call this.

    Raises:
        StorageError: it cannot be written; the older state is as it was.
    """
    name = f"step-{student.steps:08d}"
    place = folder / name
    try:
        place.mkdir(parents=True, exist_ok=True)
        if student.world.first or student.world.sharded:
            path = place / f"rank-{student.world.rank}.safetensors"
            save_file({key: tensor.contiguous() for key, tensor in _tensors(student)}, path)
            with path.open("rb") as file:
                os.fsync(file.fileno())
    except OSError as error:
        raise StorageError(
            f"{place}: the state cannot be written: {error.strerror or error}",
            hint="It takes 12 to 16 bytes a parameter. Free some space, and run again.",
        ) from error
    student.world.wait()
    if student.world.first:
        content = {"state": name, "step": student.steps, "processes": student.world.size, **facts}
        write_text(folder / _CURRENT, json.dumps(content, ensure_ascii=False, indent=1) + "\n")
        for old in folder.glob("step-*"):
            if old.name != name:
                rmtree(old, ignore_errors=True)
    student.world.wait()


def load_state(student: Student, folder: Path) -> dict[str, Any] | None:
    """Bring the student to where it was; returned are the facts, None where there is no state.

    Raises:
        ConfigError: it was written by another number of processes, or cannot be read.
    """
    try:
        facts = json.loads((folder / _CURRENT).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise _unreadable(folder, error) from error
    if facts["processes"] != student.world.size and student.world.sharded:
        raise ConfigError(
            f"{folder}: written by {facts['processes']} processes, and this is one of "
            f"{student.world.size}",
            hint="With FSDP go on with as many processes as before, or begin in another folder.",
        )
    rank = student.world.rank if student.world.sharded else 0
    try:
        tensors = load_file(folder / facts["state"] / f"rank-{rank}.safetensors")
    except OSError as error:
        raise _unreadable(folder, error) from error
    _put(student, tensors)
    student.steps = int(facts["step"])
    return dict(facts)


def forget_state(folder: Path) -> None:
    """Remove the state: training is over, and it is large."""
    with suppress(OSError):
        (folder / _CURRENT).unlink(missing_ok=True)
        rmtree(folder)


def _tensors(student: Student) -> Iterator[tuple[str, Tensor]]:
    for name, parameter in student.model.named_parameters():
        if parameter.requires_grad:
            yield f"weight:{name}", local(parameter.data)
            for key, tensor in student.optimizer.state.get(parameter, {}).items():
                yield f"{key}:{name}", local(tensor)


@torch.no_grad()
def _put(student: Student, tensors: dict[str, Tensor]) -> None:
    """Overwrite weights and the optimizer's state; what had no state yet gets its own."""
    found: dict[str, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        kind, _, name = key.partition(":")
        found.setdefault(name, {})[kind] = tensor
    for name, parameter in student.model.named_parameters():
        if not parameter.requires_grad:
            continue
        kept = found[name]
        local(parameter.data).copy_(kept.pop("weight"))
        state = student.optimizer.state.setdefault(parameter, {})
        for kind, tensor in kept.items():
            if kind == "step":  # fused AdamW counts where the weights are
                state[kind] = tensor.to(parameter.device)
                continue
            dtype = tensor.dtype
            state[kind] = torch.zeros_like(parameter, dtype=dtype, requires_grad=False)
            local(state[kind]).copy_(tensor)


def _unreadable(folder: Path, error: Exception) -> ConfigError:
    return ConfigError(
        f"{folder}: the state cannot be read: {error}",
        hint="Remove this folder to begin at the first step; checkpoints are elsewhere.",
    )
