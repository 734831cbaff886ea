"""What runs together: nothing waits for ever, nothing is lost, no room is overfilled."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from seedbed.models.batching import Room, Waiting, batch, groups

LENGTHS = st.lists(st.integers(1, 1000), max_size=40)
ROOMS = st.builds(Room, rows=st.integers(1, 20), tokens=st.integers(1, 4000))


@given(lengths=LENGTHS, room=ROOMS)
def test_the_first_is_always_in_it_and_the_room_holds_it(lengths: list[int], room: Room) -> None:
    places = batch(lengths, room)
    assert bool(places) == bool(lengths)
    assert len(set(places)) == len(places)
    if places:
        assert 0 in places
        longest = max(lengths[place] for place in places)
        assert lengths[places[0]] == longest
        assert len(places) == 1 or room.holds(len(places), longest)


@given(lengths=LENGTHS, room=ROOMS, beside=st.integers(1, 20), longest=st.integers(1, 1000))
def test_what_joins_fits_beside_what_runs(
    lengths: list[int], room: Room, beside: int, longest: int
) -> None:
    places = batch(lengths, room, beside=beside, longest=longest)
    if places:
        assert 0 in places
        all_of_it = max(longest, *(lengths[place] for place in places))
        assert room.holds(beside + len(places), all_of_it)
    elif lengths:
        assert not room.holds(beside + 1, max(longest, lengths[0]))


def test_those_of_like_length_run_together() -> None:
    assert sorted(batch([50, 900, 52, 48, 910], Room(rows=3, tokens=10**6))) == [0, 2, 3]
    # Longer ones come along where there is room left.
    assert sorted(batch([50, 900, 52], Room(rows=3, tokens=10**6))) == [0, 1, 2]
    assert sorted(batch([50, 900, 52], Room(rows=3, tokens=200))) == [0, 2]


@given(lengths=LENGTHS, tokens=st.integers(1, 3000))
def test_groups_hold_everything_once_and_no_more_than_they_may(
    lengths: list[int], tokens: int
) -> None:
    made = groups(lengths, tokens=tokens)
    assert sorted(place for group in made for place in group) == list(range(len(lengths)))
    for group in made:
        longest = max(lengths[place] for place in group)
        assert len(group) == 1 or longest * len(group) <= tokens


@given(lengths=LENGTHS, room=ROOMS)
def test_all_that_waits_is_taken_in_the_end(lengths: list[int], room: Room) -> None:
    waiting: Waiting[tuple[int, int]] = Waiting(lambda item: item[1], lambda item: True)
    for item in enumerate(lengths):
        waiting.add(item)
    taken: list[tuple[int, int]] = []
    while part := waiting.take(room):
        taken += part
    assert sorted(taken) == list(enumerate(lengths))
    assert not waiting


def test_what_nobody_waits_for_is_not_taken() -> None:
    waiting: Waiting[int] = Waiting(lambda item: item, lambda item: item % 2 == 0)
    for item in range(1, 7):
        waiting.add(item)
    assert sorted(waiting.take(Room(rows=2, tokens=100))) == [2, 4]
    assert waiting.clear() == [6]
    assert waiting.clear() == []
