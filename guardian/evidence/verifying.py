"""Checks a bundle byte by byte, with nothing but the file: no configuration, no network, no database.

A bundle has one form only (`zip_layout`), so each of its bytes is compared: headers and directory with what they must
be, members with their digests, the manifest with its signature and its time stamp.
"""

import hashlib
import zlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import zip_longest
from pathlib import Path
from typing import IO

from guardian.errors import GuardianError
from guardian.evidence.case_history import faults_in
from guardian.evidence.manifest import (
    AUTHORITIES,
    BLOCK_BYTES,
    HISTORY,
    MANIFEST,
    PUBLIC_KEY,
    SIGNATURE,
    TIMESTAMP,
    Listed,
    Manifest,
    read_manifest,
)
from guardian.evidence.signing import SIGNATURE_BYTES, fingerprint, is_signed, public_pem, read_public_key
from guardian.evidence.timestamps import MOST_BYTES, StampedTime, check
from guardian.evidence.zip_layout import ZipMember, directory, local_header
from guardian.model import LostMember

_MOST_MANIFEST_BYTES = 64 << 20
_MOST_HISTORY_BYTES = 64 << 20
_HEADER_BYTES = 30
_SIZE_IN_HEADER = slice(18, 22)
_EDGE = 1 << 16
_CLOCKS_MAY_DIFFER = timedelta(minutes=5)


class NotABundle(GuardianError):
    """The file is none of guardian's bundles."""


@dataclass(frozen=True, slots=True)
class Damage:
    """The first thing that is not as it was written: the member, its bytes in the file (from, up to and not), why."""

    member: str
    first: int
    end: int
    why: str

    def __str__(self) -> str:
        return f"{self.member}, bytes {self.first}-{max(self.first, self.end - 1)} of the file: {self.why}"


@dataclass(frozen=True, slots=True)
class Verified:
    """What a bundle says, and what is wrong with it."""

    sha256: str

    size_bytes: int

    damage: Damage | None
    """None for a whole bundle."""

    manifest: Manifest | None = None
    """None when it cannot be read."""

    key: str | None = None
    """The fingerprint of the key that signed."""

    key_is_known: bool | None = None
    """Whether that is the given key; None when none was given."""

    stamped: StampedTime | None = None

    notes: tuple[str, ...] = ()
    """What is odd though whole."""

    places: tuple[ZipMember, ...] = field(default=(), repr=False)
    """Where its members are."""

    @property
    def is_whole(self) -> bool:
        """Whether every byte is as it was written and signed, by the given key if one was given."""
        return self.damage is None and self.key_is_known is not False

    @property
    def lost(self) -> tuple[LostMember, ...]:
        """Members that were lost before the bundle was made, as its manifest says."""
        return self.manifest.lost if self.manifest is not None else ()


class _Damaged(Exception):
    """Ends the check at the first damage."""

    def __init__(self, member: str, first: int, end: int, why: str) -> None:
        super().__init__(why)
        self.damage = Damage(member, first, end, why)


@dataclass(slots=True)
class _Reading:
    """A bundle that is being read from its begin to its end."""

    file: IO[bytes]
    size: int
    members: list[ZipMember] = field(default_factory=list)

    @property
    def position(self) -> int:
        """Where the next member must begin."""
        return self.members[-1].end if self.members else 0

    def compare(self, at: int, expected: bytes, member: str, what: str) -> None:
        """Raise _Damaged unless the file has these bytes at a position."""
        self.file.seek(at)
        found = self.file.read(len(expected))
        for place, (one, other) in enumerate(zip_longest(found, expected)):
            if one != other:
                raise _Damaged(member, at + place, at + len(expected), what)


def verify(
    path: Path, known_roots: Collection[bytes] = (), known_key: str | None = None, now: datetime | None = None
) -> Verified:
    """Return whether a bundle is whole, and what it says of itself; reads all of it, a part at a time.

    `known_roots`: root certificates (DER) of time-stamp authorities that are trusted here; `known_key`: the fingerprint
    of the key that must have signed; `now`: the time here, if times in the future shall be told. Raises NotABundle,
    OSError.
    """
    if path.exists() and not path.is_file() and not path.is_dir():
        # A pipe can be read once, and a device for ever.
        raise NotABundle(f"{path} is no file: write the bundle to a disk first")
    with path.open("rb") as file:
        size = file.seek(0, 2)
        _require_bundle(file, size, path)
        file.seek(0)
        whole = hashlib.file_digest(file, "sha256").hexdigest()

        reading = _Reading(file, size)
        manifest: Manifest | None = None
        key: str | None = None
        stamped: StampedTime | None = None
        try:
            content, manifest = _read_manifest(reading)
            key = _check_signature(reading, content, manifest)
            if manifest.is_stamped:
                stamped = _check_timestamp(reading, content, known_roots)
            for member in manifest.members:
                _check_member(reading, member)
            _check_end(reading)
        except _Damaged as error:
            return Verified(whole, size, error.damage, manifest, key, _is_known(key, known_key), stamped)
        notes = (*_notes(manifest, stamped, now), *_history_faults(reading))

    places = tuple(reading.members)
    return Verified(whole, size, None, manifest, key, _is_known(key, known_key), stamped, notes, places)


def _is_known(key: str | None, known: str | None) -> bool | None:
    return None if known is None else key == known


def _require_bundle(file: IO[bytes], size: int, path: Path) -> None:
    """Raise NotABundle unless something at one of its ends says that it is, or was, one of guardian's bundles."""
    file.seek(0)
    head = file.read(_EDGE)
    file.seek(max(0, size - _EDGE))
    tail = file.read(_EDGE)
    # One of them is enough: the others may be what was damaged.
    signs = (
        head[_HEADER_BYTES:].startswith(MANIFEST.encode()),
        b'"format":"guardian-evidence/' in head,
        SIGNATURE.encode() in tail and MANIFEST.encode() in tail,
    )
    if not any(signs):
        raise NotABundle(f"{path} is no bundle of evidence as `guardian evidence export` writes it")


def _read_manifest(reading: _Reading) -> tuple[bytes, Manifest]:
    content = _small_member(reading, MANIFEST, _MOST_MANIFEST_BYTES)
    try:
        return content, read_manifest(content)
    except ValueError as error:
        raise _changed(reading, str(error)) from error


def _check_signature(reading: _Reading, content: bytes, manifest: Manifest) -> str:
    """Check signature and public key; return the key's fingerprint."""
    signature = _small_member(reading, SIGNATURE, SIGNATURE_BYTES)
    pem = _small_member(reading, PUBLIC_KEY, 1024)
    try:
        key = read_public_key(pem)
    except ValueError as error:
        raise _changed(reading, "it is no Ed25519 public key") from error

    # Other texts may stand for the same key: only the one that guardian writes is whole.
    if public_pem(key) != pem or fingerprint(key) != manifest.key:
        raise _changed(reading, "it is not the key that the manifest names")
    if not is_signed(key, signature, content):
        place = reading.members[0]
        raise _Damaged(
            MANIFEST,
            place.content_offset,
            place.end,
            f"its signature ({SIGNATURE}) does not fit it: one of them changed",
        )
    return fingerprint(key)


def _check_timestamp(reading: _Reading, content: bytes, known_roots: Collection[bytes]) -> StampedTime:
    answer = _small_member(reading, TIMESTAMP, MOST_BYTES)
    place = reading.members[-1]
    chain = _small_member(reading, AUTHORITIES, MOST_BYTES)
    try:
        return check(answer, chain, content, known_roots)
    except ValueError as error:
        raise _Damaged(
            TIMESTAMP, place.content_offset, place.end, f"it is no good time stamp of the manifest: {error}"
        ) from error


def _small_member(reading: _Reading, name: str, most: int) -> bytes:
    """Return the content of the next member, which the manifest does not name, and check its header by its content."""
    start = reading.position
    header = ZipMember(name, 0, 0, start)
    reading.file.seek(start)
    size = int.from_bytes(reading.file.read(_HEADER_BYTES)[_SIZE_IN_HEADER], "little")
    if size > min(most, reading.size):
        raise _Damaged(name, start, header.content_offset, f"the header does not begin the member {name}")

    reading.file.seek(header.content_offset)
    content = reading.file.read(size)
    member = ZipMember(name, size, zlib.crc32(content), start)
    reading.members.append(member)
    if len(content) < size:
        raise _Damaged(name, start, reading.size, "the file ends within it")
    _check_header(reading, member)
    return content


def _check_header(reading: _Reading, member: ZipMember) -> None:
    """Check the header of a member whose content was read; the checksum in it speaks of the content."""
    expected = local_header(member)
    reading.file.seek(member.offset)
    found = reading.file.read(len(expected))
    if found[:14] == expected[:14] and found[18:] == expected[18:] and found[14:18] != expected[14:18]:
        raise _Damaged(member.name, member.offset + 14, member.end, "its content or its checksum was changed")
    reading.compare(member.offset, expected, member.name, f"the header does not begin the member {member.name}")


def _check_member(reading: _Reading, listed: Listed) -> None:
    """Check the header and the content of the next member, which the manifest names."""
    start = reading.position
    if listed.size_bytes > reading.size - start:
        raise _Damaged(listed.name, start, reading.size, "the file ends within it")
    before = ZipMember(listed.name, listed.size_bytes, 0, start)
    expected = local_header(before)
    wrong = f"the header does not begin the member {listed.name}, which the manifest names here"
    # First all but the checksum: it is known when the content has been read.
    reading.compare(start, expected[:14], listed.name, wrong)
    reading.compare(start + 18, expected[18:], listed.name, wrong)

    reading.file.seek(before.content_offset)
    whole, crc32 = hashlib.sha256(), 0
    first_bad: tuple[int, int] | None = None
    for number, at in enumerate(range(0, listed.size_bytes, BLOCK_BYTES)):
        block = reading.file.read(min(BLOCK_BYTES, listed.size_bytes - at))
        whole.update(block)
        crc32 = zlib.crc32(block, crc32)
        if first_bad is None and listed.blocks and hashlib.sha256(block).hexdigest() != listed.blocks[number]:
            first_bad = (before.content_offset + at, before.content_offset + at + max(1, len(block)))

    if whole.hexdigest() != listed.sha256:
        first, end = first_bad or (before.content_offset, before.end)
        raise _Damaged(listed.name, first, end, "its content was changed")
    if first_bad is not None:
        raise _Damaged(listed.name, *first_bad, "the digests of its parts in the manifest are not those of its content")
    member = ZipMember(listed.name, listed.size_bytes, crc32, start)
    reading.members.append(member)
    reading.compare(start, local_header(member), listed.name, "its checksum in the header was changed")


def _check_end(reading: _Reading) -> None:
    start, expected = reading.position, directory(reading.members)
    reading.compare(start, expected, "the zip file's directory", "it does not follow from the members before it")
    end = start + len(expected)
    if reading.size > end:
        raise _Damaged("the end of the file", end, reading.size, "something was added after the bundle")


def _changed(reading: _Reading, why: str) -> _Damaged:
    """Return the damage of the member that was read last."""
    place = reading.members[-1]
    return _Damaged(place.name, place.content_offset, place.end, why)


def _history_faults(reading: _Reading) -> Sequence[str]:
    """Return what does not fit together in the history of the case, which was so when the bundle was signed."""
    place = next((member for member in reading.members if member.name == HISTORY), None)
    if place is None or place.size > _MOST_HISTORY_BYTES:
        return ()
    reading.file.seek(place.content_offset)
    return faults_in(reading.file.read(place.size))


def _notes(manifest: Manifest, stamped: StampedTime | None, now: datetime | None) -> Iterator[str]:
    """Yield what is odd about the times of a bundle, in sentences."""
    if stamped is not None:
        apart = abs(stamped.at - manifest.made_at)
        if apart > _CLOCKS_MAY_DIFFER:
            minutes = round(apart / timedelta(minutes=1))
            yield f"the clock of the machine that made the bundle was {minutes} minutes apart from the time stamp"

    latest = max(manifest.made_at, stamped.at) if stamped is not None else manifest.made_at
    if now is not None and latest > now + _CLOCKS_MAY_DIFFER:
        yield "it names a time that is still to come by the clock of this machine: one of the clocks was wrong"
