"""Secrets that people and phones carry: session tokens and invite codes. Only their hashes are stored."""

from __future__ import annotations

import hashlib
import secrets
import unicodedata
from typing import Final

LETTERS: Final = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # read aloud without doubt: no 0 1 I L O U
CODE_LENGTH: Final = 12


def new_token() -> str:
    """32 random bytes, base64url."""
    return secrets.token_urlsafe(32)


def hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def hashed_code(code: str) -> str:
    """A code typed with spaces, dashes or small letters is the same code."""
    plain = unicodedata.normalize("NFKC", code[:64])
    return hashed("".join(letter for letter in plain.upper() if letter.isalnum()))
