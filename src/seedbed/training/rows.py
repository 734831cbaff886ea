"""Examples side by side in one row of tensors, without padding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import torch
from torch import Tensor

from seedbed.training.attention import Segments, segments_of
from seedbed.training.encode import Encoded


@dataclass(frozen=True, slots=True)
class Row:
    """The input of one forward pass: `positions` tokens, `trained` of which are targets.

    ids, places: [1, positions]; `places` restart at 0 with each example.
    kept: [trained], the positions whose next token is a target.
    targets: [trained], those next tokens.
    owners: [trained], to which example of the row each belongs.
    """

    ids: Tensor
    places: Tensor
    segments: Segments
    kept: Tensor
    targets: Tensor
    owners: Tensor


def lay_out(examples: Sequence[Encoded], *, device: torch.device) -> Row:
    """The examples in one row, in their order."""
    kept: list[int] = []
    targets: list[int] = []
    owners: list[int] = []
    base = 0
    for owner, example in enumerate(examples):
        for start, end in example.spans:
            kept.extend(range(base + start - 1, base + end - 1))
            targets.extend(example.ids[start:end])
            owners.extend([owner] * (end - start))
        base += len(example)
    lengths = [len(example) for example in examples]

    def tensor(numbers: list[int]) -> Tensor:
        return torch.tensor(numbers, dtype=torch.long, device=device)

    return Row(
        ids=tensor(list(chain.from_iterable(example.ids for example in examples)))[None],
        places=tensor(list(chain.from_iterable(range(length) for length in lengths)))[None],
        segments=segments_of(lengths, device=device),
        kept=tensor(kept),
        targets=tensor(targets),
        owners=tensor(owners),
    )
