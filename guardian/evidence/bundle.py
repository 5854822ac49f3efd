"""Writes a bundle: one zip file with members, their manifest, its signature and its time stamp; all of it or nothing.

Which members a case has is worked out in `case_members`; the form of the file is `zip_layout`'s.
"""

import asyncio
import hashlib
import zlib
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import IO

from guardian.durable import new_file, sync_file
from guardian.errors import GuardianError, UsageError
from guardian.evidence.instructions import instructions
from guardian.evidence.manifest import (
    AUTHORITIES,
    BLOCK_BYTES,
    INSTRUCTIONS,
    MANIFEST,
    PUBLIC_KEY,
    SIGNATURE,
    SUMS,
    TIMESTAMP,
    Listed,
    Manifest,
    is_member_name,
)
from guardian.evidence.signing import SigningKey
from guardian.evidence.timestamps import Stamp
from guardian.evidence.zip_layout import ZipMember, directory, local_header
from guardian.model import LostMember, LostState


@dataclass(frozen=True, slots=True)
class Member:
    """What shall go into a bundle."""

    name: str

    content: bytes | Path
    """The bytes themselves, or the file that has them."""

    media_type: str

    about: str
    """One plain sentence."""

    sha256: str | None = None
    """What a file must have, when that is known from elsewhere; another content is refused."""

    size_bytes: int | None = None
    """How many bytes a file had when it was kept; None where that is not recorded."""

    listed: Listed | None = field(default=None, repr=False)
    """The member as it was measured; None before that."""


@dataclass(frozen=True, slots=True)
class Written:
    """A bundle that was written: where, the SHA-256 of the whole file and of its manifest, its size and members."""

    path: Path
    sha256: str
    manifest_sha256: str
    size_bytes: int
    members: int
    lost: tuple[LostMember, ...] = ()
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BundleHead:
    """What a bundle says of itself beside its members; `lost` and `left_out` as in a manifest."""

    case_id: str
    made_at: datetime
    guardian_version: str
    lost: tuple[LostMember, ...] = ()
    left_out: tuple[str, ...] = ()


Stamping = Callable[[bytes], Awaitable[Stamp]]
"""Returns a time stamp over some bytes. Raises NoTimestamp."""

Noting = Callable[[Written], None]
"""Records a bundle that is about to appear under its name; what it raises keeps the bundle from appearing."""


async def write_bundle(
    out: Path,
    head: BundleHead,
    members: Sequence[Member],
    key: SigningKey,
    stamping: Stamping | None,
    noting: Noting | None = None,
) -> Written:
    """Write a new bundle and return what was written; it is on disk when this returns.

    Members are streamed. The file appears under its name when it is whole; what happens before leaves nothing there.
    `out` may be a folder, where the file is then named after its manifest. `noting` is called in a thread, when the
    file is on disk and has no name yet. Raises UsageError when the file is there already, GuardianError when a member
    is not what it should be, NoTimestamp, OSError (a full disk) with the file's name.
    """
    refuse_existing(out)
    how = instructions(is_stamped=stamping is not None, lost=head.lost, left_out=head.left_out)
    how_to_check = Member(INSTRUCTIONS, how, "text/plain", _ABOUT_INSTRUCTIONS)
    # In threads: the desk goes on answering while gigabytes are read and written.
    listed = await asyncio.to_thread(
        lambda: [member.listed or _measured(member) for member in (how_to_check, *members)]
    )
    sums = Member(SUMS, _sums(listed), "text/plain", "The SHA-256 of each file, as sha256sum checks it.")
    listed.insert(1, _measured(sums))

    manifest = Manifest(
        case_id=head.case_id,
        made_at=head.made_at,
        guardian_version=head.guardian_version,
        key=key.fingerprint,
        is_stamped=stamping is not None,
        members=tuple(listed),
        lost=head.lost,
        left_out=head.left_out,
    ).content()
    files = await _vouched_for(manifest, key, stamping)
    files += [
        _ZipContent(member.name, member.content, measured.sha256)
        for member, measured in zip((how_to_check, sums, *members), listed, strict=True)
    ]

    manifest_sha256 = hashlib.sha256(manifest).hexdigest()
    path = out / _name_of(head, manifest_sha256) if out.is_dir() else out

    def write() -> Written:
        with new_file(path) as file:
            size = _write_zip(file, files)
            file.seek(0)
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
            sync_file(file)
            written = Written(path, sha256, manifest_sha256, size, len(files), head.lost, head.left_out)
            if noting is not None:
                noting(written)
            return written

    try:
        return await asyncio.to_thread(write)
    except FileExistsError as error:
        raise UsageError(_EXISTS.format(path)) from error


async def _vouched_for(manifest: bytes, key: SigningKey, stamping: Stamping | None) -> list["_ZipContent"]:
    """Return the manifest, its signature with the key that checks it, and its time stamp. Raises NoTimestamp."""
    files = [
        _ZipContent(MANIFEST, manifest),
        _ZipContent(SIGNATURE, key.sign(manifest)),
        _ZipContent(PUBLIC_KEY, key.public_pem),
    ]
    if stamping is not None:
        stamp = await stamping(manifest)
        files += [_ZipContent(TIMESTAMP, stamp.answer), _ZipContent(AUTHORITIES, stamp.chain)]
    return files


_EXISTS = "{} exists already; a bundle is written once: choose another name"
_ABOUT_INSTRUCTIONS = "How to check this bundle without guardian, with sha256sum and openssl."


def refuse_existing(out: Path) -> None:
    """Raise UsageError when a bundle cannot be written there: something has that name, or there is no such folder."""
    if out.exists() and not out.is_dir():
        raise UsageError(_EXISTS.format(out))
    if not out.parent.is_dir():
        raise UsageError(f"there is no folder {out.parent}")


def _name_of(head: BundleHead, manifest_sha256: str) -> str:
    """Return what a bundle is called in a folder: what it lacks must be seen where it lies beside a full one."""
    shortened = "-for-others" if head.left_out else ""
    incomplete = "-incomplete" if head.lost else ""
    return f"{head.case_id}-{manifest_sha256[:16]}{shortened}{incomplete}.zip"


def measured_members(members: Sequence[Member]) -> tuple[list[Member], list[LostMember]]:
    """Return the members that are whole, as they were measured, and those that are lost; reads all of them.

    Lost is a file that should have certain bytes (`sha256`) and is not there, has others, or cannot be read.
    """
    whole, lost = [], []
    for member in members:
        try:
            whole.append(replace(member, listed=_measured(member)))
        except (_NotAsKept, OSError) as error:
            if member.sha256 is None:
                raise
            state = error.state if isinstance(error, _NotAsKept) else LostState.UNREADABLE
            about = _written_about(member)
            lost.append(LostMember(member.name, member.sha256, member.size_bytes, about, state))
    return whole, lost


class _NotAsKept(GuardianError):
    """A file does not have the bytes that were kept."""

    def __init__(self, text: str, state: LostState) -> None:
        super().__init__(text)
        self.state = state


def _written_about(member: Member) -> str:
    return member.about.encode("utf-8", "replace").decode()


def _measured(member: Member) -> Listed:
    """Return a member as the manifest names it; reads all of it. Raises _NotAsKept when its bytes are others."""
    if not is_member_name(member.name):
        raise ValueError(f"{member.name!r} cannot be the name of a member")
    whole, size, blocks = hashlib.sha256(), 0, []
    for block in _blocks(member.content):
        whole.update(block)
        size += len(block)
        blocks.append(hashlib.sha256(block).hexdigest())

    digest = whole.hexdigest()
    if member.sha256 not in (None, digest):
        raise _NotAsKept(
            f"{member.name} is not as it was kept: its file ({member.sha256}) is damaged; restore it from a backup "
            "(`guardian evidence check` finds all that is damaged)",
            LostState.DAMAGED,
        )
    parts = tuple(blocks) if len(blocks) > 1 else ()
    return Listed(member.name, digest, size, member.media_type, _written_about(member), parts)


def _blocks(content: bytes | Path) -> Iterator[bytes]:
    """Yield some bytes in parts of BLOCK_BYTES."""
    if isinstance(content, bytes):
        yield from _parts(BytesIO(content))
        return
    try:
        with content.open("rb") as file:
            yield from _parts(file)
    except FileNotFoundError as error:
        raise _NotAsKept(
            f"{content} is missing: restore it from a backup, or export on the machine that captured it",
            LostState.MISSING,
        ) from error


def _parts(file: IO[bytes]) -> Iterator[bytes]:
    while block := file.read(BLOCK_BYTES):
        yield block


def _sums(listed: Sequence[Listed]) -> bytes:
    return "".join(f"{member.sha256}  {member.name}\n" for member in listed).encode("ascii")


@dataclass(frozen=True, slots=True)
class _ZipContent:
    """One file of the zip. `sha256`: what its content was measured to have, and must still have when it is written."""

    name: str
    content: bytes | Path
    sha256: str | None = None


def _write_zip(file: IO[bytes], files: Sequence[_ZipContent]) -> int:
    """Write a zip file of these files and return its size. Raises GuardianError when one was changed meanwhile."""
    members: list[ZipMember] = []
    offset = 0
    for one in files:
        name, content = one.name, one.content
        size = len(content) if isinstance(content, bytes) else content.stat().st_size
        # The header needs the checksum, which is known after the content: it is written in its place afterwards.
        file.write(local_header(ZipMember(name, size, 0, offset)))
        crc32, whole, written = 0, hashlib.sha256(), 0
        for block in _blocks(content):
            file.write(block)
            crc32 = zlib.crc32(block, crc32)
            whole.update(block)
            written += len(block)
        if written != size or one.sha256 not in (None, whole.hexdigest()):
            raise GuardianError(f"{name} was changed while the bundle was written; try again")

        member = ZipMember(name, size, crc32, offset)
        file.seek(offset)
        file.write(local_header(member))
        file.seek(member.end)
        members.append(member)
        offset = member.end

    end = directory(members)
    file.write(end)
    return offset + len(end)
