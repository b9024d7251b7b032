"""Uploads that are under way: a file each, and beside it what was said about it (tus 1.0).

What counts is the file's length: every answer that names an offset comes after an fsync of that
much. `<id>.part` holds the bytes, `<id>.json` what is known, `<id>.floor`, while a PATCH with a
checksum runs, the length to go back to if it does not come to its end. All of a person's lie in his
own folder, so that nobody finds another's; `done/` there knows those that have arrived. All are swept in time.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import secrets
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

ID: Final = re.compile(r"[A-Za-z0-9_-]{20,40}")
PERSON: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
LIVES_MS: Final = 7 * 86_400_000
HASHES_MAX: Final = 256
DONE: Final = "done"
AT_ONCE_MAX: Final = 1_000
READ_BYTES: Final = 1024 * 1024

As = Literal["photo", "file"]


class Told(msgspec.Struct, frozen=True):
    """What the creating request said, and what became of it. `metadata` goes back as it came."""

    id: str
    person: str
    project: str
    device: str
    sha: str
    length: int
    expires: int
    metadata: str = ""
    name: str = ""
    as_: As = "photo"
    done: bool = False


READ: Final = msgspec.json.Decoder(Told).decode


class Part:
    """One upload of which this process holds the lock. `offset` is what the file has."""

    def __init__(self, told: Told, path: Path, hashes: Hashes) -> None:
        self.told, self.path, self._hashes = told, path, hashes
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self.offset = os.lseek(self._handle, 0, os.SEEK_END)
        self._hash = hashes.at(told.id, self.offset)
        self.whole: bytes | None = None
        """All of it, where it came in one piece and need not be read again."""

    def lock(self) -> bool:
        """Against another process; in this one the caller takes care."""
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    @property
    def is_whole(self) -> bool:
        return self.offset == self.told.length

    def hash(self, piece: bytes) -> None:
        """Count a piece in that will be written. Quick enough for the event loop, while the next one comes."""
        if self._hash:
            self._hash.update(piece)

    def write(self, content: bytes) -> None:
        """Behind what is there; it has been hashed. Not on the disk before `sync`."""
        self.whole = content if self.offset == 0 and len(content) == self.told.length else None
        half, self._hash = self._hash, None  # unless all of it is written, the hash is of something else
        view = memoryview(content)
        while view:
            done = os.pwrite(self._handle, view, self.offset)
            self.offset += done
            view = view[done:]
        self._hash = half

    def sync(self) -> None:
        os.fsync(self._handle)

    def cut(self, offset: int) -> None:
        """Back to a length that it had."""
        os.ftruncate(self._handle, offset)
        os.fsync(self._handle)
        self.offset, self.whole, self._hash = offset, None, None if offset else hashlib.sha256()

    def set_floor(self) -> None:
        self.path.with_suffix(".floor").write_text(str(self.offset), "ascii")

    def clear_floor(self) -> None:
        self.path.with_suffix(".floor").unlink(missing_ok=True)

    def go_to_floor(self) -> None:
        """Drop what a PATCH with a checksum left behind when the server was killed."""
        floor = self.path.with_suffix(".floor")
        if floor.exists():
            text = floor.read_text("ascii")
            self.cut(min(int(text) if text.isdigit() else 0, self.offset))
            floor.unlink(missing_ok=True)

    def sha(self) -> str:
        """Of all that is there; read again if it did not all pass through this process."""
        if self._hash is None:
            self._hash = hashlib.sha256()
            for at in range(0, self.offset, READ_BYTES):
                self._hash.update(os.pread(self._handle, min(READ_BYTES, self.offset - at), at))
        return str(self._hash.hexdigest())

    def close(self) -> None:
        self._hashes.keep(self.told.id, self.offset, self._hash)
        os.close(self._handle)


class Hashes:
    """Half-done hashes of uploads that come in several requests."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[int, Any]] = OrderedDict()

    def at(self, id: str, offset: int) -> Any:
        if offset == 0:
            return hashlib.sha256()
        found, half = self._kept.pop(id, (-1, None))
        return half if found == offset else None

    def keep(self, id: str, offset: int, half: Any) -> None:
        if half is not None:
            self._kept[id] = offset, half
            while len(self._kept) > HASHES_MAX:
                self._kept.popitem(last=False)

    def forget(self, id: str) -> None:
        self._kept.pop(id, None)


class Parts:
    """All uploads under way, in a folder of this machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.hashes = Hashes()
        self._came_at_once: OrderedDict[tuple[str, str], Told] = OrderedDict()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def make(self, told: Told, *, at_once: bool = False) -> Part:
        """A new one. What comes `at_once`, in the request that makes it, needs not be known before it is whole."""
        try:
            part = self.open(told)
        except FileNotFoundError:
            (self.folder / told.person / DONE).mkdir(parents=True, exist_ok=True, mode=0o700)
            part = self.open(told)
        part.lock()
        if not at_once:
            self._path(told.person, told.id, ".json").write_bytes(msgspec.json.encode(told))
        return part

    def find(self, person: str, id: str) -> Told | None:
        """One of this person's."""
        if not ID.fullmatch(id) or not PERSON.fullmatch(person):
            return None
        with suppress(FileNotFoundError, msgspec.DecodeError):
            return READ(self._path(person, id, ".json").read_bytes())
        with suppress(FileNotFoundError, msgspec.DecodeError):
            return msgspec.structs.replace(READ(self._done(person, id).read_bytes()), done=True)
        return self._came_at_once.get((person, id))

    def open(self, told: Told) -> Part:
        return Part(told, self._path(told.person, told.id, ".part"), self.hashes)

    def finish(self, told: Told) -> None:
        """It has arrived: only what is known stays, for a phone that did not hear the answer. Where no
        phone can know its address yet, the memory of this process is enough."""
        known = self._path(told.person, told.id, ".json")
        try:
            os.rename(known, self._done(told.person, told.id))
        except FileNotFoundError:
            self._came_at_once[told.person, told.id] = msgspec.structs.replace(told, done=True)
            while len(self._came_at_once) > AT_ONCE_MAX:
                self._came_at_once.popitem(last=False)
        known.with_suffix(".part").unlink(missing_ok=True)
        self.hashes.forget(told.id)

    def remove(self, told: Told) -> None:
        for end in (".json", ".part", ".floor"):
            self._path(told.person, told.id, end).unlink(missing_ok=True)
        self._done(told.person, told.id).unlink(missing_ok=True)
        self._came_at_once.pop((told.person, told.id), None)
        self.hashes.forget(told.id)

    def open_of(self, person: str) -> list[Told]:
        """A person's unfinished ones."""
        try:
            names = os.listdir(self.folder / person)
        except FileNotFoundError:
            return []
        found = [self.find(person, name[:-5]) for name in names if name.endswith(".part")]
        return [told for told in found if told and not told.done]

    def sweep(self, now: int) -> int:
        """Remove what is too old, and files that belong to nothing; answers how many uploads went."""
        gone = 0
        for told, path in self._all():
            if told is None:
                with suppress(FileNotFoundError):  # it went with its upload
                    if time.time() - path.stat().st_mtime > LIVES_MS / 1000:
                        path.unlink()
            elif told.expires <= now:
                self.remove(told)
                gone += 1
        return gone

    def _all(self) -> Iterator[tuple[Told | None, Path]]:
        for path in sorted(self.folder.glob("*/**/*.*")):
            person = path.relative_to(self.folder).parts[0]
            if path.suffix == ".json":
                yield self.find(person, path.stem), path
            elif not path.with_suffix(".json").exists():
                yield None, path

    def _done(self, person: str, id: str) -> Path:
        return self.folder / person / DONE / (id + ".json")

    def _path(self, person: str, id: str, end: str) -> Path:
        return self.folder / person / (id + end)


def new_id() -> str:
    return secrets.token_urlsafe(18)
