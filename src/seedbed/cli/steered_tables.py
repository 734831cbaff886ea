"""What `seedbed show` tells of a run that training steers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from seedbed.cli.tables import columns, visible
from seedbed.records import JSON

MOST = 12
"""Arms that are shown: those that are drawn most."""


def steering_story(manifest: Mapping[str, JSON]) -> str:
    """Batches beside random ones, signals, seeds, shares, the price of an example; or nothing."""
    parts = list(_sedi(manifest["steering"])) if "steering" in manifest else []
    parts += list(_directed(manifest["directing"])) if "directing" in manifest else []
    return "\n\n".join(parts)


def _sedi(story: Mapping[str, JSON]) -> Iterator[str]:
    seeds = story["seeds"]
    yield (
        f"  {story['batches']:,} batches in {story['windows']:,} windows; seeds: "
        f"{seeds['at_the_start']:,} at the start, {seeds['added']:,} added, "
        f"{seeds['retired']:,} retired, {seeds['now']:,} now"
    )
    if story["diversity"]:
        ours, random = story["diversity"]["batches"], story["diversity"]["random_batches"]
        names = {"similarity": "mean similarity", "vendi": "Vendi score", "entropy": "evenness"}
        measures = [
            (said, f"{ours[name]:.4f}", f"{random[name]:.4f}") for name, said in names.items()
        ]
        yield columns(measures, head=("diversity of a batch", "drawn", "at random"))
    if story["signals"]:
        rows = [
            (visible(name), f"{found['first']:.4g}", f"{found['last']:.4g}", f"{found['mean']:.4g}")
            for name, found in story["signals"].items()
        ]
        yield columns(rows, head=("signal", "first batches", "last batches", "mean"))
    yield from _price(story["per_example_kept"])


def _directed(story: Mapping[str, JSON]) -> Iterator[str]:
    arms = sorted(story["arms"].items(), key=lambda item: (-item[1]["share"], item[0]))
    rows = [
        (
            visible(arm),
            f"{found['share']:.1%}",
            *map(_loss, (found["first_loss"], found["last_loss"])),
        )
        for arm, found in arms[:MOST]
    ]
    left = f", of {len(arms)} those drawn most" if len(arms) > MOST else ""
    yield f"  {story['rounds']:,} rounds; what the last one was drawn by{left}:"
    if rows:
        yield columns(rows, head=("", "share", "held-out loss at first", "at last"))
    yield from _price(story["per_example_kept"])


def _loss(loss: float | None) -> str:
    return "–" if loss is None else f"{loss:.3f}"


def _price(per_kept: Mapping[str, JSON]) -> Iterator[str]:
    if per_kept:
        dollars = per_kept["dollars"]
        paid = "" if dollars is None else f", ${dollars:.6f}"
        calls, tokens = per_kept["calls"], per_kept["tokens"]
        yield f"  an example kept took {calls:.2f} calls, {tokens:,.0f} tokens{paid}"
