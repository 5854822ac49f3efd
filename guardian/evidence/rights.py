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

from guardian.errors import CaptureFull, FetchFailed, FetchRefused, GuardianError
from guardian.evidence.captured_page import pictures_of_page
from guardian.evidence.keeper import Keeper, Taken
from guardian.evidence.subjects import CaptureSubject
from guardian.evidence.vault import Vault
from guardian.fetch.fetcher import Fetcher
from guardian.matching.workers import Workers
from guardian.media.sniff import is_picture, picture_type
from guardian.model import NotTaken, Referrer
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
    subject: CaptureSubject, keeper: Keeper, vaults: Vaults, workers: Workers, fetcher: Fetcher
) -> Taken:
    """Read the metadata of both pictures and of a control picture in worker processes, and keep what they say.

    What could not be read or fetched is said. Raises VaultFull, WorkersUnavailable.
    """
    vault = vaults.evidence
    if subject.image_sha256 is None or not vault.holds(subject.image_sha256):
        reason = "the bytes of the picture that was found were not kept, so its metadata cannot be read"
        return Taken(not_taken=(NotTaken("rights", reason),))
    found_bytes = await asyncio.to_thread(vault.get, subject.image_sha256)
    try:
        original_bytes = await asyncio.to_thread(subject.original.read_bytes)
    except FileNotFoundError:
        reason = "the owner's own file is missing, so nothing can be compared with it"
        return Taken(not_taken=(NotTaken("rights", reason),))

    original, found = await _read(workers, original_bytes), await _read(workers, found_bytes)
    control, why_none = await _control(subject, vault, workers, fetcher)
    versions = await _other_versions(subject, vaults.originals, workers)
    told = _told(subject, (original, found), control, versions)
    not_taken = [NotTaken("control picture", why_none)] if control is None else []

    content = json.dumps(told, ensure_ascii=False, sort_keys=True, indent=1).encode("utf-8", "replace")
    about = "What both pictures, and another one of the same host, say of rights in their metadata, field by field."
    files = [keeper.keep("rights.json", content, "application/json", about)]
    if control is not None:
        kind = picture_type(control.content)
        about = (
            "Another picture of the same host, to tell a host that removes all metadata from one that removed yours."
        )
        try:
            files.append(keeper.keep(f"rights/control.{kind.ending}", control.content, kind.media_type, about))
        except CaptureFull as error:
            not_taken.append(NotTaken("control picture", str(error)))
    return Taken(tuple(files), tuple(not_taken))


async def _other_versions(
    subject: CaptureSubject, originals: Vault, workers: Workers
) -> list[tuple[str, "FileMetadata"]]:
    """Return what other versions of the work say, by their titles; those whose file is missing are left out."""
    read = []
    for asset in [one for one in subject.work.protected if one.id != subject.asset.id][:_MOST_VERSIONS]:
        if originals.holds(asset.sha256):
            content = await asyncio.to_thread(originals.get, asset.sha256)
            read.append((asset.title, await _read(workers, content)))
    return read


async def _read(workers: Workers, content: bytes) -> "FileMetadata":
    # Imported late: it brings Pillow and OpenCV, which only workers need.
    from guardian.evidence.all_metadata import read_all_metadata

    return await workers.run(read_all_metadata, content)


async def _control(
    subject: CaptureSubject, vault: Vault, workers: Workers, fetcher: Fetcher
) -> tuple[_Control | None, str]:
    """Return another picture of the host that shows the found one, the first with metadata of up to three; else why.

    Requested as a scan would: politely, and by robots.txt.
    """
    image_url, page_url = subject.image_url, subject.page_url
    if image_url is None or page_url is None or subject.page_sha256 is None:
        return None, "no page was kept that names other pictures of the same host"

    try:
        shown = await pictures_of_page(vault, subject.page_sha256, page_url)
    except GuardianError as error:
        return None, f"the page that names other pictures cannot be read: {error}"
    candidates = [
        url for url in shown if host_of(url) == host_of(image_url) and picture_key(url) != picture_key(image_url)
    ]
    if not candidates:
        return None, "its page shows no other picture of the same host"

    first: _Control | None = None
    problem = "none of them is large enough to say anything"
    for url in sorted(candidates, key=_likelihood)[:_MOST_CONTROLS]:
        try:
            response = await fetcher.get(url, kind="image", referrer=Referrer(page_url))
        except (FetchFailed, FetchRefused) as error:
            problem = f"other pictures of the same host could not be fetched: {error}"
            continue
        digest = hashlib.sha256(response.content).hexdigest()
        is_other = digest not in (subject.image_sha256, subject.asset.sha256)
        if not is_other or not is_picture(response) or len(response.content) < _LEAST_CONTROL_BYTES:
            continue
        control = _Control(url, response.content, await _read(workers, response.content))
        if control.read.fields:
            return control, ""
        first = first or control
    return first, problem


def _likelihood(url: str) -> bool:
    """Return what orders pictures by how likely they have metadata: photographs are mostly JPEG."""
    return not url.partition("?")[0].lower().endswith((".jpg", ".jpeg"))


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
