"""Exports the bundle of a case: reads it, makes its report, has it stamped, writes it and says so in the audit log."""

import asyncio
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

import structlog

from guardian import __version__
from guardian.cases.reading import case_starting_with
from guardian.errors import GuardianError, UsageError
from guardian.evidence.bundle import BundleHead, Written, refuse_existing, write_bundle
from guardian.evidence.bundle_options import EVERYTHING, BundleOptions
from guardian.evidence.case_members import CaseFiles, case_files, whole_files, with_report
from guardian.evidence.comparison import FOUND_NAME
from guardian.evidence.report.content import ReportPictures
from guardian.evidence.settings import EvidenceSettings
from guardian.evidence.signing import KEY_FILE, SigningKey, installation_key
from guardian.evidence.timestamps import NoTimestamp, Stamp, stamp
from guardian.evidence.vault import Vault
from guardian.fetch.trusted import TrustedClient
from guardian.matching.workers import Workers
from guardian.model import Actor, CaptureReason, Case, EvidenceCapture
from guardian.store import Store, Transaction
from guardian.urls.addresses import shown_url
from guardian.views.timelines import TimelineEntry

_OUTLINED = ("comparison/original-outlined.png", "comparison/found-outlined.png")
_HEAT_MAP, _SCREENSHOT = "comparison/heat-map.png", "screenshot.png"
_MOST_PICTURE_BYTES = 64 << 20
_EXPORTED = "evidence.exported"
"""The action of the audit log."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Exporting:
    """What an export needs that is opened once.

    `originals`: where the owner's pictures lie. `time_line_of` tells all that happened to a case: notices are told of
    by a package above this one.
    """

    store: Store
    vault: Vault
    originals: Vault
    workers: Workers
    client: TrustedClient
    settings: EvidenceSettings
    data_dir: Path
    time_line_of: Callable[[Transaction, Case, datetime], Sequence[TimelineEntry]]


async def export(
    exporting: Exporting,
    start: str,
    out: Path,
    actor: Actor,
    now: datetime,
    options: BundleOptions = EVERYTHING,
) -> Written:
    """Write the bundle of the case whose id begins with `start`, and return what was written.

    What is lost or damaged where it is kept is not in it; the bundle says so, and so does what is returned, of which
    the caller tells. Raises UsageError (no such case, the file is there), NoTimestamp when authorities are configured
    and none answers, OSError when the disk is full.
    """
    refuse_existing(out)

    def read() -> CaseFiles:
        with exporting.store.read() as tx:
            case = case_starting_with(tx, start)
            time_line = exporting.time_line_of(tx, case, now)
            files = case_files(tx, case, exporting.vault, exporting.originals, now, time_line, options)
        return whole_files(files)

    files = await asyncio.to_thread(read)
    key = await asyncio.to_thread(_key, exporting)
    authorities = exporting.settings.timestamps if options.with_timestamp else ()
    pictures = await _pictures(exporting, files)
    members = await asyncio.to_thread(
        with_report, files, pictures, key.fingerprint, tuple(shown_url(one.url) for one in authorities), exporting.vault
    )

    case_id = files.record.detail.case.id
    head = BundleHead(case_id, now, __version__, files.lost, files.record.left_out)
    stamping = partial(_stamped, exporting) if authorities else None

    def note(written: Written) -> None:
        _note(exporting.store, case_id, written, actor, now)

    # Nobody has a bundle of which the audit log knows nothing, even if this process is killed: first the log.
    return await write_bundle(out, head, members, key, stamping, note)


async def _stamped(exporting: Exporting, content: bytes) -> Stamp:
    """Return the time stamp of a bundle. Raises NoTimestamp, in words for whoever exports."""
    settings = exporting.settings
    try:
        return await stamp(exporting.client, settings.timestamps, content, settings.timestamp_patience)
    except NoTimestamp as error:
        raise NoTimestamp(f"no bundle was written, since no time-stamp authority gave a time: {error}") from error


def _note(store: Store, case_id: str, written: Written, actor: Actor, now: datetime) -> None:
    """Write to the audit log who has exported a bundle, and what it lacks."""
    detail = {"file": written.path.name, "sha256": written.sha256, "manifest_sha256": written.manifest_sha256}
    if written.left_out:
        detail["for_others"] = "yes"
    if written.lost:
        detail["missing"] = ", ".join(one.name for one in written.lost)
    with store.begin() as tx:
        tx.audit.add(actor, _EXPORTED, case_id, now, detail)


def _key(exporting: Exporting) -> SigningKey:
    """Return the key that signs. Raises UsageError when it was lost: nobody would notice that another one signs."""
    path = exporting.data_dir / KEY_FILE
    if not path.exists():
        with exporting.store.read() as tx:
            earlier = tx.audit.latest(1, action=_EXPORTED)
        if earlier:
            raise UsageError(
                f"{path} is missing, with which bundles were signed until {earlier[0].at:%Y-%m-%d}: restore it from a "
                "backup. If it is lost for good, `guardian evidence key` makes another: tell those who check bundles"
            )
    return installation_key(exporting.data_dir)


async def _pictures(exporting: Exporting, files: CaseFiles) -> ReportPictures:
    """Return the pictures of the report: those that the last capture of the use has drawn, else ones made now."""
    record, vault = files.record, exporting.vault
    # What proves that a use is gone shows a page without the picture.
    captures = [one for one in record.captures_of_use if one.reason is not CaptureReason.ABSENCE]
    shown = _last_with(captures, _SCREENSHOT)
    # The numbers beside the pictures are those of the bytes that were seen last.
    last_seen = record.use.image_sha256 if record.use is not None else None
    drawn = _last_with([one for one in captures if _compared_with(one) == last_seen], *_OUTLINED)
    screenshot = _picture_of(vault, shown, _SCREENSHOT)
    screenshot_at = shown.began_at if shown is not None else None
    if drawn is not None:
        mine, theirs = (_picture_of(vault, drawn, name) for name in _OUTLINED)
        heat_map = _picture_of(vault, drawn, _HEAT_MAP)
        return ReportPictures(mine, theirs, heat_map, screenshot, screenshot_at, is_outlined=True)

    asset, use = record.asset, record.use
    lost = {one.sha256 for one in files.lost}
    mine = await _small(exporting, exporting.originals, asset.sha256 if asset is not None else None, lost)
    theirs = await _small(exporting, vault, use.image_sha256 if use is not None else None, lost)
    return ReportPictures(mine, theirs, None, screenshot, screenshot_at)


def _last_with(captures: Sequence[EvidenceCapture], *names: str) -> EvidenceCapture | None:
    """Return the last capture that has all of these files, none of them too large for a report; None without one."""
    for capture in reversed(captures):
        files = [capture.file(name) for name in names]
        if all(file is not None and file.size_bytes <= _MOST_PICTURE_BYTES for file in files):
            return capture
    return None


def _compared_with(capture: EvidenceCapture) -> str | None:
    """Return the SHA-256 of the picture that a capture has compared; None when it has compared none."""
    return next((file.sha256 for file in capture.files if file.name.startswith(f"{FOUND_NAME}.")), None)


def _picture_of(vault: Vault, capture: EvidenceCapture | None, name: str) -> bytes | None:
    """Return a file of a capture; None when it has none, or one that is too large for a report."""
    file = capture.file(name) if capture is not None else None
    return vault.get(file.sha256) if file is not None and file.size_bytes <= _MOST_PICTURE_BYTES else None


async def _small(exporting: Exporting, folder: Vault, digest: str | None, lost: Set[str]) -> bytes | None:
    """Return a kept picture made anew by a worker process, for decoders of hostile pictures crash; None without one.

    `lost` are the digests of files that are known to be lost or damaged.
    """
    if digest is None or digest in lost or not folder.holds(digest):
        return None
    try:
        content = await asyncio.to_thread(folder.get, digest)
        small, _ = await exporting.workers.easy_copies(content)
    except (GuardianError, OSError) as error:
        log.warning("report_without_picture", digest=digest, reason=str(error))
        return None
    return small
