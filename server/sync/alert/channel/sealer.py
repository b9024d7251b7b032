"""A process that encrypts push messages (RFC 8291). A line on its input has [endpoint, p256dh, auth, payload] of each;
the answer [body in base64, ""] or ["", what is wrong with the key]. It knows nothing else of the server."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Sequence
from contextlib import suppress

from pywebpush import WebPusher


def main() -> None:
    for line in sys.stdin:
        sys.stdout.write(json.dumps([sealed(*message) for message in json.loads(line)]) + "\n")
        sys.stdout.flush()


def sealed(endpoint: str, key: str, auth: str, payload: str) -> Sequence[str]:
    try:
        pusher = WebPusher({"endpoint": endpoint, "keys": {"p256dh": key, "auth": auth}})
        return base64.b64encode(pusher.encode(payload.encode())["body"]).decode(), ""
    except Exception as error:  # the library raises what it likes; one bad key keeps no other
        return "", type(error).__name__


if __name__ == "__main__":
    with suppress(BrokenPipeError, KeyboardInterrupt):  # the server has gone
        main()
