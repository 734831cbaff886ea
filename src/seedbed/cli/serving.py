"""`seedbed serve-practice`: the practice teacher as an OpenAI-compatible local server."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable
from typing import Any

from seedbed.errors import ConfigError


def run(options: argparse.Namespace) -> None:
    """Serve until Ctrl-C.

    Raises:
        ConfigError: an unknown dial, or the key is not in the environment.
    """
    from seedbed.models.practice import Trouble
    from seedbed.models.practice.faults import Faults
    from seedbed.models.practice.server import RunningServer, ServerOptions, serve

    def announce(running: RunningServer) -> None:
        print(f"practice teacher at {running.base_url} (Ctrl-C ends it)", flush=True)
        print(f'  [teacher]\n  model = "practice"\n  base_url = "{running.base_url}"')

    serve(
        options.host,
        options.port,
        options=ServerOptions(
            trouble=Trouble(**_numbers("--trouble", options.trouble, Trouble.__annotations__)),
            faults=Faults(**_numbers("--fault", options.fault, Faults.__annotations__)),
            seed=options.seed,
            api_key=_key(options.api_key_env),
            requests_per_minute=options.requests_per_minute,
            max_in_flight=options.max_in_flight,
        ),
        announce=announce,
    )


def _numbers(option: str, given: list[str], known: Iterable[str]) -> dict[str, Any]:
    """KIND=NUMBER pairs of an option.

    Raises:
        ConfigError: an unknown kind, or no number.
    """
    found: dict[str, Any] = {}
    for text in given:
        kind, _, number = text.partition("=")
        if kind not in known:
            raise ConfigError(
                f"{option} {text}: unknown kind {kind!r}", hint=f"There are: {', '.join(known)}."
            )
        try:
            found[kind] = int(number) if kind == "attempts" else float(number)
        except ValueError:
            raise ConfigError(f"{option} {text}: expected a number after `=`") from None
    return found


def _key(variable: str | None) -> str | None:
    if variable is None:
        return None
    if not (key := os.environ.get(variable)):
        raise ConfigError(f"--api-key-env {variable}: this environment variable is not set")
    return key
