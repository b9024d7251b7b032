"""The one catalogue of expected trouble (P9): code → HTTP status and what to do about it.

Messages stand in `shared/locales/*.json` under `problem.<code>`, in the caller's language.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

Do = Literal["retry", "fix", "ask", "sign_in", "update", "nothing"]


@dataclass(frozen=True, slots=True)
class Sort:
    status: int
    do: Do


CATALOGUE: Final[dict[str, Sort]] = {
    # whole requests
    "malformed": Sort(400, "fix"),
    "signed_out": Sort(401, "sign_in"),
    "bad_signature": Sort(401, "sign_in"),
    "wrong_login": Sort(401, "fix"),
    "forbidden": Sort(403, "ask"),
    "wrong_invite": Sort(403, "ask"),
    "wrong_password": Sort(403, "fix"),
    "not_from_app": Sort(403, "update"),
    "not_found": Sort(404, "nothing"),
    "method_not_allowed": Sort(405, "update"),
    "gap": Sort(409, "retry"),
    "already_enrolled": Sort(409, "sign_in"),
    "taken": Sort(409, "fix"),
    "cursor_expired": Sort(410, "retry"),
    "too_large": Sort(413, "fix"),
    "unsupported_type": Sort(415, "update"),
    "wrong_host": Sort(421, "ask"),
    "bad_address": Sort(422, "fix"),
    "wrong_file": Sort(422, "fix"),
    # photos and files on their way (P10)
    "wrong_offset": Sort(409, "retry"),
    "upload_expired": Sort(410, "retry"),
    "wrong_tus_version": Sort(412, "update"),
    "project_full": Sort(413, "ask"),
    "too_many_pixels": Sort(413, "fix"),
    "unsupported_file": Sort(415, "fix"),
    "heic_unsupported": Sort(415, "fix"),
    "wrong_hash": Sort(422, "retry"),
    "damaged_photo": Sort(422, "fix"),
    "upload_busy": Sort(423, "retry"),
    "too_many_uploads": Sort(429, "retry"),
    "wrong_checksum": Sort(460, "retry"),
    "disk_full": Sort(507, "ask"),
    "client_too_old": Sort(426, "update"),
    "too_many_tries": Sort(429, "retry"),
    "broken": Sort(500, "ask"),
    "unavailable": Sort(503, "retry"),
    "no_pdf": Sort(501, "ask"),
    # single batches
    "invalid": Sort(422, "fix"),
    "sealed": Sort(422, "ask"),
    "stale_approval": Sort(422, "fix"),
    "bad_transition": Sort(422, "nothing"),
    "unknown_record": Sort(422, "nothing"),
}


class Problem(Exception):
    """Expected trouble with a whole request. `extra` goes into the answer (`expected`, …).

    `retry_after` is in seconds.
    """

    def __init__(self, code: str, *, retry_after: int | None = None, **extra: Any) -> None:
        super().__init__(code)
        self.code, self.sort = code, CATALOGUE[code]
        self.retry_after, self.extra = retry_after, extra
