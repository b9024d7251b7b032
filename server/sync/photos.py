"""Photos and files between their coming and their being looked at (P10).

An upload that is whole is looked at without decoding: hash, type, size, pixels. Then its bytes are kept,
written down, and only then is its phone told; it may be seen from now on. What takes a decoder
(the smaller ones, the facts of its EXIF, the clean copy) is a job of the slow lane, or made at once for
the first who asks. For the rest of the server: `find`, `seen_by`, `content`, `path`.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import mmap
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec

from server.core import picture
from server.core.limits import Limits
from server.core.picture import Damaged, Picture
from server.core.problem import Problem
from server.store.photo import Arrival, Photo, PhotoIndex, arriving, forgetting
from server.store.photo_bytes import PhotoBytes, Sort
from server.store.photo_part import Part, Parts
from server.store.processes import Failed, Processes
from server.store.round import Statement
from server.sync.sync import Sync

log: Final = logging.getLogger("gongbu.photos")
DAY_MS: Final = 86_400_000
ORPHAN_DAYS: Final = 30
SWEEP_EVERY_S: Final = 3_600.0
SWEPT_AT_ONCE: Final = 50
POKE_EVERY_S: Final = 1.0
TAKEN_UP_S: Final = 30.0
WORKERS: Final = 1
PHOTOS_EACH: Final = 200
TIDY: Final = {"MALLOC_ARENA_MAX": "1", "MALLOC_TRIM_THRESHOLD_": "1000000"}
FETCHED_MAX: Final = 64
WIDTHS: Final[Mapping[int | None, Sort]] = {320: "w320", 1280: "w1280", None: "clean"}
ASK: Final = (
    "INSERT INTO job (key, kind, args, due) VALUES (?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET asked = job.asked + 1"
)


class Photos:
    """One per process. `place` is where the bytes lie, `folder` this machine's own."""

    def __init__(self, sync: Sync, place: str, folder: Path, limits: Limits, now: Callable[[], int]) -> None:
        self.sync, self.store, self.limits, self.now = sync, sync.store, limits, now
        self.index = PhotoIndex(sync.store)
        self.bytes = PhotoBytes(place)
        self.parts = Parts(folder / "uploads")
        self.folder = folder
        # One photo at a time in each, so that memory has a bound; what has decoded many is renewed.
        self._decoders = Processes(
            "server.store.photo_worker", [str(limits.decoded_bytes_max)], env=TIDY, most=WORKERS, each=PHOTOS_EACH
        )
        self._making: dict[str, asyncio.Task[None]] = {}
        self._poked: dict[str, asyncio.TimerHandle] = {}
        self._taken_up: dict[str, tuple[float, int]] = {}
        self._keeping: dict[str, asyncio.Lock] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self.files: Mapping[str, Callable[[str], Awaitable[object]]] = {}
        """Kind → what is done with a file that a record of it names, when it has come. At least once."""
        sync.slow.kinds |= {"photo": self._photo, "file": self._file, "photo sweep": self._sweep}

    def start(self) -> None:
        self._tasks = [asyncio.create_task(self._tend())]

    async def close(self) -> None:
        for task in [*self._tasks, *self._making.values()]:
            task.cancel()
        await asyncio.gather(*self._tasks, *self._making.values(), return_exceptions=True)
        for poke in self._poked.values():
            poke.cancel()
        await self._decoders.close()

    # for the rest of the server

    async def find(self, sha: str) -> Photo | None:
        """What is known of a photo or file that has arrived."""
        return await self.index.find(sha)

    async def seen_by(self, person: str, sha: str) -> bool:
        """Whether somebody sees a record that names it, or sent it himself."""
        return sha in await self.index.seen(person, [sha])

    async def content(self, sha: str, width: int | None = 1280) -> bytes:
        """What people are shown: WebP of 320 or 1280, or with None the clean picture. For who has
        been let see the record. Raises Problem: not_found, unsupported_file, damaged_photo."""
        sort = await self.ready(sha, width)
        content = await self.bytes.content(sort, sha)
        if content is None:
            raise Problem("not_found")
        return content

    async def path(self, sha: str) -> Path | None:
        """The kept bytes as a file of this machine, None while they have not arrived. A copy from a
        bucket stays until many newer ones were asked for."""
        if await self.index.find(sha) is None:
            return None
        return self.bytes.here(sha) or await self._fetched(sha)

    async def sha_now(self, sha: str) -> str:
        """The SHA-256 of the kept bytes as they lie there at this moment: equal to their name, or they are spoilt."""
        digest = hashlib.sha256()
        async for piece in self.bytes.stream("kept", sha):
            await asyncio.to_thread(digest.update, piece)
        return digest.hexdigest()

    async def stream(self, sort: Sort, sha: str) -> AsyncIterator[bytes]:
        async for piece in self.bytes.stream(sort, sha):
            yield piece

    async def ready(self, sha: str, width: int | None) -> Sort:
        """Which of a photo's bytes to show, made if they were not; raises Problem if it cannot be."""
        photo = await self.index.find(sha)
        if photo is None:
            raise Problem("not_found")
        if photo.state == "arrived" or (photo.state == "ready" and not await self._has(photo, width)):
            await self.develop(sha)
            photo = await self.index.find(sha)
        if photo is None:
            raise Problem("not_found")
        if photo.state == "refused":
            raise Problem(photo.reason)
        if photo.state == "file":
            raise Problem("unsupported_file", reason=photo.type)
        return await self._sort(photo, width)

    async def _has(self, photo: Photo, width: int | None) -> bool:
        return await self.bytes.size(await self._sort(photo, width), photo.sha) is not None

    async def _sort(self, photo: Photo, width: int | None) -> Sort:
        """The kept bytes are clean themselves where nothing had to be taken off."""
        return "kept" if width is None and not photo.clean else WIDTHS[width]

    async def _fetched(self, sha: str) -> Path:
        folder = self.folder / "fetched"
        path = folder / sha
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            (await self.bytes.fetch(sha, folder)).rename(path)
            for old in sorted(folder.iterdir(), key=lambda file: file.stat().st_mtime)[:-FETCHED_MAX]:
                old.unlink(missing_ok=True)
        return path

    # coming

    async def room_for(self, project: str, length: int) -> None:
        """Raises Problem `project_full` or `disk_full`."""
        if await self._project_bytes(project) + length > self.limits.project_bytes_max:
            raise Problem("project_full", limit=self.limits.project_bytes_max)
        if shutil.disk_usage(self.parts.folder).free - length < self.limits.disk_free_bytes_min:
            raise Problem("disk_full", retry_after=600)

    async def _project_bytes(self, project: str) -> int:
        """Looked up now and then; what comes meanwhile is added."""
        at, known = self._taken_up.get(project, (-TAKEN_UP_S, 0))
        if time.monotonic() - at > TAKEN_UP_S:
            known = await self.index.taken_up(project)
            self._taken_up[project] = time.monotonic(), known
        return known

    async def arrive(self, part: Part, last: Callable[[], None] = lambda: None) -> None:
        """A whole upload becomes a photo, once `last` has written the rest of it. Safe to repeat.
        Raises Problem when it is not what it should be; then it is gone."""
        told = part.told
        self.sync.note_sending()
        async with self._alone(told.sha):
            is_known = await self.index.find(told.sha) is not None
            arrival = await asyncio.to_thread(self._take, part, last, is_known)
            if self.bytes.folder is None:
                await self.bytes.keep(part.path, told.sha)
            await self.store.change([*arriving(arrival), *self._asking(arrival)])
        self.parts.finish(told)
        at, known = self._taken_up.get(told.project, (0.0, 0))
        self._taken_up[told.project] = at, known + arrival.bytes
        self._poke(told.project)

    def _take(self, part: Part, last: Callable[[], None], is_known: bool) -> Arrival:
        """In a thread: the rest is written, all is looked at and on the disk under its new name."""
        last()
        try:
            arrival = self._examine(part)
        except Problem:
            self.parts.remove(part.told)
            raise
        self.bytes.link(part.path, part.told.sha, is_known=is_known)
        part.sync()
        return arrival

    def _examine(self, part: Part) -> Arrival:
        """Everything that can be said without decoding."""
        told = part.told
        if part.sha() != told.sha:
            raise Problem("wrong_hash")
        with mapped(part) as content:
            type = picture.type_of(content)
            if type is None:
                raise Problem("unsupported_file")
            seen = self._look(content) if told.as_ == "photo" and type in picture.PHOTOS else None
        w, h, state = (seen.w, seen.h, "arrived") if seen else (0, 0, "file")
        return Arrival(
            told.sha, part.offset, type, w, h, state, told.project, told.person, told.name, self.now()
        )  # fmt: skip

    def _look(self, content: Any) -> Picture:
        try:
            seen = picture.look(content)
        except Damaged as damaged:
            raise Problem("damaged_photo", reason=damaged.reason) from damaged
        assert seen
        if len(content) > self.limits.photo_bytes_max:
            raise Problem("too_large", limit=self.limits.photo_bytes_max)
        if seen.type == picture.HEIC and not reads_heic():
            raise Problem("heic_unsupported")
        if seen.w * seen.h > self.limits.pixels_max or seen.decoded > self.limits.decoded_bytes_max:
            raise Problem("too_many_pixels", limit=self.limits.pixels_max)
        return seen

    def _asking(self, arrival: Arrival) -> list[Statement]:
        sort = "file" if arrival.state == "file" else "photo"
        args = msgspec.json.encode({"sha": arrival.sha}).decode()
        return [(ASK, (f"{sort}:{arrival.sha}", sort, args, self.now()))]

    def _alone(self, sha: str) -> asyncio.Lock:
        """So that a photo is not swept away at the moment in which it comes again."""
        lock = self._keeping.setdefault(sha, asyncio.Lock())
        if len(self._keeping) > SWEPT_AT_ONCE:
            self._keeping = {name: one for name, one in self._keeping.items() if one.locked() or one is lock}
        return lock

    def _poke(self, project: str) -> None:
        """Whoever looks at a record that waits for it hears that there is something new, at most once a second."""
        if project not in self._poked:
            loop = asyncio.get_running_loop()
            self._poked[project] = loop.call_later(POKE_EVERY_S, self._poke_now, project)

    def _poke_now(self, project: str) -> None:
        self._poked.pop(project, None)
        task = asyncio.ensure_future(self.sync.poke(project))
        self._making[f"poke {project}"] = task
        task.add_done_callback(lambda _: self._making.pop(f"poke {project}", None))

    # developing

    async def develop(self, sha: str) -> None:
        """Make what is shown of a photo; whoever else asks meanwhile waits for the same."""
        task = self._making.get(sha)
        if task is None:
            task = self._making[sha] = asyncio.create_task(self._develop(sha))
            task.add_done_callback(lambda _: self._making.pop(sha, None))
        await asyncio.shield(task)

    async def _develop(self, sha: str) -> None:
        path = await self.path(sha)
        if path is None:
            return
        with tempfile.TemporaryDirectory(prefix="photo-", dir=self.parts.folder.parent) as name:
            out = Path(name)
            answer = await self._decoded(path, out)
            for sort in answer.get("made", ()):
                await self.bytes.put(sort, sha, out / sort)
        if "code" in answer:
            log.info("a photo is refused", extra={"code": answer["code"], "reason": answer.get("reason", "")})
            said = "UPDATE photo SET state = 'refused', reason = ? WHERE sha = ? AND state <> 'file'"
            await self.store.change([(said, (answer["code"], sha))])
            for project in await self.index.projects(sha):
                self._poke(project)
            return
        clean = answer["clean"] if "clean" in answer["made"] else ""
        facts = msgspec.json.encode(answer["facts"]).decode()
        said = "UPDATE photo SET state = 'ready', reason = '', w = ?, h = ?, clean = ?, facts = ? WHERE sha = ?"
        await self.store.change([(said, (answer["w"], answer["h"], clean, facts, sha))])

    async def _decoded(self, path: Path, out: Path) -> dict[str, Any]:
        """What was made of it, or the code of what is wrong."""
        try:
            answer: dict[str, Any] = await self._decoders.ask({"path": str(path), "out": str(out)})
        except Failed as failed:
            log.error("a photo could not be decoded", exc_info=failed)
            return {"code": "damaged_photo", "reason": "decoder"}
        return answer

    async def _photo(self, args: Mapping[str, Any]) -> None:
        photo = await self.index.find(args["sha"])
        if photo is not None and photo.state == "arrived":
            await self.develop(photo.sha)

    async def _file(self, args: Mapping[str, Any]) -> None:
        for kind in await self.index.kinds(args["sha"]):
            if kind in self.files:
                await self.files[kind](args["sha"])

    # tidying

    async def _tend(self) -> None:
        """Ask for a sweep now and every hour; one process does it."""
        while True:
            try:
                await self.store.change([(ASK, ("photo sweep", "photo sweep", "{}", self.now()))])
            except Problem:
                log.info("the sweep waits for the database")
            await asyncio.sleep(SWEEP_EVERY_S)

    async def _sweep(self, args: Mapping[str, Any]) -> None:
        await self.sweep()

    async def sweep(self) -> list[str]:
        """Uploads that were given up, and photos that nothing has named for 30 days; answers the latter."""
        await asyncio.to_thread(self.parts.sweep, self.now())
        before = self.now() - ORPHAN_DAYS * DAY_MS
        gone = await self.index.orphans(before, SWEPT_AT_ONCE)
        for sha in gone:
            async with self._alone(sha):
                if sha in await self.index.orphans(before, SWEPT_AT_ONCE):
                    await self.store.change(forgetting(sha))
                    await self.bytes.remove(sha)
        return gone


@contextmanager
def mapped(part: Part) -> Iterator[Any]:
    """An upload's content, without reading it into memory if it is not there."""
    if part.whole is not None:
        yield part.whole
        return
    with part.path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        yield content


def reads_heic() -> bool:
    """Whether the optional extra is installed."""
    from importlib.util import find_spec

    return find_spec("pillow_heif") is not None
