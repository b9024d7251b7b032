"""Rules broken on purpose: each is one word or line of the rules' own code, changed while a test looks.

A break that no longer finds the line it changes is an error: it would prove nothing.
"""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import CodeType, FunctionType
from typing import Any, Final

from server.core import admit, batch, merge, needs, person
from tests.simulation import server as model


@dataclass(frozen=True)
class Change:
    function: Any
    old: str
    new: str


@dataclass(frozen=True)
class Break:
    name: str
    changes: tuple[Change, ...]


def _one(name: str, function: Any, old: str, new: str) -> Break:
    return Break(name, (Change(function, old, new),))


KNOWN: Final = "write[0] <= base or (write[2] == device and (write[0], write[1]) < (seq, i))"
KNOWS: Final = "seq <= at.base or (device == at.device and (seq, index) < (at.seq, i))"

SEALED: Final = 'if knows(at, i, seal["seq"], seal["i"], seal["device"]):'

MOVES: Final = 'record["seq"] = at.seq\n        return True'

BREAKS: Final[tuple[Break, ...]] = (
    Break(
        "M2 base is ignored",
        (
            Change(merge._write, KNOWN, "write[2] == device and (write[0], write[1]) < (seq, i)"),
            Change(merge.knows, KNOWS, "device == at.device and (seq, index) < (at.seq, i)"),
        ),
    ),
    Break(
        "M2 a device does not know its own earlier batches",
        (Change(merge._write, KNOWN, "write[0] <= base"), Change(merge.knows, KNOWS, "seq <= at.base")),
    ),
    Break("M2 everybody knows everything", (Change(merge._write, KNOWN, "True"), Change(merge.knows, KNOWS, "True"))),
    _one("M3 the loser of a conflict is thrown away", merge._write, 'if rule == "last":', "if True:"),
    _one("M3 different values are no conflict", merge.conflicts, "len(writes) > 1", "len(writes) > 9"),
    _one("M4 last keeps the older", merge._write, "del kept[:-1]", "del kept[1:]"),
    _one(
        "M5 remove wins over a concurrent add",
        merge._without,
        "or not knows(at, i, write[SEQ], write[INDEX], write[DEVICE])",
        "",
    ),
    _one("M6 once may be written again", merge._write, 'if rule == "once":', 'if rule == "never":'),
    _one("M7 et is not raised to what it replaces", merge._write, "if write[4] > et:", "if False:"),
    _one("M7 a fast clock is believed", batch.effective_time, "min(t + received - sent, received)", "t"),
    _one("M7 a clock that jumped ahead is believed", batch.effective_time, ", received)", ", t + received)"),
    _one("M8 what was deleted stays deleted", merge.is_deleted, "return all(", "return True or all("),
    _one("M8 a deletion is forgotten", merge.is_deleted, "return all(", "return False and all("),
    _one("M9 newer fields are refused", admit._refuse_value, "if newer and", "if False and"),
    _one("M1 folding twice writes twice", merge.fold, 'records[op["r"]]["seq"] >= seq', "False"),
    _one("A1 a transition is taken from any state", merge._act, 'if record["state"] not in act.from_:', "if False:"),
    _one("A2 ver is not compared", merge._act, 'or op["ver"] != version(record, kind)', ""),
    _one("A2 a conflict may be approved", merge._act, "conflicts(record, kind) or ", ""),
    _one("A3 the seal does not ask for base", merge._edit, SEALED, "if True:"),
    _one("A3 who knew of the seal is held, not refused", merge._edit, SEALED, "if False:"),
    _one("A3 a late edit is held twice", merge._edit, "return True", 'record["held"] *= 2\n        return True'),
    _one("A3 a late edit is written into the seal", merge._edit, "if seal is not None:", "if False:"),
    _one("A3 an amendment does not renew the seal", merge._amend, 'op["ver"], max', '"0" * 64, max'),
    _one("A3 a declined edit stays held", merge._decline, "_take_held(record, op, i)", "pass"),
    _one("A1 an act goes ahead without what it needs", needs.missing, "name not in given and", "False and"),
    _one("A1 what is not asked for is needed", needs.missing, " and is_asked(kind, name, values, state)", ""),
    _one("A1 an empty text is enough", needs.missing, 'if value not in ("", [])', ""),
    _one("A4 anybody may do anything", admit._must, "if not allowed:", "if False:"),
    _one("A5 the audience is not asked for", person.granted, "return audience in", "return True or audience in"),
    _one("P1 a gap is accepted", batch.gap, "if n > expected:", "if False:"),
    _one("P1 an answer is not repeated, it is taken again", model.Server.push, "not in self.answers:", "is not None:"),
    _one("P2 a refused batch leaves what it did before its fault", admit.admit, "merge.copy(records[r])", "records[r]"),
    _one("P14 a newer batch draws what it likes", admit._refuse_value, "not in kind.written", "not in kind.fields"),
    _one("P14 as much is drawn on as one likes", admit._check_count, "> most:", '> most and name != "marks":'),
    _one("P6 a held edit does not move the record's seq", merge._edit, MOVES, "return True"),
)  # fmt: skip


@contextmanager
def broken(it: Break) -> Iterator[None]:
    """The rule is broken inside, for whoever holds the function under whatever name."""
    whole: list[tuple[FunctionType, CodeType]] = []
    try:
        for change in it.changes:
            whole.append((change.function, change.function.__code__))
            change.function.__code__ = _patched(change).__code__
        yield
    finally:
        for function, code in whole:
            function.__code__ = code


def _patched(change: Change) -> FunctionType:
    source = textwrap.dedent(inspect.getsource(change.function))
    if source.count(change.old) != 1:
        raise LookupError(f"{change.function.__qualname__} has {source.count(change.old)} times: {change.old}")
    space = dict(change.function.__globals__)
    exec(compile(source.replace(change.old, change.new), f"<broken {change.function.__name__}>", "exec"), space)
    patched = space[change.function.__name__]
    assert isinstance(patched, FunctionType)
    return patched
