"""In which numbers a student is tuned.

    name         weights         gradients  moments   bytes per parameter
    fp32         fp32            fp32       fp32      16
    bf16         fp32            fp32       fp32      16, computed in bf16 (autocast)
    bf16_split   bf16 + 16 bits  bf16       fp32      14, the same fp32 weights in two halves
    pure_bf16    bf16            bf16       bf16      8, and most small updates are lost

A bf16 number has 8 significant bits, so an update of less than about 1/500 of a weight does not
change it: at the learning rate 2e-5 most weights would never move. So bf16 alone is never chosen
for a user.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn import Module, Parameter

from seedbed.training.settings import Precision, TrainSettings

PURE_BF16 = (
    'precision = "pure_bf16": updates smaller than about 1/500 of a weight are lost, which at '
    "usual learning rates are most; bf16_split takes 14 bytes a parameter and loses none"
)

CHUNK = 2**24
"""Elements that the split update handles at once: it bounds what it needs beside the states."""


class Optimizer(Protocol):
    """What the loop asks of torch's optimizers, and of our own."""

    param_groups: list[dict[str, Any]]

    @property
    def state(self) -> MutableMapping[Any, Any]: ...

    def step(self) -> None: ...

    def zero_grad(self, set_to_none: bool = True) -> None: ...


def chosen(precision: Precision, device: torch.device) -> Precision:
    """What "auto" means on a device."""
    if precision != "auto":
        return precision
    return "bf16" if device.type == "cuda" and torch.cuda.is_bf16_supported() else "fp32"


def parameter_groups(model: Module, settings: TrainSettings) -> list[dict[str, Any]]:
    """The trainable parameters, those that do not decay apart."""
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    if settings.decayed == "all" or not settings.weight_decay:
        return [{"params": trained, "weight_decay": settings.weight_decay}]
    matrices = [parameter for parameter in trained if parameter.ndim > 1]
    others = [parameter for parameter in trained if parameter.ndim <= 1]
    groups = ((matrices, settings.weight_decay), (others, 0.0))
    return [{"params": found, "weight_decay": decay} for found, decay in groups if found]


def make_optimizer(model: Module, settings: TrainSettings, *, precision: Precision) -> Optimizer:
    """AdamW over what is trainable; `bf16_split` turns the model's weights to bf16 on the way."""
    groups = parameter_groups(model, settings)
    options: dict[str, Any] = {
        "lr": settings.learning_rate,
        "betas": settings.betas,
        "eps": settings.epsilon,
    }
    if precision == "bf16_split":
        return SplitAdamW(groups, lows=split(model.parameters()), **options)
    return torch.optim.AdamW(groups, fused=True, **options)


def split(parameters: Iterable[Parameter]) -> dict[Parameter, Tensor]:
    """Turn fp32 weights to bf16 in place; returned are the other 16 bits of each.

    The bf16 half is rounded to the nearest, so the other half is a signed difference.
    """
    lows = {}
    with torch.no_grad():
        for parameter in parameters:
            full = parameter.data.float()
            high, lows[parameter] = halves(full)
            parameter.data = high
    return lows


def halves(full: Tensor) -> tuple[Tensor, Tensor]:
    """fp32 as bf16 (nearest) and int16: together exactly the same number."""
    bits = full.view(torch.int32)
    high = (bits + 0x8000) >> 16
    return high.to(torch.int16).view(torch.bfloat16), (bits - (high << 16)).to(torch.int16)


def whole(high: Tensor, low: Tensor) -> Tensor:
    """The fp32 numbers of two halves."""
    return ((high.view(torch.int16).to(torch.int32) << 16) + low).view(torch.float32)


def local(tensor: Tensor) -> Tensor:
    """This process's part of a tensor that is sharded over several."""
    from torch.distributed.tensor import DTensor

    return tensor.to_local() if isinstance(tensor, DTensor) else tensor


class SplitAdamW:
    """AdamW on exact fp32 weights that are kept as the model's bf16 weight and 16 bits more.

    Numerically AdamW in fp32, except that gradients come in bf16. To be used like any optimizer
    of torch's.
    """

    def __init__(
        self,
        groups: list[dict[str, Any]],
        *,
        lows: Mapping[Parameter, Tensor],
        lr: float,
        betas: tuple[float, float],
        eps: float,
    ) -> None:
        self.param_groups = [{**group, "lr": lr, "betas": betas, "eps": eps} for group in groups]
        self.state: dict[Parameter, dict[str, Tensor]] = {}
        for group in self.param_groups:
            for parameter in group["params"]:
                self.state[parameter] = {
                    "step": torch.zeros(()),
                    "low": lows[parameter],
                    "exp_avg": torch.zeros_like(parameter, dtype=torch.float32),
                    "exp_avg_sq": torch.zeros_like(parameter, dtype=torch.float32),
                }

    @torch.no_grad()
    def step(self) -> None:
        """Move every parameter that has a gradient."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._move(parameter, parameter.grad, group)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients."""
        for group in self.param_groups:
            for parameter in group["params"]:
                parameter.grad = None if set_to_none else torch.zeros_like(parameter)

    def _move(self, parameter: Parameter, gradient: Tensor, group: dict[str, Any]) -> None:
        state = self.state[parameter]
        state["step"] += 1
        parts = (parameter.data, state["low"], gradient, state["exp_avg"], state["exp_avg_sq"])
        flat = [local(part).view(-1) for part in parts]
        for pieces in zip(*(torch.split(part, CHUNK) for part in flat), strict=True):
            _update(*pieces, step=float(state["step"]), group=group)


def _update(
    high: Tensor,
    low: Tensor,
    gradient: Tensor,
    mean: Tensor,
    square: Tensor,
    *,
    step: float,
    group: dict[str, Any],
) -> None:
    (first, second), rate = group["betas"], group["lr"]
    full, gradient = whole(high, low), gradient.float()
    full.mul_(1 - rate * group["weight_decay"])
    mean.lerp_(gradient, 1 - first)
    square.mul_(second).addcmul_(gradient, gradient, value=1 - second)
    spread = square.div(1 - second**step).sqrt_().add_(group["eps"])
    full.addcdiv_(mean, spread, value=-rate / (1 - first**step))
    new_high, new_low = halves(full)
    high.copy_(new_high)
    low.copy_(new_low)
