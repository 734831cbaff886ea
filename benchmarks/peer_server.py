"""The peers' mock server, which closes a connection where a client asks it to: datatrove waits
for that. Run by `peers.py` as `peer_server.py FOLDER --port PORT --max-seconds SECONDS`."""

from __future__ import annotations

import argparse
import asyncio
import sys
from importlib import import_module
from typing import Any

sys.path.insert(0, sys.argv.pop(1))


def _note(self: Any, name: bytes, value: bytes) -> None:
    self.closes |= name.lower() == b"connection" and value.lower() == b"close"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int)
    parser.add_argument("--max-seconds", type=float)
    server: Any = import_module("mock_server")
    replies = server.P.reply

    def reply(self: Any, *answer: Any) -> None:
        replies(self, *answer)
        if self.closes:
            self.tr.close()

    server.P = type("P", (server.P,), {"closes": False, "on_header": _note, "reply": reply})
    import_module("uvloop").install()
    asyncio.run(server.main(parser.parse_args()))


if __name__ == "__main__":
    main()
