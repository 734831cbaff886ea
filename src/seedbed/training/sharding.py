"""Weights, gradients and optimizer spread over all processes: PyTorch's FSDP2."""

from __future__ import annotations

import torch
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard
from transformers import PreTrainedModel
from transformers.modeling_layers import GradientCheckpointingLayer

from seedbed.errors import ConfigError
from seedbed.training.settings import Precision, TrainSettings
from seedbed.training.world import World


def shard(model: PreTrainedModel, *, precision: Precision, world: World, device: str) -> None:
    """Spread each layer over the processes, and what is outside of layers as one more.

    In bf16 the fp32 weights travel, and compute, as bf16; gradients are summed in fp32.
    """
    mesh = init_device_mesh(device, (world.size,))
    half = torch.bfloat16 if precision == "bf16" else None
    policy = MixedPrecisionPolicy(param_dtype=half, reduce_dtype=torch.float32)
    for layer in [m for m in model.modules() if isinstance(m, GradientCheckpointingLayer)]:
        fully_shard(layer, mesh=mesh, mp_policy=policy)
    fully_shard(model, mesh=mesh, mp_policy=policy)


def check_shardable(settings: TrainSettings, precision: Precision) -> None:
    """What FSDP is tried with here.

    Raises:
        ConfigError: these settings are not.
    """
    if settings.lora_rank or precision not in ("fp32", "bf16"):
        what = "LoRA" if settings.lora_rank else f'precision = "{precision}"'
        raise ConfigError(
            f'parallel = "fsdp" with {what}: not supported',
            hint='Use parallel = "ddp", or all weights in fp32 or bf16 with fsdp.',
        )
