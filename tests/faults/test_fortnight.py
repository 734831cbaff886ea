"""Two weeks against a provider's quotas, expiring bearers, outages and a suspended machine."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks.fortnight import Plan, claims, simulate


@pytest.mark.slow
def test_two_weeks_on_a_clock_that_jumps(tmp_path: Path) -> None:
    """A small `python benchmarks/fortnight.py`, in which every claim has to hold."""
    story = simulate(tmp_path, Plan(per_day=60, examples=275))
    assert [claim for claim in claims(story) if not claim.holds] == []
    assert len(story.days) == 14
    seen = {status for day in story.days for status in day.other}
    assert seen == {401, 503}, "the bearer expired, and the provider was down"
