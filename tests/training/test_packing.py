"""Batches are what they are called, and packing loses nothing."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from seedbed.training.packing import batches, epoch_order, pack, share_out

LENGTHS = st.lists(st.integers(1, 60), max_size=80)


@given(LENGTHS, st.integers(1, 100))
def test_every_example_is_in_one_group_and_no_group_is_too_full(
    lengths: list[int], room: int
) -> None:
    groups = pack(lengths, room=room)
    assert sorted(index for group in groups for index in group) == list(range(len(lengths)))
    for group in groups:
        assert len(group) == 1 or sum(lengths[index] for index in group) <= room


def test_packing_leaves_little_room() -> None:
    rng = Random(0)
    lengths = [rng.randint(20, 900) for _ in range(64)]
    assert len(pack(lengths, room=4096)) == -(-sum(lengths) // 4096)


@given(LENGTHS, st.integers(1, 5))
def test_shares_are_of_nearly_the_same_size(lengths: list[int], parts: int) -> None:
    shares = share_out(lengths, parts=parts)
    assert sorted(index for share in shares for index in share) == list(range(len(lengths)))
    totals = [sum(lengths[index] for index in share) for share in shares]
    assert max(totals) - min(totals) <= max(lengths, default=0)


def test_each_epoch_has_its_own_order_and_a_seed_its_own_orders() -> None:
    orders = {tuple(epoch_order(30, seed=seed, epoch=epoch)) for seed in (1, 2) for epoch in (1, 2)}
    assert len(orders) == 4
    assert all(sorted(order) == list(range(30)) for order in orders)
    assert epoch_order(30, seed=1, epoch=2) == epoch_order(30, seed=1, epoch=2)


def test_batches_hold_exactly_as_many_examples_as_asked() -> None:
    order = range(10)
    assert [list(b) for b in batches(order, size=4, drop_last=False)] == [
        [0, 1, 2, 3], [4, 5, 6, 7], [8, 9],
    ]  # fmt: skip
    assert [len(b) for b in batches(order, size=4, drop_last=True)] == [4, 4]
    assert [len(b) for b in batches(order, size=64, drop_last=True)] == [10]
