"""Where the bytes of photos and files lie: a folder or a bucket of S3, asked in one way.

Of each photo there are up to four: `kept`, exactly what was sent, whose SHA-256 is its name; `clean`,
what people are shown, where that differs; and the widths `w320` and `w1280`. The last three can be made again.
In a folder `kept` is a link to the finished upload, on the disk with its name before anybody is told.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final, Literal

Sort = Literal["kept", "clean", "w320", "w1280"]
SORTS: Final[tuple[Sort, ...]] = ("kept", "clean", "w320", "w1280")
STREAM_BYTES: Final = 256 * 1024
S3: Final = "s3://"


class PhotoBytes:
    """`place` is a folder, or `s3://bucket/beginning` with the usual AWS_… variables."""

    def __init__(self, place: str) -> None:
        from obstore.store import LocalStore, from_url

        self.folder = None if place.startswith(S3) else Path(place)
        if self.folder is None:
            self._store: Any = from_url(place)
        else:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._store = LocalStore(prefix=self.folder, mkdir=True)
            prepare(self.folder / "kept")

    def link(self, part: Path, sha: str, *, is_known: bool) -> None:
        """In a folder: a whole upload is kept under this name too, for good once `part` is on the disk. What
        lies there under a name that is not known is left from a power cut, and nobody was told of it."""
        if self.folder is not None:
            link(part, self.folder / name("kept", sha), replace=not is_known)

    async def keep(self, part: Path, sha: str) -> None:
        """In a bucket the same."""
        await self._store.put_async(name("kept", sha), part)

    async def put(self, sort: Sort, sha: str, file: Path) -> None:
        await self._store.put_async(name(sort, sha), file)

    async def size(self, sort: Sort, sha: str) -> int | None:
        """None if it is not there."""
        try:
            return int((await self._store.head_async(name(sort, sha)))["size"])
        except FileNotFoundError:
            return None

    async def content(self, sort: Sort, sha: str) -> bytes | None:
        try:
            found = await self._store.get_async(name(sort, sha))
            return bytes(await found.bytes_async())
        except FileNotFoundError:
            return None

    async def stream(self, sort: Sort, sha: str) -> AsyncIterator[bytes]:
        """In pieces. Raises FileNotFoundError at the first one."""
        found = await self._store.get_async(name(sort, sha))
        async for piece in found.stream(min_chunk_size=STREAM_BYTES):
            yield bytes(piece)

    def here(self, sha: str) -> Path | None:
        """The kept bytes as a file of this machine, if they are one."""
        return None if self.folder is None else self.folder / name("kept", sha)

    async def fetch(self, sha: str, folder: Path) -> Path:
        """A copy of the kept bytes in a folder; the caller removes it."""
        handle, path = tempfile.mkstemp(dir=folder)
        try:
            async for piece in self.stream("kept", sha):
                await asyncio.to_thread(os.write, handle, piece)
        finally:
            os.close(handle)
        return Path(path)

    async def remove(self, sha: str) -> None:
        for sort in SORTS:
            try:
                await self._store.delete_async(name(sort, sha))
            except FileNotFoundError:
                continue


def name(sort: Sort, sha: str) -> str:
    return f"{sort}/{sha[:2]}/{sha}"


def link(part: Path, target: Path, *, replace: bool) -> None:
    """A second name, which an fsync of the file then brings to the disk with it: so it is on ext4, XFS and
    btrfs."""
    try:
        os.link(part, target)
    except FileExistsError:
        if replace:
            aside = target.with_suffix(".new")
            aside.unlink(missing_ok=True)
            os.link(part, aside)
            os.replace(aside, target)
            aside.unlink(missing_ok=True)  # it is still there if both were one file already


def prepare(folder: Path) -> None:
    """The folders by the first two letters of a name, all of them, so that none has to be made when a photo comes."""
    if not (folder / "ff").is_dir():
        for i in range(256):
            (folder / f"{i:02x}").mkdir(parents=True, exist_ok=True, mode=0o700)
        on_disk(folder)
        on_disk(folder.parent)


def on_disk(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
