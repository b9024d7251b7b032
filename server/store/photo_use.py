"""Which photos and files a batch puts on which records (P10): what the writer enters into `photo_use`.

Pure, and close to free for kinds without photos. A kind that only newer phones know may have them (M9).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from server.core.batch import Op
from server.core.declaration import Kind
from server.core.value import Value

KEYED: Final = "."  # a photo stands at its key: `photos.p1`
NAMES: Final = ("sha", "thumb")  # of a photo or file, and of the small picture that comes ahead of it


def named_in(ops: Iterable[Op], kinds: Mapping[str, Kind]) -> Iterator[tuple[str, str]]:
    """(sha, r) for each photo or file that is named."""
    for op in ops:
        kind = kinds.get(op["c"])
        if kind is not None and not kind.keyed:
            continue
        if "set" not in op:
            values: Iterable[Value] = (op.get("v"),)
        else:
            values = op["set"].values() if KEYED in "".join(op["set"]) else ()
        for value in values:
            if type(value) is dict:
                for name in NAMES:
                    if type(sha := value.get(name)) is str:
                        yield sha, op["r"]
