"""What can go wrong between a client and a server, for tests: chosen by the prompt, not by chance.

A prompt that a fault falls to meets it at its first `attempts` requests and is answered then. So a
client that tries again gets through, and two servers with the same faults treat it alike.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from seedbed.errors import ConfigError
from seedbed.models.practice.trouble import check_share
from seedbed.streams import rng

_NO_KINDS = ("attempts", "hang_seconds", "retry_after")


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """Shares of the prompts; a prompt has one fault at most, so they add up to 1 at most.

    rate_limited, retry_later: a 429 without and with `Retry-After` (`retry_after` seconds).
    failed, not_found: a 500, a 404. hang: silence for `hang_seconds`. reset: the connection is cut.
    html: a page instead of JSON. truncated_json: half of the JSON, as if that were all.
    cut_off: the connection ends in the middle of the body.
    empty_choices, null_content, wrong_usage: JSON that is not what the protocol says.
    """

    rate_limited: float = 0.0
    retry_later: float = 0.0
    failed: float = 0.0
    not_found: float = 0.0
    hang: float = 0.0
    reset: float = 0.0
    html: float = 0.0
    truncated_json: float = 0.0
    cut_off: float = 0.0
    empty_choices: float = 0.0
    null_content: float = 0.0
    wrong_usage: float = 0.0
    attempts: int = 1
    hang_seconds: float = 3600.0
    retry_after: float = 1.0

    def __post_init__(self) -> None:
        shares = self.shares()
        for name, share in shares.items():
            check_share(f"faults.{name}", share)
        if sum(shares.values()) > 1 + 1e-9:
            raise ConfigError(
                f"faults: the shares add up to {sum(shares.values()):g}; expected 1 at most",
                hint="A prompt meets one kind of fault, so each needs prompts of its own.",
            )

    def shares(self) -> dict[str, float]:
        return {name: share for name, share in asdict(self).items() if name not in _NO_KINDS}

    def at(self, prompt: str, attempt: int) -> str:
        """The kind of fault that a prompt meets at an attempt (from 0); empty for none."""
        if attempt >= self.attempts:
            return ""
        point = rng("practice fault", prompt).random()
        for name, share in self.shares().items():
            if point < share:
                return name
            point -= share
        return ""
