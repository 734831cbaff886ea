"""How a run goes on, from what it writes into its manifest every few seconds."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping

from seedbed.errors import ConfigError
from seedbed.folder import RunFolder
from seedbed.records import JSON

FRESH = 20.0
"""Seconds without a sign after which a run that says "running" counts as killed. It gives one
every five."""

WINDOW = 60.0
"""Rates are of the last so many seconds."""


class RunWatch:
    """Looks at a run's manifest, and remembers enough of it to tell a rate."""

    def __init__(self, folder: RunFolder, clock: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._clock = clock
        self._seen: deque[tuple[float, Mapping[str, JSON]]] = deque()
        self.manifest: Mapping[str, JSON] = {}
        self.problem = ""
        self.look()

    def look(self) -> None:
        """Read the manifest again. One that cannot be read leaves what was known, and a problem."""
        try:
            written = self._folder.manifest.stat().st_mtime
            manifest = self._folder.read_manifest()
        except (ConfigError, OSError) as error:
            self.problem = str(error)
            return
        self.problem, self.manifest = "", manifest
        last = self._seen[-1][0] if self._seen else 0.0
        if written < last:  # a copy, or another clock
            self._seen.clear()
        if written != last:
            self._seen.append((written, self._figures()))
        while len(self._seen) > 2 and self._seen[1][0] < written - WINDOW:
            self._seen.popleft()

    @property
    def live(self) -> bool:
        """Whether a process works on the run now, as far as one can tell without asking it."""
        return self.manifest.get("status") == "running" and self.silence < FRESH

    @property
    def silence(self) -> float:
        """Seconds since the manifest was last written."""
        return max(0.0, self._clock() - self._seen[-1][0]) if self._seen else 0.0

    def to_json(self) -> dict[str, JSON]:
        """What the page shows of the run: its manifest, how live it is, its rates per minute."""
        manifest = dict(self.manifest)
        return {
            "name": self._folder.path.resolve().name,
            "folder": str(self._folder.path),
            "manifest": manifest,
            "live": self.live,
            "cut_off": manifest.get("status") == "running" and not self.live,
            "silence": self.silence,
            "rates": self._rates(),
            "problem": self.problem,
        }

    def _figures(self) -> dict[str, float]:
        manifest = self.manifest
        progress = manifest.get("progress", {})
        return {
            "kept": progress.get("kept", 0),
            "dropped": progress.get("dropped", 0),
            "calls": progress.get("calls", 0),
            "paid": manifest["sessions"][-1]["paid"] if manifest["sessions"] else 0,
            "tokens": manifest["spend"]["tokens"],
            "dollars": manifest["spend"]["dollars"],
        }

    def _rates(self) -> dict[str, float] | None:
        """Per minute; None where two looks have not yet shown a difference in time."""
        if not self.live or len(self._seen) < 2:
            return None
        (start, before), (end, now) = self._seen[0], self._seen[-1]
        return {name: (now[name] - before[name]) / (end - start) * 60 for name in now}
