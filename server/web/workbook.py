"""What comes as a workbook (XLSX) is a stranger's file: whether it may be opened at all."""

from __future__ import annotations

import zipfile
from io import BytesIO
from typing import Final

PARTS_MAX: Final = 100
UNPACKED_BYTES_MAX: Final = 8 * 1024 * 1024


def package_fault(content: bytes) -> str:
    """A workbook is a zip of XML; one that would unpack to very much, or brings entities, is none of ours.
    A code (`too_large`, `file`), or nothing."""
    try:
        with zipfile.ZipFile(BytesIO(content)) as package:
            parts = package.infolist()
            if len(parts) > PARTS_MAX or sum(part.file_size for part in parts) > UNPACKED_BYTES_MAX:
                return "too_large"
            for part in parts:
                start = package.read(part)
                if b"<!DOCTYPE" in start or b"<!ENTITY" in start or start[:2] in (b"\xff\xfe", b"\xfe\xff"):
                    return "file"
    except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError, ValueError):
        return "file"
    return ""
