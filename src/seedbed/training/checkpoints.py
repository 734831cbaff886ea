"""Checkpoints: plain Hugging Face folders, with a note of where they come from."""

from __future__ import annotations

import json
from contextlib import suppress
from copy import deepcopy
from importlib.metadata import version
from pathlib import Path
from secrets import token_hex
from shutil import rmtree
from typing import Any

import torch
from torch import Tensor
from transformers import GenerationConfig

from seedbed.errors import StorageError
from seedbed.files import write_text
from seedbed.training.adapters import merged, save_adapter
from seedbed.training.opening import without_bars
from seedbed.training.precision import SplitAdamW, whole
from seedbed.training.student import Student

NOTE = "seedbed_checkpoint.json"

_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


def save_checkpoint(
    student: Student, folder: Path, *, epoch: int, held_out_loss: float | None
) -> None:
    """Write the student as it is, whole or not at all; an older checkpoint there is replaced.

    With LoRA the weights are those with the adapter merged into them, so the folder loads like
    any other; the adapter by itself is in `adapter/`. All processes have to call this.

    Raises:
        StorageError: it cannot be written.
    """
    weights = weights_of(student)
    if not student.world.first:
        return
    temporary = folder.with_name(f".{folder.name}.{token_hex(4)}.tmp")
    try:
        temporary.mkdir(parents=True)
        _write_model(student, weights, temporary)
        student.tokenizer.save_pretrained(temporary)
        if student.settings.lora_rank:
            adapter = temporary / "adapter"
            save_adapter(student.model, adapter, base=student.base, settings=student.settings)
        note = _note(student, epoch=epoch, held_out_loss=held_out_loss)
        write_text(temporary / NOTE, json.dumps(note, ensure_ascii=False, indent=1) + "\n")
        if folder.exists():
            rmtree(folder)
        temporary.rename(folder)
    except OSError as error:
        raise StorageError(
            f"{folder}: the checkpoint cannot be written: {error.strerror or error}",
            hint='Look after the disk; `keep = "best"` keeps one checkpoint only.',
        ) from error
    finally:
        with suppress(OSError):
            rmtree(temporary)


def weights_of(student: Student) -> dict[str, Tensor]:
    """All weights in the dtype in which they are saved. All processes have to call this."""
    if student.world.sharded:
        found = _gathered(student)
    elif student.settings.lora_rank:
        found = merged(student.model)
    else:
        found = dict(student.model.state_dict())
    if isinstance(student.optimizer, SplitAdamW):
        names = dict(student.model.named_parameters())
        for name, parameter in names.items():
            state = student.optimizer.state.get(parameter)
            if state is not None:
                found[name] = whole(parameter.data, state["low"])
    dtype = _DTYPES.get(student.settings.saved_dtype, student.base_dtype)
    return {
        name: tensor.detach().to(dtype) if tensor.is_floating_point() else tensor.detach()
        for name, tensor in found.items()
    }


def _gathered(student: Student) -> dict[str, Tensor]:
    """The whole weights of a model that FSDP has spread, on the first process's CPU."""
    from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict

    options = StateDictOptions(full_state_dict=True, cpu_offload=True)
    found: dict[str, Any] = get_model_state_dict(student.model, options=options)
    return found


def _write_model(student: Student, weights: dict[str, Tensor], folder: Path) -> None:
    """Config, generation config and weights, by way of an empty twin of the model.

    The twin has neither adapters nor shards nor our attention; its tokens that end a text are the
    base's and the template's, so that whoever generates from the folder stops where it should.
    """
    dtype = next(tensor.dtype for tensor in weights.values() if tensor.is_floating_point())
    config = deepcopy(student.model.config)
    build: Any = student.model_class
    with torch.device("meta"):
        twin = build._from_config(config, dtype=dtype, attn_implementation="sdpa")
    ends = {student.end, *_numbers(student.model.generation_config)}
    describe: Any = GenerationConfig
    twin.generation_config = describe(
        eos_token_id=sorted(ends),
        bos_token_id=student.tokenizer.bos_token_id,
        pad_token_id=student.tokenizer.pad_token_id,
    )
    with without_bars():
        twin.save_pretrained(folder, state_dict=weights)


def _numbers(config: GenerationConfig | None) -> list[int]:
    found = config.eos_token_id if config is not None else None
    return [found] if isinstance(found, int) else list(found or ())


def _note(student: Student, *, epoch: int, held_out_loss: float | None) -> dict[str, Any]:
    return {
        "seedbed": version("seedbed"),
        "base": student.base,
        "template": {"name": student.template.name, "digest": student.template.digest},
        "settings": student.settings.to_json(),
        "epoch": epoch,
        "step": student.steps,
        "held_out_loss": held_out_loss,
    }
