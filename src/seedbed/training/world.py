"""The processes that tune one student together; one alone unless torchrun started more."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor

from seedbed.training.packing import share_out
from seedbed.training.settings import TrainSettings


@contextmanager
def joined(settings: TrainSettings) -> Iterator[World]:
    """The processes that torchrun started with this one; just this one without it.

    A process group that is there already is used, and left as it is.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield World()
        return
    if dist.is_initialized():
        yield World(dist.get_rank(), dist.get_world_size(), settings.parallel == "fsdp")
        return
    cuda = torch.cuda.is_available() and not settings.device.startswith("cpu")
    if cuda:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    dist.init_process_group("nccl" if cuda else "gloo")
    try:
        yield World(dist.get_rank(), dist.get_world_size(), settings.parallel == "fsdp")
    finally:
        dist.destroy_process_group()


def _device() -> torch.device:
    """Where this process's collectives work."""
    return torch.device("cuda" if dist.get_backend() == "nccl" else "cpu")


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

    def any(self, *flags: bool) -> list[bool]:
        """Whether each flag is up in any process; the same answer in all."""
        if self.size == 1:
            return list(flags)
        raised = torch.tensor(flags, dtype=torch.int32, device=_device())
        dist.all_reduce(raised, op=dist.ReduceOp.MAX)
        return [bool(flag) for flag in raised.tolist()]

    def wait(self) -> None:
        """Until all processes are here."""
        if self.size > 1:
            dist.barrier()
