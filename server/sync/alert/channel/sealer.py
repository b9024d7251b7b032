"""A process that encrypts push messages (RFC 8291). A line on its input has [endpoint, p256dh, auth, payload] of each,
the answer [body in base64, "", ""] or ["", how it ended, why]: `gone` where the key is none, else `later`. It knows
nothing else of the server."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from pywebpush import WebPusher, WebPushException

NO_KEY: Final = (ValueError, LookupError, WebPushException)  # what the library says to it


def main() -> None:
    for line in sys.stdin:
        sys.stdout.write(json.dumps([sealed(*message) for message in json.loads(line)]) + "\n")
        sys.stdout.flush()


def sealed(endpoint: str, key: str, auth: str, payload: str) -> Sequence[str]:
    try:
        pusher = WebPusher({"endpoint": endpoint, "keys": {"p256dh": key, "auth": auth}})
        return base64.b64encode(pusher.encode(payload.encode())["body"]).decode(), "", ""
    except NO_KEY as error:
        return "", "gone", f"unusable key: {type(error).__name__}"
    except Exception as error:  # one message keeps no other, and nobody loses his phone over what passes
        return "", "later", type(error).__name__


if __name__ == "__main__":
    with suppress(BrokenPipeError, KeyboardInterrupt):  # the server has gone
        main()
