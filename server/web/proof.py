"""The proof of a printed record: what its code on the paper leads to, for anybody who holds the paper.

The token says which record and which content, and is signed by this server; it opens this page and nothing
else. The page shows hashes, names and times, not the contents, and lets anybody compare a photo that he has.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from typing import Annotated, Any, Final

from litestar import Response, get
from litestar.params import PathParameter

from server.core.problem import Problem
from server.web.keys import Keys
from server.web.page import page
from server.web.request import HttpRequest
from server.web.site import TheSite

MAC_BYTES: Final = 16
VER_LENGTH: Final = 16
TOKEN: Final = r"^[A-Za-z0-9_-]{40,400}$"
AskedToken = Annotated[str, PathParameter(pattern=TOKEN, description="From the code on the paper")]


@dataclass(frozen=True)
class Signed:
    """What a paper shows: a record of a project, as its content was (`ver`, at least its beginning)."""

    project: str
    r: str
    ver: str


def token_of(keys: Keys, signed: Signed) -> str:
    text = f"{signed.project} {signed.r} {signed.ver[:VER_LENGTH]}".encode()
    return base64.urlsafe_b64encode(_mac(keys, text) + text).rstrip(b"=").decode()


def read_token(keys: Keys, token: str) -> Signed:
    """Raises `not_found` for whatever this server did not sign."""
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        mac, text = raw[:MAC_BYTES], raw[MAC_BYTES:]
        project, r, ver = text.decode().split(" ")
    except ValueError as error:
        raise Problem("not_found") from error
    if not hmac.compare_digest(mac, _mac(keys, text)):
        raise Problem("not_found")
    return Signed(project, r, ver)


def _mac(keys: Keys, text: bytes) -> bytes:
    return hmac.digest(bytes.fromhex(keys.secret), b"proof:" + text, hashlib.sha256)[:MAC_BYTES]


@get("/proof/{token:str}", summary="What is proved of a printed record", tags=["print"], media_type="text/html")
async def proof(request: HttpRequest, site: TheSite, token: AskedToken) -> Response[str]:
    """No sign-in: whoever holds the paper may check it."""
    from server.core.batch import envelope
    from server.core.person import SERVER, Actor
    from server.web.answer import language_of
    from server.web.report import opened

    signed = read_token(site.keys, token)
    lang = language_of(request.scope)
    everything = Actor(SERVER, SERVER, frozenset({"manager"}))
    one = await opened(site, everything, signed.project, signed.r, lang)
    events = [
        {
            "seq": entry.seq,
            "who": one.reader.name(entry.person),
            "received": one.reader.wall(entry.received),
            "written": one.reader.wall(envelope(entry.payload).t),
            "acts": [op["act"] for op in envelope(entry.payload).ops if op["r"] == signed.r and op["k"] == "act"],
            "leaf": hashlib.sha256(entry.payload.encode()).hexdigest(),
        }
        for entry in await site.store.history(signed.project, signed.r)
    ]
    arrived = {picture.sha: await site.photos.find(picture.sha) is not None for picture in one.pictures}
    originals = {p.sha: one.values[f"{p.field}.{p.key}"].get("original") for p in one.pictures}
    values: dict[str, Any] = {
        "one": one, "printed_ver": signed.ver, "is_same": one.ver.startswith(signed.ver), "events": events,
        "arrived": arrived, "originals": originals,
    }  # fmt: skip
    return page("report/proof.html", lang=lang, **values)


routes: Final[list[Any]] = [proof]
