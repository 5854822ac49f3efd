"""Which members the bundle of a case has, and the report among them."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path, PurePath
from typing import Any

from guardian import __version__
from guardian.cases.reading import case_detail
from guardian.evidence.bundle import Member, measured_members
from guardian.evidence.bundle_options import EVERYTHING, BundleOptions
from guardian.evidence.case_history import history_lines
from guardian.evidence.manifest import CASE, HISTORY, REPORT, SIGHTINGS, Listed
from guardian.evidence.portable_names import portable_names
from guardian.evidence.report.content import CaseRecord, Exhibit, ReportContent, ReportPictures
from guardian.evidence.shortening import shortened, shortened_case_json
from guardian.evidence.vault import Vault
from guardian.licences import speaks_about, status_of
from guardian.media.sniff import picture_type
from guardian.model import Asset, Case, EvidenceCapture, Finding, LostMember, NotTaken
from guardian.store import Transaction
from guardian.urls.addresses import without_folders
from guardian.views.cases import CaseDetail, case_detail_json
from guardian.views.evidence import capture_json, deletion_json, hold_json
from guardian.views.licences import for_others, licence_json
from guardian.views.operators import contacts_in
from guardian.views.overview import csv_text
from guardian.views.plain_text import cleaned
from guardian.views.timelines import TimelineEntry, timeline_json
from guardian.views.timestamps import json_timestamp

_LONGEST_CELL = 2000
_MOST_TOLD_BYTES = 1 << 20

_COLUMNS = (
    "page_url",
    "image_url",
    "first_seen_at",
    "last_seen_at",
    "source",
    "probability",
    "share_of_original",
    "share_of_copy",
    "what",
    "licence",
    "rule",
    "page_title",
    "caption",
    "alt",
    "image_sha256",
    "image_kept",
    "page_sha256",
    "page_status",
    "image_status",
    "finding",
)


@dataclass(frozen=True, slots=True)
class CaseFiles:
    """What a bundle of a case is made of, before its report. `members` are in the order of the bundle.

    `lost`: members that should be there, and whose files are lost or damaged.
    """

    record: CaseRecord
    members: tuple[Member, ...]
    lost: tuple[LostMember, ...] = ()


def case_files(
    tx: Transaction,
    case: Case,
    vault: Vault,
    originals: Vault,
    now: datetime,
    time_line: Sequence[TimelineEntry],
    options: BundleOptions = EVERYTHING,
) -> CaseFiles:
    """Return all that a bundle of a case carries but the report, read in one transaction.

    `originals`: where the owner's pictures lie. `time_line`: all that happened to the case. Files are not looked at:
    see `whole_files`.
    """
    record = _record_of(tx, case, time_line, now)
    detail = record.detail
    if options.for_others:
        record = shortened(record)

    members = [
        Member(
            CASE, _case_json(record), "application/json", "The case as guardian records it, with every measurement."
        ),
        Member(
            HISTORY,
            history_lines(tx, case.id, for_others=options.for_others),
            "application/jsonl",
            "What guardian did about the case, and the end of the audit log."
            if options.for_others
            else "What people and guardian did about the case, each line with its digest in the audit log.",
        ),
        Member(SIGHTINGS, _sightings(record), "text/csv", "Every place where the picture was seen, as a table."),
        *_kept_bytes(record, vault),
    ]
    for number, capture in enumerate(record.captures, start=1):
        members += _of_capture(capture, f"captures/{number}-{capture.id}", vault)
    if options.with_original:
        members += _originals(detail, originals)
    return CaseFiles(record, tuple(members))


def _record_of(tx: Transaction, case: Case, time_line: Sequence[TimelineEntry], now: datetime) -> CaseRecord:
    """Return all that is recorded of a case, without the folders of this machine."""
    recorded = case_detail(tx, case, now)
    private = _private_addresses(recorded.findings)
    captures = tuple(_told_without(private, one) for one in tx.evidence.of_case(case.id))
    # The operator of an account of a platform is named after it: instagram.com/customer.
    host = case.operator.partition("/")[0]
    record = CaseRecord(
        detail=replace(recorded, findings=[_without_folders(finding) for finding in recorded.findings]),
        captures=captures,
        licences=tuple(for_others(one) for one in tx.licences.list() if speaks_about(one, host)),
        head=tx.audit.head(),
        made_at=now,
        guardian_version=__version__,
        hold=tx.holds.get(case.id),
        deletions=tuple(tx.deletions.of_case(case.id)),
        time_line=tuple(
            replace(entry, words=private(entry.words), for_others=entry.for_others and private(entry.for_others))
            for entry in time_line
        ),
    )
    use = record.use
    if use is None:
        return record
    return replace(record, captures_of_use=tuple(one for one in captures if _is_of(tx, one, use)))


def whole_files(files: CaseFiles) -> CaseFiles:
    """Return what of these files is whole, measured, and what is lost; reads every byte.

    Captures have only their whole files after that, so that nothing is drawn or read from lost ones.
    """
    members, lost = measured_members(files.members)
    digests = {one.sha256 for one in lost}

    def without_lost(captures: Sequence[EvidenceCapture]) -> tuple[EvidenceCapture, ...]:
        return tuple(
            replace(one, files=tuple(file for file in one.files if file.sha256 not in digests)) for one in captures
        )

    captures, of_use = without_lost(files.record.captures), without_lost(files.record.captures_of_use)
    return CaseFiles(replace(files.record, captures=captures, captures_of_use=of_use), tuple(members), tuple(lost))


def _private_addresses(findings: Sequence[Finding]) -> Callable[[str], str]:
    """Return what takes the folders of this machine, where a source has files, out of words about these findings."""
    addresses = {url for one in findings for url in (one.page_url, one.image_url, *one.also_at)}
    shorter = {url: without_folders(url) for url in addresses if without_folders(url) != url}

    def told(words: str) -> str:
        # The longest first: an address may be the beginning of another.
        for url in sorted(shorter, key=len, reverse=True):
            words = words.replace(url, shorter[url])
        return words

    return told


def _without_folders(finding: Finding) -> Finding:
    return replace(
        finding,
        page_url=without_folders(finding.page_url),
        image_url=without_folders(finding.image_url),
        also_at=tuple(without_folders(url) for url in finding.also_at),
    )


def _told_without(private: Callable[[str], str], capture: EvidenceCapture) -> EvidenceCapture:
    """Return a capture whose reasons, as they were written, say nothing of the folders of this machine."""
    return replace(
        capture, not_taken=tuple(NotTaken(private(one.name), private(one.reason)) for one in capture.not_taken)
    )


def _is_of(tx: Transaction, capture: EvidenceCapture, finding: Finding) -> bool:
    """Return whether a capture is of this use, which may have had another id when it was captured."""
    captured = tx.findings.get(capture.finding_id) if capture.finding_id is not None else None
    return captured is not None and captured.id == finding.id


def with_report(
    files: CaseFiles, pictures: ReportPictures, key: str, authorities: tuple[str, ...], vault: Vault
) -> tuple[Member, ...]:
    """Return the members of a bundle (`whole_files`) with the report, which lists all others, as the first."""
    # Imported late: fonts and the PDF library take their time, and most commands need neither.
    from guardian.evidence.report.making import make_report

    content = ReportContent(
        record=files.record,
        exhibits=[_exhibit(member.listed) for member in files.members if member.listed is not None],
        pictures=pictures,
        key=key,
        authorities=authorities,
        contacts=_last_told(files.record.captures, vault, "contacts.json"),
        rights=_last_told(files.record.captures_of_use, vault, "rights.json"),
        lost=files.lost,
    )
    report = Member(REPORT, make_report(content), "application/pdf", "The report, to be read first.")
    return (report, *files.members)


def _exhibit(listed: Listed) -> Exhibit:
    return Exhibit(listed.name, listed.sha256, listed.size_bytes, listed.about)


def _case_json(record: CaseRecord) -> bytes:
    today = record.made_at.date()
    told: dict[str, Any] = case_detail_json(record.detail) | {
        "captures": [capture_json(capture) for capture in record.captures],
        "licences": [licence_json(one, status_of(one, today)) for one in record.licences],
        "time_line": timeline_json(record.detail.case.id, record.time_line)["entries"],
        "hold": hold_json(record.hold),
        "deletions": [deletion_json(one) for one in record.deletions],
        "versions_of_the_work": [_asset_json(asset) for asset in record.detail.assets],
        "contacts_in_words": contacts_in([finding.context for finding in record.detail.findings]),
    }
    if told["asset"] is not None:
        # The name alone: the folders that it lies in are nobody's business.
        told["asset"] = told["asset"] | {"path": PurePath(told["asset"]["path"]).name}
    if record.left_out:
        told = shortened_case_json(told)
    return json.dumps(told, sort_keys=True, indent=1, ensure_ascii=False).encode("utf-8", "replace")


def _asset_json(asset: Asset) -> dict[str, Any]:
    return {
        "id": asset.id,
        "title": asset.title,
        "collection": asset.collection,
        "file": PurePath(asset.path).name,
        "sha256": asset.sha256,
        "width": asset.width,
        "height": asset.height,
        "added_at": json_timestamp(asset.added_at),
    }


def _sightings(record: CaseRecord) -> bytes:
    """Return one row for each version of each finding, in the order of time."""
    rows = []
    for finding in record.detail.findings:
        comparison, context = finding.comparison, finding.context
        for version in record.detail.versions.get(finding.id, ()):
            cells: list[object] = [
                finding.page_url,
                finding.image_url,
                json_timestamp(version.first_seen_at),
                json_timestamp(version.last_seen_at),
                finding.source,
                comparison.probability,
                comparison.asset_coverage,
                comparison.candidate_coverage,
                comparison.description,
                finding.licence.value,
                finding.decision.rule,
                context.page_title,
                context.caption,
                context.alt,
                version.candidate_sha256,
                "yes" if version.image_sha256 else "no",
                version.page_sha256,
                finding.page_status,
                finding.image_status,
                finding.id,
            ]
            rows.append([cleaned(cell)[:_LONGEST_CELL] if isinstance(cell, str) else cell for cell in cells])
    rows.sort(key=lambda row: (str(row[2]), str(row[1])))
    # The mark at the begin tells spreadsheet programs that the text is UTF-8.
    return csv_text(_COLUMNS, rows).encode("utf-8-sig", "replace")


def _kept_bytes(record: CaseRecord, vault: Vault) -> Iterator[Member]:
    """Yield the bytes of pictures and pages that scans kept of each version, once each."""
    seen: set[str] = set()
    for finding in record.detail.findings:
        for version in record.detail.versions.get(finding.id, ()):
            for digest, kind in ((version.image_sha256, "picture"), (version.page_sha256, "page")):
                if digest is None or digest in seen:
                    continue
                seen.add(digest)
                ending, media_type = _form_of(vault.path_of(digest))
                about = f"The {kind} as a scan received it, first on {version.first_seen_at:%Y-%m-%d %H:%M}Z."
                name = f"scans/{kind}-{digest[:16]}{ending}"
                yield Member(name, vault.path_of(digest), media_type, about, digest)


def _form_of(path: Path) -> tuple[str, str]:
    """Return the ending of the name and the media type for kept bytes, by their first ones; "" for a lost file."""
    try:
        with path.open("rb") as file:
            start = file.read(32)
    except OSError:
        return "", "application/octet-stream"
    if start.startswith(b"%PDF"):
        return ".pdf", "application/pdf"
    if start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        # As text: who opens it must not run a stranger's scripts, nor ask the site for anything.
        return ".html.txt", "text/plain"
    picture = picture_type(start)
    return f".{picture.ending}", picture.media_type


def _of_capture(capture: EvidenceCapture, folder: str, vault: Vault) -> list[Member]:
    told = json.dumps(capture_json(capture), sort_keys=True, indent=1, ensure_ascii=False).encode("utf-8", "replace")
    members = [Member(f"{folder}/capture.json", told, "application/json", "What was captured, when, and what was not.")]
    members += [
        Member(
            f"{folder}/{file.name}",
            vault.path_of(file.sha256),
            file.media_type,
            file.about,
            file.sha256,
            file.size_bytes,
        )
        for file in capture.files
    ]
    return members


def _originals(detail: CaseDetail, originals: Vault) -> list[Member]:
    """Return the owner's pictures that uses of the case were compared with, that of the case itself first."""
    compared = {finding.asset_id for finding in detail.findings}
    versions = [asset for asset in detail.assets if asset.id in compared and asset != detail.asset]
    assets = [*([detail.asset] if detail.asset is not None else []), *versions]

    names = portable_names([(PurePath(asset.path).name, asset.id) for asset in assets])
    about = "The owner's picture, byte by byte, as it was protected."
    return [
        Member(f"original/{name}", originals.path_of(asset.sha256), "application/octet-stream", about, asset.sha256)
        for name, asset in zip(names, assets, strict=True)
    ]


def _last_told(captures: Sequence[EvidenceCapture], vault: Vault, name: str) -> dict[str, Any] | None:
    """Return the JSON of this name of the last capture that has it; None when none has."""
    for capture in reversed(captures):
        file = capture.file(name)
        if file is None or file.size_bytes > _MOST_TOLD_BYTES:
            continue
        read = json.loads(vault.get(file.sha256))
        return read if isinstance(read, dict) else None
    return None
