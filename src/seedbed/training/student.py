"""A student that is being tuned: its model, tokenizer, template and optimizer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

import torch
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from seedbed.records import Example
from seedbed.training.encode import Encoder, Encoding, encode
from seedbed.training.packing import pack
from seedbed.training.precision import Optimizer
from seedbed.training.settings import Precision, TrainSettings
from seedbed.training.templates import Template
from seedbed.training.world import World


@dataclass(slots=True, kw_only=True)
class Student:
    """What a step of training works on.

    `base` is the path or hub id that it started from, `base_dtype` what its files hold, `end` the
    token that ends a response. `steps` counts the steps that were made; `total` is how many there
    will be, None where data comes while training goes on.
    """

    base: str
    base_dtype: torch.dtype
    model_class: type[PreTrainedModel]
    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    template: Template
    end: int
    settings: TrainSettings
    optimizer: Optimizer
    device: torch.device
    precision: Precision
    world: World = field(default_factory=World)
    steps: int = 0
    total: int | None = None

    def encode(self, examples: Iterable[Example]) -> Encoding:
        """Examples in this student's tokens."""
        return encode(Encoder(self.tokenizer, self.max_length), examples)

    @property
    def max_length(self) -> int:
        """The settings' length, or what the model has positions for where that is less."""
        known = self.model.config.to_dict()
        positions = known.get("max_position_embeddings") or known.get("n_positions")
        return min(self.settings.max_length, positions or self.settings.max_length)

    @property
    def head(self) -> torch.nn.Module:
        """The layer from hidden states to logits."""
        find: Callable[[], torch.nn.Module] = self.model.get_output_embeddings
        return find()

    @property
    def head_weight(self) -> Tensor:
        """[vocabulary, hidden]."""
        return torch.as_tensor(self.head.weight)

    def autocast(self) -> AbstractContextManager[object]:
        """The precision of a forward pass."""
        enabled = self.precision == "bf16"
        return torch.autocast(self.device.type, torch.bfloat16, enabled=enabled)

    @property
    def _room(self) -> int:
        """Tokens of a forward pass."""
        return self.settings.micro_tokens or (1024 if self.device.type == "cpu" else 4096)

    def groups(self, lengths: Sequence[int]) -> list[list[int]]:
        """This process's micro-batches of a batch, as indices.

        With FSDP all processes make as many passes as the busiest: empty groups fill up.
        """
        shares = self.world.share(lengths)
        packed = [
            [
                [share[place] for place in group]
                for group in pack([lengths[index] for index in share], room=self._room)
            ]
            for share in shares
        ]
        mine = packed[self.world.rank]
        if self.world.sharded:
            mine += [[] for _ in range(max(map(len, packed)) - len(mine))]
        return mine
