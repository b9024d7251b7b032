"""A process for tests: answers a line with its own number and the line; dies or hangs when it is told to."""

from __future__ import annotations

import json
import os
import sys
import threading

for line in sys.stdin:
    asked = json.loads(line)
    if asked == "die":
        os._exit(1)
    if asked == "hang":
        threading.Event().wait()
    sys.stdout.write((json.dumps([os.getpid(), asked]) if asked != "babble" else "what?") + "\n")
    sys.stdout.flush()
