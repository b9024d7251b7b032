"""The server's own secrets: `keys.json` in the data folder, made at the first start, mode 0600.

`secret` derives invite codes, so that a stolen database alone lets nobody in. `vapid` is the key pair
that push services know this server by. Whoever has the folder has the site: it belongs in the backup.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from server.web.device import base64url
from server.web.token import CODE_LENGTH, LETTERS

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

FILE: Final = "keys.json"


class BadKeys(Exception):
    """The file is there but cannot be used."""


@dataclass(frozen=True)
class Keys:
    secret: str  # 64 hex digits
    vapid_private: str  # the P-256 scalar, base64url
    vapid_public: str  # the uncompressed point, base64url; what a phone subscribes with

    def invite_code(self, id: str) -> str:
        """The code of an invite, `ABCD-EFGH-JKMN`: from its id, so that it need not be stored."""
        digest = int.from_bytes(hmac.digest(bytes.fromhex(self.secret), f"invite:{id}".encode(), hashlib.sha256))
        letters = []
        for _ in range(CODE_LENGTH):
            digest, at = divmod(digest, len(LETTERS))
            letters.append(LETTERS[at])
        return "-".join("".join(letters[at : at + 4]) for at in range(0, CODE_LENGTH, 4))

    def sealed(self, text: str) -> str:
        """Unreadable to who has the database alone."""
        return self._seal.encrypt(text.encode()).decode()

    def opened(self, text: str) -> str:
        """Raises BadKeys for what other keys sealed."""
        from cryptography.fernet import InvalidToken

        try:
            return self._seal.decrypt(text.encode()).decode()
        except InvalidToken as error:
            raise BadKeys("sealed with the keys of another data folder; restore keys.json from the backup") from error

    @property
    def _seal(self) -> Fernet:
        from cryptography.fernet import Fernet

        digest = hmac.digest(bytes.fromhex(self.secret), b"seal", hashlib.sha256)
        return Fernet(base64.urlsafe_b64encode(digest))


def read_or_make(folder: Path) -> Keys:
    """The keys of a data folder. Two processes that start at once end with the same ones."""
    file = folder / FILE
    if not file.exists():
        write_new(file, make())
    return read(file)


def read(file: Path) -> Keys:
    try:
        return Keys(**json.loads(file.read_text()))
    except (ValueError, TypeError) as error:
        raise BadKeys(f"{file}: not a key file of Gongbu; restore it from a backup") from error


def make() -> Keys:
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    private = ec.generate_private_key(ec.SECP256R1())
    scalar = private.private_numbers().private_value.to_bytes(32)
    point = private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return Keys(secrets.token_hex(32), base64url(scalar), base64url(point))


def write_new(file: Path, keys: Keys) -> None:
    """Write beside, then link: whoever comes second keeps the first one's file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_suffix(f".{os.getpid()}.{secrets.token_hex(4)}")
    with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        json.dump(asdict(keys), out)
        out.flush()
        os.fsync(out.fileno())
    try:
        os.link(beside, file)
    except FileExistsError:
        pass
    finally:
        beside.unlink()
