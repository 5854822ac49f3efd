"""The one form that a bundle's zip file has: stored members, fixed headers, nothing between them.

Each byte of such a file follows from the names and contents of its members, so a reader can compare all of them.
Written here, since what Python's zipfile writes around the members changes with its versions.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_END_64 = struct.Struct("<4sQ2H2I4Q")
_LOCATOR_64 = struct.Struct("<4sIQI")

_LARGE = 0xFFFFFFFF
_MANY = 0xFFFF
_VERSION, _VERSION_64 = 20, 45
_MIDNIGHT, _FIRST_DAY = 0, (1 << 5) | 1
"""1 January 1980, the first day that zip files know: when a bundle was made stands in its manifest."""
_MADE_ON_UNIX = 3 << 8
_READABLE_FILE = 0o100644 << 16


@dataclass(frozen=True, slots=True)
class ZipMember:
    """One member as the zip file names it: `size` in bytes, CRC-32 of its content, `offset` of its local header."""

    name: str
    size: int
    crc32: int
    offset: int

    @property
    def content_offset(self) -> int:
        """Where its content begins."""
        return self.offset + len(local_header(self))

    @property
    def end(self) -> int:
        """Where the next member begins."""
        return self.content_offset + self.size


def local_header(member: ZipMember) -> bytes:
    """Return the bytes that stand before the content of a member."""
    name = member.name.encode("ascii")
    is_large = member.size >= _LARGE
    size = _LARGE if is_large else member.size
    extra = struct.pack("<2H2Q", 1, 16, member.size, member.size) if is_large else b""
    version = _VERSION_64 if is_large else _VERSION
    fixed = _LOCAL.pack(
        b"PK\x03\x04", version, 0, 0, _MIDNIGHT, _FIRST_DAY, member.crc32, size, size, len(name), len(extra)
    )
    return fixed + name + extra


def directory(members: Sequence[ZipMember]) -> bytes:
    """Return the bytes that stand after the last member: the zip file's directory and its end."""
    entries = b"".join(_entry(member) for member in members)
    start = members[-1].end if members else 0

    count, size, offset = len(members), len(entries), start
    large = b""
    if count >= _MANY or size >= _LARGE or offset >= _LARGE:
        version = _MADE_ON_UNIX | _VERSION_64
        large = _END_64.pack(b"PK\x06\x06", 44, version, _VERSION_64, 0, 0, count, count, size, offset)
        large += _LOCATOR_64.pack(b"PK\x06\x07", 0, offset + size, 1)
    shown = min(count, _MANY)
    end = _END.pack(b"PK\x05\x06", 0, 0, shown, shown, min(size, _LARGE), min(offset, _LARGE), 0)
    return entries + large + end


def _entry(member: ZipMember) -> bytes:
    name = member.name.encode("ascii")
    large = b""
    if member.size >= _LARGE:
        large += struct.pack("<2Q", member.size, member.size)
    if member.offset >= _LARGE:
        large += struct.pack("<Q", member.offset)
    extra = struct.pack("<2H", 1, len(large)) + large if large else b""

    version = _VERSION_64 if large else _VERSION
    fixed = _CENTRAL.pack(
        b"PK\x01\x02",
        _MADE_ON_UNIX | version,
        version,
        0,
        0,
        _MIDNIGHT,
        _FIRST_DAY,
        member.crc32,
        min(member.size, _LARGE),
        min(member.size, _LARGE),
        len(name),
        len(extra),
        0,
        0,
        0,
        _READABLE_FILE,
        min(member.offset, _LARGE),
    )
    return fixed + name + extra
