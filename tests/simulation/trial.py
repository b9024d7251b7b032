"""The module that the simulation runs on: every merge rule, audience, seal and check, as small as possible.

`DECLARED` is what an older server and older phones know; `NEWER` is the next version, with fields and a kind
that the older ones have never heard of (M9).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from server.core.declaration import Declarations, assemble

SOURCE: Final[dict[str, Any]] = json.loads((Path(__file__).parent / "trial.json").read_bytes())


def _newer(source: dict[str, Any]) -> dict[str, Any]:
    newer: dict[str, Any] = json.loads(json.dumps(source))
    newer["version"] = 2
    label = {"zh": "新", "en": "New"}
    newer["kinds"]["note"]["fields"] |= {
        "weather": {"type": "text", "label": label},
        "wind": {"type": "number", "merge": "last", "label": label},
        "labels": {"type": "multi_choice", "label": label},
    }
    newer["kinds"]["sheet"]["fields"]["weather"] = {"type": "text", "label": label}
    newer["kinds"]["extra"] = {
        "label": label,
        "audience": "person:{author}",
        "may": {"create": ["all"], "edit": ["author"]},
        "fields": {"text": {"type": "text", "label": label}, "size": {"type": "number", "label": label}},
    }
    return newer


NEWER_SOURCE: Final = _newer(SOURCE)
DECLARED: Final[Declarations] = assemble({"trial.json": json.dumps(SOURCE).encode()})
NEWER: Final[Declarations] = assemble({"trial.json": json.dumps(NEWER_SOURCE).encode()})
BY_VERSION: Final = {DECLARED.v: DECLARED, NEWER.v: NEWER}
