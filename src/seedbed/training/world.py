"""The processes that tune one student together; one alone unless torchrun started more."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor

from seedbed.training.packing import share_out


@dataclass(frozen=True, slots=True)
class World:
    """Which of how many processes this is. `sharded` says that they share the weights (FSDP)."""

    rank: int = 0
    size: int = 1
    sharded: bool = False

    @property
    def first(self) -> bool:
        """Whether this is the process that writes files."""
        return self.rank == 0

    def share(self, lengths: Sequence[int]) -> list[list[int]]:
        """Which examples each process takes: nearly equal tokens, the same answer on all."""
        return share_out(lengths, parts=self.size)

    def add(self, tensor: Tensor) -> Tensor:
        """Replace the tensor by its sum over all processes."""
        if self.size > 1:
            dist.all_reduce(tensor)
        return tensor

    def add_gradients(self, parameters: Iterable[torch.nn.Parameter]) -> None:
        """Sum the gradients of all processes; FSDP has done so on the way back."""
        if self.size == 1 or self.sharded:
            return
        waiting = []
        for parameter in parameters:
            if parameter.requires_grad:
                if parameter.grad is None:  # no micro-batch of this batch was here
                    parameter.grad = torch.zeros_like(parameter)
                waiting.append(dist.all_reduce(parameter.grad, async_op=True))
        for work in waiting:
            if work is not None:
                work.wait()

    def wait(self) -> None:
        """Until all processes are here."""
        if self.size > 1:
            dist.barrier()
