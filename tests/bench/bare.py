"""The bare limit: the least that a Litestar server on one SQLite file could do for the same work.

Push: decode the same bodies, append a row per record and a row per batch to the log, commit at synchronous FULL;
no signature, no rights, no merge. Pull: read the stored rows, join them, gzip 1, send.
`python -m tests.bench.bare PORT FOLDER`.
"""

from __future__ import annotations

import sqlite3
import sys
import zlib
from pathlib import Path
from typing import Any

import msgspec
import uvicorn
from litestar import Litestar, Request, get, post
from litestar.response import Stream

FETCHED = 2_000


class Op(msgspec.Struct):
    k: str
    c: str
    r: str
    set: dict[str, Any] = {}


class Batch(msgspec.Struct):
    n: int
    project: str
    base: int
    t: int
    v: int
    ops: list[Op]


class Signed(msgspec.Struct):
    payload: str
    sig: str


class Push(msgspec.Struct):
    proto: int
    device: str
    sent: int
    batches: list[Signed]


def app(folder: Path) -> Litestar:
    database = sqlite3.connect(folder / "bare.sqlite", isolation_level=None)
    for pragma in ("journal_mode = WAL", "synchronous = FULL"):
        database.execute(f"PRAGMA {pragma}")
    database.execute("CREATE TABLE IF NOT EXISTS record (r TEXT PRIMARY KEY, c TEXT, seq INTEGER, body TEXT)")
    database.execute("CREATE INDEX IF NOT EXISTS by_seq ON record (seq)")
    database.execute("CREATE TABLE IF NOT EXISTS log (seq INTEGER PRIMARY KEY, device TEXT, payload TEXT)")
    push_of, batch_of = msgspec.json.Decoder(Push).decode, msgspec.json.Decoder(Batch).decode
    encode = msgspec.json.Encoder().encode

    @get("/healthz")
    async def healthz() -> dict[str, str]:
        return {}

    @post("/push", status_code=200)
    async def push(request: Request[Any, Any, Any]) -> dict[str, Any]:
        told, results = push_of(await request.body()), []
        database.execute("BEGIN IMMEDIATE")
        for signed in told.batches:
            batch = batch_of(signed.payload)
            put = "INSERT INTO log (device, payload) VALUES (?, ?)"
            seq = database.execute(put, (told.device, signed.payload)).lastrowid
            rows = [(op.r, op.c, seq, encode(op.set).decode()) for op in batch.ops]
            database.executemany("INSERT OR REPLACE INTO record VALUES (?, ?, ?, ?)", rows)
            results.append({"n": batch.n, "status": "applied", "seq": seq})
        database.execute("COMMIT")
        return {"results": results}

    @get("/pull")
    async def pull(file: str) -> Stream:
        async def pages() -> Any:
            with sqlite3.connect(file) as there:
                rows = there.execute("SELECT body FROM record WHERE project = 'bench' AND seq > 0 ORDER BY seq")
                packed = zlib.compressobj(1, wbits=31)
                while found := rows.fetchmany(FETCHED):
                    yield packed.compress("\n".join(body for (body,) in found).encode() + b"\n")
                yield packed.flush()

        return Stream(pages(), headers={"content-encoding": "gzip"}, media_type="application/x-ndjson")

    return Litestar([healthz, push, pull], logging_config=None, openapi_config=None)


if __name__ == "__main__":
    config = uvicorn.Config(
        app(Path(sys.argv[2])), host="127.0.0.1", port=int(sys.argv[1]), http="httptools", loop="uvloop",
        log_config=None, access_log=False,
    )  # fmt: skip
    uvicorn.Server(config).run()
