"""Takes what the owner's file, the picture that was found and a control picture say of rights, side by side.

The control picture is another one of the same host: a site that strips everything is not the same as one that removed
yours.
"""

import asyncio
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import structlog

from guardian.errors import CaptureFull, GuardianError, WorkerLost
from guardian.evidence.capture_folder import CaptureFolder
from guardian.evidence.exchanges import Exchanges
from guardian.evidence.step_result import StepResult
from guardian.evidence.subjects import CaptureSubject
from guardian.evidence.vault import Vault
from guardian.matching.workers import Workers
from guardian.media.sniff import is_picture, picture_type
from guardian.model import NotTaken, Response
from guardian.urls.addresses import host_of
from guardian.urls.renditions import picture_key

if TYPE_CHECKING:
    from guardian.evidence.file_metadata import FileMetadata

FORMAT = "guardian-rights/1"
_MOST_CONTROLS = 3
"""Pictures of the host that are looked at; the first one with metadata is the control picture."""

_MOST_VERSIONS = 5
"""Other versions of the work that are read."""

_LEAST_CONTROL_BYTES = 5_000
"""Smaller files are icons and spacers, which have no metadata anywhere."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Vaults:
    """Where bytes are kept: what was found, and the owner's own pictures."""

    evidence: Vault
    originals: Vault


@dataclass(frozen=True, slots=True)
class _Control:
    """The picture that the found one is held against."""

    url: str
    content: bytes
    read: "FileMetadata"


async def take_rights(
    subject: CaptureSubject, folder: CaptureFolder, vaults: Vaults, workers: Workers, exchanges: Exchanges
) -> StepResult:
    """Read the metadata of both pictures and of a control picture in worker processes, and keep what they say.

    The control picture is one of those that the exchanges of the capture brought. What could not be read is said.
    Raises VaultFull, WorkersUnavailable.
    """
    vault = vaults.evidence
    if subject.image_sha256 is None or not vault.holds(subject.image_sha256):
        reason = "the bytes of the picture that was found were not kept, so its metadata cannot be read"
        return StepResult(not_taken=(NotTaken("rights", reason),))
    found_bytes = await asyncio.to_thread(vault.get, subject.image_sha256)
    try:
        original_bytes = await asyncio.to_thread(subject.original_bytes)
    except GuardianError as error:
        reason = f"{error}, so nothing can be compared with it"
        return StepResult(not_taken=(NotTaken("rights", reason),))

    original, found = await _read(workers, original_bytes), await _read(workers, found_bytes)
    control, why_none = await _control(subject, workers, exchanges)
    versions = await _other_versions(subject, vaults.originals, workers)
    told = _told(subject, (original, found), control, versions)
    not_taken = [NotTaken("control picture", why_none)] if control is None else []

    content = json.dumps(told, ensure_ascii=False, sort_keys=True, indent=1).encode("utf-8", "replace")
    about = "What both pictures, and another one of the same host, say of rights in their metadata, field by field."
    files = [folder.add("rights.json", content, "application/json", about)]
    if control is not None:
        kind = picture_type(control.content)
        about = (
            "Another picture of the same host, to tell a host that removes all metadata from one that removed yours."
        )
        try:
            files.append(folder.add(f"rights/control.{kind.ending}", control.content, kind.media_type, about))
        except CaptureFull as error:
            not_taken.append(NotTaken("control picture", str(error)))
    return StepResult(tuple(files), tuple(not_taken))


async def _other_versions(
    subject: CaptureSubject, originals: Vault, workers: Workers
) -> list[tuple[str, "FileMetadata"]]:
    """Return what other versions of the work say, by their titles; without those whose file is missing or damaged."""
    read = []
    for asset in [one for one in subject.work.protected if one.id != subject.asset.id][:_MOST_VERSIONS]:
        if not originals.holds(asset.sha256):
            continue
        try:
            content = await asyncio.to_thread(originals.get, asset.sha256)
        except GuardianError as error:
            log.warning("version_not_read", asset=asset.id, reason=str(error))
            continue
        read.append((asset.title, await _read(workers, content)))
    return read


async def _read(workers: Workers, content: bytes) -> "FileMetadata":
    # Imported late: it brings Pillow and OpenCV, which only workers need.
    from guardian.evidence.all_metadata import read_all_metadata

    return await workers.run(read_all_metadata, content)


async def _control(subject: CaptureSubject, workers: Workers, exchanges: Exchanges) -> tuple[_Control | None, str]:
    """Return another picture of the found one's host, the first with metadata of up to three; without one, why."""
    if subject.image_url is None:
        return None, "the picture was not seen on a host of the web"
    host, key = host_of(subject.image_url), picture_key(subject.image_url)
    others = [
        picture
        for picture in exchanges.pictures
        if host in (host_of(picture.url), host_of(picture.final_url)) and picture_key(picture.url) != key
    ]
    if not others:
        return None, exchanges.unreachable or exchanges.refused or "the page shows no other picture of the same host"

    known = (subject.image_sha256, subject.asset.sha256)
    large = [picture for picture in others if _is_control(picture, known)]
    first: _Control | None = None
    why_none = "the other pictures of the same host are too small to say anything"
    for picture in sorted(large, key=_likelihood)[:_MOST_CONTROLS]:
        try:
            control = _Control(picture.url, picture.content, await _read(workers, picture.content))
        except WorkerLost as error:
            # A stranger's picture must not keep both that matter from being read.
            why_none = f"another picture of the same host could not be read: {error}"
            continue
        if control.read.fields:
            return control, ""
        first = first or control
    return first, why_none


def _is_control(picture: Response, known: tuple[str | None, ...]) -> bool:
    """Return whether an answer is a picture of some size, and none of those that are compared."""
    is_large = is_picture(picture) and len(picture.content) >= _LEAST_CONTROL_BYTES
    return is_large and hashlib.sha256(picture.content).hexdigest() not in known


def _likelihood(picture: Response) -> bool:
    """Return what orders pictures by how likely they have metadata: photographs are mostly JPEG."""
    return picture_type(picture.content).media_type != "image/jpeg"


def _told(
    subject: CaptureSubject,
    both: tuple["FileMetadata", "FileMetadata"],
    control: _Control | None,
    versions: list[tuple[str, "FileMetadata"]],
) -> dict[str, Any]:
    """Return what rights.json says."""
    from guardian.evidence.c2pa_manifests import NOT_INSTALLED, can_read_manifests
    from guardian.evidence.rights_changes import ReadFile, compared, conclusion

    original, found = both
    read = ReadFile(control.read, control.url) if control is not None else None
    fields = compared(original, found, control.read if control is not None else None)
    return {
        "format": FORMAT,
        "original": {"sha256": subject.asset.sha256, "unread": list(original.unread)},
        "found": {"sha256": subject.image_sha256, "url": subject.image_url, "unread": list(found.unread)},
        "control": _control_told(control),
        "c2pa": "read" if can_read_manifests() else NOT_INSTALLED,
        "fields": [
            asdict(field) | {"change": field.change, "management_information": field.is_management_information}
            for field in fields
        ],
        "conclusion": list(conclusion(original, found, read, versions)),
    }


def _control_told(control: _Control | None) -> Mapping[str, Any] | None:
    if control is None:
        return None
    digest = hashlib.sha256(control.content).hexdigest()
    return {"sha256": digest, "url": control.url, "unread": list(control.read.unread)}
