"""From a base model to a student that can be tuned."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

import torch
from huggingface_hub.constants import ENDPOINT, HF_HUB_OFFLINE
from torch.utils.checkpoint import checkpoint
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.modeling_layers import GradientCheckpointingLayer
from transformers.utils import logging as transformers_logging

from seedbed.errors import ConfigError
from seedbed.records import Drop, Example, Instruction
from seedbed.training.adapters import add_adapter
from seedbed.training.attention import NAME
from seedbed.training.encode import Encoder
from seedbed.training.precision import chosen, make_optimizer
from seedbed.training.settings import TrainSettings
from seedbed.training.sharding import check_shardable, shard
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
    # An adapter's own weights are fp32 in any case; the base below it is never changed.
    halved = precision == "pure_bf16" or (precision == "bf16" and settings.lora_rank > 0)
    dtype = torch.bfloat16 if halved else torch.float32
    model = load_model(base, dtype=dtype)
    model_class = type(model)
    if settings.lora_rank:
        add_adapter(model, settings)
    torch.nn.Module.to(model, device)
    world = world or World()
    if world.sharded:
        check_shardable(settings, precision)
        shard(model, precision=precision, world=world, device=device.type)
    if settings.checkpointing:
        _checkpoint_layers(model)
    return Student(
        base=str(base),
        base_dtype=dtype_of_files(base),
        model_class=model_class,
        model=model,
        tokenizer=tokenizer,
        template=template,
        end=_end(tokenizer, settings),
        settings=settings,
        optimizer=make_optimizer(model, settings, precision=precision),
        device=device,
        precision=precision,
        world=world,
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
        return load(str(base), local_files_only=offline(base))
    except (OSError, ValueError) as error:
        raise _not_found(base, error) from error


def load_model(base: str | Path, *, dtype: torch.dtype) -> PreTrainedModel:
    """The weights of a base model, with attention that keeps examples apart.

    Raises:
        ConfigError: they cannot be loaded.
    """
    load: Callable[..., PreTrainedModel] = AutoModelForCausalLM.from_pretrained
    try:
        with without_bars():
            return load(
                str(base), dtype=dtype, attn_implementation=NAME, local_files_only=offline(base)
            )
    except (OSError, ValueError) as error:
        raise _not_found(base, error) from error


def dtype_of_files(base: str | Path) -> torch.dtype:
    """In what numbers a base is stored, as its config says; fp32 where it does not.

    Raises:
        ConfigError: it cannot be loaded.
    """
    load: Callable[..., Any] = AutoConfig.from_pretrained
    try:
        found = load(str(base), local_files_only=offline(base)).dtype
    except (OSError, ValueError) as error:
        raise _not_found(base, error) from error
    return found if isinstance(found, torch.dtype) else torch.float32


def _end(tokenizer: PreTrainedTokenizerBase, settings: TrainSettings) -> int:
    """The token that ends a response: that of any example."""
    any_example = Example(instruction=Instruction(text="a"), response="b")
    found = Encoder(tokenizer, max(settings.max_length, 1024))(any_example)
    if isinstance(found, Drop):
        raise ConfigError(
            f"the tokenizer cannot take the simplest example: {found.reason} {found.evidence}"
        )
    return found.ids[-1]


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
def without_bars() -> Iterator[None]:
    """Weights come and go without a progress bar: who runs a loop shows its progress."""
    shown = transformers_logging.is_progress_bar_enabled()
    disable: Callable[[], object] = transformers_logging.disable_progress_bar
    enable: Callable[[], object] = transformers_logging.enable_progress_bar
    disable()
    try:
        yield
    finally:
        if shown:
            enable()


def offline(base: str | Path) -> bool:
    """Whether a base has to be here already, since it is a folder, or the hub is out of reach.

    Without this look the hub's client tries for about a minute before it says so.
    """
    if Path(base).is_dir() or HF_HUB_OFFLINE:
        return True
    if getproxies():  # then names may be resolved elsewhere
        return False
    try:
        socket.getaddrinfo(urlsplit(ENDPOINT).hostname, 443)
    except OSError:
        return True
    return False


def _not_found(base: str | Path, error: Exception) -> ConfigError:
    first = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return ConfigError(
        f"base model {str(base)!r} cannot be loaded: {first}",
        hint="Name a folder with config.json and weights, or a hub id (which needs the network "
        "or a copy in Hugging Face's cache).",
    )
