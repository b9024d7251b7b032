"""A large HEIC as the tiles that it is made of, each a file of its own, so that it can be decoded piece by piece.

Telephones cut a photo into tiles of 512 pixels and name their places in a grid; who decodes the whole needs several
bytes for each pixel at once. Pure; ISO/IEC 23008-12 (items, grid) and 14496-12 (boxes). Raises Damaged.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from server.core.picture import Content, Damaged, boxes

TILES_MAX: Final = 2048


@dataclass(frozen=True, slots=True)
class Grid:
    """`w` and `h` before it is turned; `turns` are (property, value) in the order in which they are applied."""

    w: int
    h: int
    columns: int
    tile: tuple[int, int]
    tiles: list[int]
    turns: list[tuple[bytes, int]]


class Heic:
    """What its boxes say of items; their content is cut out when it is asked for."""

    def __init__(self, content: Content) -> None:
        self.content = content
        top = {name: (start, end) for name, start, end in boxes(content, 0, len(content))}
        if b"meta" not in top or b"ftyp" not in top:
            raise Damaged("truncated")
        start, end = top[b"ftyp"]
        self.ftyp = box(b"ftyp", bytes(content[start:end]))
        start, end = top[b"meta"]
        self.meta = {name: (a, b) for name, a, b in boxes(content, start + 4, end)}
        try:
            self.primary = self._primary()
            self.places = dict(self._places())
            self.properties = list(self._properties())
            self.owned = dict(self._owned())
        except (struct.error, IndexError, KeyError) as error:
            raise Damaged("truncated") from error

    def grid(self) -> Grid | None:
        """None where the picture is not made of tiles, or cut off at its edges."""
        try:
            tiles = self._tiles()
            if not tiles:
                return None
            said = self.item(self.primary)
            w, h = struct.unpack_from(">II" if said[1] & 1 else ">HH", said, 4)
            rows, columns = said[2] + 1, said[3] + 1
            owned = [self.properties[index - 1] for index in self.owned[tiles[0]]]
            tile = next(struct.unpack_from(">II", body, 4) for name, body in owned if name == b"ispe")
            mine = [self.properties[index - 1] for index in self.owned[self.primary]]
        except (struct.error, IndexError, KeyError, StopIteration) as error:
            raise Damaged("truncated") from error
        if len(tiles) != rows * columns or len(tiles) > TILES_MAX or tile[0] * columns < w or tile[1] * rows < h:
            raise Damaged("grid")
        if any(name == b"clap" for name, _ in mine):
            return None
        turns = [(name, body[0]) for name, body in mine if name in (b"irot", b"imir")]
        return Grid(w, h, columns, tile, tiles, turns)

    def alone(self, item: int) -> bytes:
        """A tile as a file of its own."""
        own = [self.properties[index - 1] for index in self.owned[item]]
        content = self.item(item)
        kept = full(b"hdlr", struct.pack(">I4s12xB", 0, b"pict", 0))
        kept += full(b"pitm", struct.pack(">H", 1))
        kept += full(b"iinf", struct.pack(">H", 1) + full(b"infe", struct.pack(">HH4sB", 1, 0, b"hvc1", 0), version=2))
        props = box(b"ipco", b"".join(box(name, body) for name, body in own))
        marks = bytes(n + 1 | (0x80 if name == b"hvcC" else 0) for n, (name, _) in enumerate(own))
        props += full(b"ipma", struct.pack(">IHB", 1, 1, len(own)) + marks)
        kept += box(b"iprp", props)
        where = struct.pack(">BBHHHH", 0x44, 0, 1, 1, 0, 1)
        before = len(self.ftyp) + 8 + 4 + len(kept) + len(full(b"iloc", where)) + 8 + 8
        kept += full(b"iloc", where + struct.pack(">II", before, len(content)))
        return self.ftyp + full(b"meta", kept) + box(b"mdat", content)

    def item(self, item: int) -> bytes:
        method, extents = self.places[item]
        base = self.meta[b"idat"][0] if method == 1 else 0
        return b"".join(bytes(self.content[base + at : base + at + length]) for at, length in extents)

    def _full(self, name: bytes) -> tuple[int, int, int, int]:
        """Version, flags, and where the rest of a box begins and ends."""
        start, end = self.meta[name]
        return self.content[start], int.from_bytes(self.content[start + 1 : start + 4]), start + 4, end

    def _primary(self) -> int:
        version, _, at, _ = self._full(b"pitm")
        return int.from_bytes(self.content[at : at + (4 if version else 2)])

    def _tiles(self) -> list[int]:
        if b"iref" not in self.meta:
            return []
        version, _, at, last = self._full(b"iref")
        size = 4 if version else 2
        for name, start, _ in boxes(self.content, at, last):
            if name != b"dimg" or int.from_bytes(self.content[start : start + size]) != self.primary:
                continue
            count = int.from_bytes(self.content[start + size : start + size + 2])
            ids = self.content[start + size + 2 : start + size + 2 + count * size]
            return [int.from_bytes(ids[i * size : (i + 1) * size]) for i in range(count)]
        return []

    def _places(self) -> Iterator[tuple[int, tuple[int, list[tuple[int, int]]]]]:
        version, _, at, _ = self._full(b"iloc")
        sizes = int.from_bytes(self.content[at : at + 2])
        offset, length, base, index = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15, sizes & 15
        read = _Reader(self.content, at + 2)
        for _ in range(read.number(4 if version == 2 else 2)):
            item = read.number(4 if version == 2 else 2)
            method = read.number(2) & 15 if version else 0
            read.number(2)
            start, extents = read.number(base), []
            for _ in range(read.number(2)):
                read.number(index if version else 0)
                extents.append((start + read.number(offset), read.number(length)))
            yield item, (method, extents)

    def _properties(self) -> Iterator[tuple[bytes, bytes]]:
        start, end = self.meta[b"iprp"]
        for name, a, b in boxes(self.content, start, end):
            if name == b"ipco":
                for prop, c, d in boxes(self.content, a, b):
                    yield prop, bytes(self.content[c:d])

    def _owned(self) -> Iterator[tuple[int, list[int]]]:
        start, end = self.meta[b"iprp"]
        for name, a, _ in boxes(self.content, start, end):
            if name != b"ipma":
                continue
            version, is_wide = self.content[a], self.content[a + 3] & 1
            read = _Reader(self.content, a + 4)
            for _ in range(read.number(4)):
                item = read.number(4 if version else 2)
                marks = [read.number(2 if is_wide else 1) for _ in range(read.number(1))]
                yield item, [mark & (0x7FFF if is_wide else 0x7F) for mark in marks]


class _Reader:
    """Numbers one after the other."""

    def __init__(self, content: Any, at: int) -> None:
        self.content, self.at = content, at

    def number(self, size: int) -> int:
        raw = bytes(self.content[self.at : self.at + size])
        if len(raw) < size:
            raise Damaged("truncated")
        self.at += size
        return int.from_bytes(raw)


def box(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(body), name) + body


def full(name: bytes, body: bytes, version: int = 0) -> bytes:
    return box(name, struct.pack(">I", version << 24) + body)
