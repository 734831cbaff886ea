"""From a base model to a student that can be tuned."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch.utils.checkpoint import checkpoint
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.modeling_layers import GradientCheckpointingLayer
from transformers.utils import logging as transformers_logging

from seedbed.errors import ConfigError
from seedbed.training.attention import NAME
from seedbed.training.precision import chosen, make_optimizer
from seedbed.training.settings import TrainSettings
from seedbed.training.student import Student
from seedbed.training.templates import use_template
from seedbed.training.world import World


def open_student(
    base: str | Path,
    *,
    settings: TrainSettings,
    total: int | None = None,
    world: World | None = None,
) -> Student:
    """Load a base model for tuning.

    Args:
        base: a folder in Hugging Face's layout, or the id of a model on its hub.
        total: optimizer steps there will be; None where nobody knows.

    Raises:
        ConfigError: the base cannot be loaded, or its tokenizer does not fit the template.
    """
    device = find_device(settings.device)
    precision = chosen(settings.precision, device)
    tokenizer = load_tokenizer(base)
    template = use_template(tokenizer, settings.template)
    torch.manual_seed(settings.seed)
    dtype = torch.bfloat16 if precision == "pure_bf16" else torch.float32
    model = load_model(base, dtype=dtype)
    torch.nn.Module.to(model, device)
    if settings.checkpointing:
        _checkpoint_layers(model)
    fused = device.type == "cuda"
    return Student(
        base=str(base),
        model=model,
        tokenizer=tokenizer,
        template=template,
        settings=settings,
        optimizer=make_optimizer(model, settings, precision=precision, fused=fused),
        device=device,
        precision=precision,
        world=world or World(),
        total=total,
    )


def find_device(name: str) -> torch.device:
    """The device of a name; "auto" is CUDA where there is one, else the CPU.

    Raises:
        ConfigError: there is no such device.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        return torch.device(name)
    except RuntimeError as error:
        raise ConfigError(f"device = {name!r}: {error}") from None


def load_tokenizer(base: str | Path) -> PreTrainedTokenizerBase:
    """The tokenizer of a base model.

    Raises:
        ConfigError: it cannot be loaded.
    """
    load: Callable[..., PreTrainedTokenizerBase] = AutoTokenizer.from_pretrained
    try:
        return load(str(base))
    except (OSError, ValueError) as error:
        raise _not_found(base, error) from error


def load_model(base: str | Path, *, dtype: torch.dtype) -> PreTrainedModel:
    """The weights of a base model, with attention that keeps examples apart.

    Raises:
        ConfigError: they cannot be loaded.
    """
    load: Callable[..., PreTrainedModel] = AutoModelForCausalLM.from_pretrained
    try:
        with _without_bars():
            return load(str(base), dtype=dtype, attn_implementation=NAME)
    except (OSError, ValueError) as error:
        raise _not_found(base, error) from error


def _checkpoint_layers(model: PreTrainedModel) -> None:
    """Keep only each layer's input, and compute the rest again on the way back.

    Set on the layers themselves: the model's own method for it changed its name within 5.x.
    """
    recompute = partial(checkpoint, use_reentrant=False)
    layers: list[Any] = [m for m in model.modules() if isinstance(m, GradientCheckpointingLayer)]
    if not layers:
        raise ConfigError(
            "checkpointing = true: this architecture's layers cannot do it",
            hint="Leave it out, and choose smaller micro_tokens.",
        )
    for layer in layers:
        layer.gradient_checkpointing = True
        layer._gradient_checkpointing_func = recompute


@contextmanager
def _without_bars() -> Iterator[None]:
    """Weights come without a progress bar: who runs a loop shows its progress."""
    shown = transformers_logging.is_progress_bar_enabled()
    disable: Callable[[], object] = transformers_logging.disable_progress_bar
    enable: Callable[[], object] = transformers_logging.enable_progress_bar
    disable()
    try:
        yield
    finally:
        if shown:
            enable()


def _not_found(base: str | Path, error: Exception) -> ConfigError:
    first = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return ConfigError(
        f"base model {str(base)!r} cannot be loaded: {first}",
        hint="Name a folder with config.json and weights, or a hub id (which needs the network "
        "or a copy in Hugging Face's cache).",
    )
