"""LoRA (Hu et al. 2021), by `peft`: a small adapter is tuned and the base stays as it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors.torch import save_file
from torch import Tensor
from transformers import PreTrainedModel

from seedbed.errors import ConfigError
from seedbed.training.settings import TrainSettings

if TYPE_CHECKING:
    from peft import LoraConfig

_BASE = ".base_layer."


def add_adapter(model: PreTrainedModel, settings: TrainSettings) -> None:
    """Put an adapter in fp32 beside the linear layers, and let nothing else be tuned.

    Raises:
        ConfigError: `peft` is not installed, or no layer has one of the names.
    """
    try:
        from peft import inject_adapter_in_model
    except ImportError:
        raise ConfigError(
            "LoRA needs the package peft", hint="Install it: pip install 'seedbed[train]'"
        ) from None
    try:
        inject_adapter_in_model(_config(settings), model)
    except ValueError as error:
        raise ConfigError(f"LoRA: {error}", hint="Look at lora_targets.") from None
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()


def save_adapter(
    model: PreTrainedModel, folder: Path, *, base: str, settings: TrainSettings
) -> None:
    """The adapter by itself, as `peft.PeftModel.from_pretrained` loads it beside the base."""
    from peft import get_peft_model_state_dict

    folder.mkdir()
    config = _config(settings)
    config.base_model_name_or_path = base
    config.inference_mode = True
    config.save_pretrained(str(folder))
    found: dict[str, Tensor] = get_peft_model_state_dict(model)
    weights = {f"base_model.model.{name}": tensor.contiguous() for name, tensor in found.items()}
    save_file(weights, folder / "adapter_model.safetensors", metadata={"format": "pt"})


def _config(settings: TrainSettings) -> LoraConfig:
    from peft import LoraConfig

    return LoraConfig(
        r=settings.lora_rank,
        lora_alpha=settings.lora_alpha,
        lora_dropout=settings.lora_dropout,
        target_modules=list(settings.lora_targets) or "all-linear",
        task_type="CAUSAL_LM",
    )


def merged(model: PreTrainedModel) -> dict[str, Tensor]:
    """The model's weights with the adapter added to them, under the names of the base.

    The model itself is left as it is: adding and subtracting again would not give the same base.
    """
    deltas = dict(_deltas(model))
    weights = {}
    for name, tensor in model.state_dict().items():
        if ".lora_" in name:
            continue
        layer, _, kind = name.rpartition(_BASE)
        if layer and kind == "weight":
            tensor = tensor.float() + deltas[layer].float()
        weights[name.replace(_BASE, ".")] = tensor
    return weights


def _deltas(model: PreTrainedModel) -> Iterator[tuple[str, Tensor]]:
    from peft.tuners.lora import LoraLayer

    for name, module in model.named_modules():
        if isinstance(module, LoraLayer):
            layer: Any = module
            (adapter,) = layer.active_adapters
            yield name, layer.get_delta_weight(adapter)
