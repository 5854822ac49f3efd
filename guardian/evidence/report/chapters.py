"""The chapters of a report, in their order: what it is about, what was found and where, how it is known."""

from collections.abc import Iterator, Sequence

from reportlab.lib.units import mm
from reportlab.platypus import CondPageBreak, Flowable, KeepTogether, PageBreak, Spacer, Table, TableStyle

from guardian.evidence.certificates import GAP
from guardian.evidence.report.contacts import contact_facts, contacts_not_taken
from guardian.evidence.report.content import CaseRecord, Exhibit, ReportContent, ReportPictures
from guardian.evidence.report.page import (
    CELL,
    DIGEST,
    FORM,
    LABEL,
    LEAD,
    NOTE,
    SMALL,
    SUBHEADING,
    SUBTITLE,
    TITLE,
    WIDTH,
    facts,
    foreign,
    heading,
    listing,
    paragraph,
)
from guardian.evidence.report.pictures import Figure
from guardian.evidence.report.rights import rights_not_read
from guardian.evidence.report.wording import DECLARATION, DECLARATION_NOTE, DECLARATION_TITLE, METHOD
from guardian.model import Finding, LostMember
from guardian.views.comparisons import description_text, percent_text, share_text
from guardian.views.counting import counted
from guardian.views.findings import licence_text, missed_text
from guardian.views.licences import grant_text, scope_text
from guardian.views.overlap import Overlap, finding_sentence, overlap_of
from guardian.views.timelines import entry_text
from guardian.views.timestamps import minute_text, second_text

_MOST_FINDINGS = 50
_MOST_EVENTS = 400
_URL = 1200
"""Characters of an address that are shown; all of it stands in case.json."""


def summary(content: ReportContent) -> Iterator[Flowable]:
    """Yield the first page: what the case is, in a sentence and in facts."""
    record = content.record
    case, asset, finding = record.detail.case, record.asset, record.use
    yield paragraph("Evidence report", TITLE)
    yield foreign(f"Use of a picture by {case.operator}", SUBTITLE, most=160)
    if finding is not None:
        yield foreign(finding_sentence(finding, asset, "the owner's"), LEAD)

    rows: list[tuple[str, Flowable | str]] = [("Case", case.id)]
    if content.lost:
        lost = counted(len(content.lost), "file")
        rows.append(
            ("INCOMPLETE", f"{lost} of the case could not be included; the chapter “What is missing” names each.")
        )
    if record.left_out:
        rows.append(("Shortened", "Made for people outside; the chapter “What is missing” says what was left out."))
    else:
        rows.append(("State of the case", case.state.value.replace("_", " ")))
    rows.append(("Work", f"{asset.title} ({asset.width} × {asset.height} pixels)" if asset else case.asset_id))
    if finding is not None:
        rows += [
            ("Page", foreign(finding.page_url, CELL, WIDTH - 38 * mm - 8, _URL)),
            ("Picture", foreign(finding.image_url, CELL, WIDTH - 38 * mm - 8, _URL)),
            ("First and last seen", f"{minute_text(finding.first_seen_at)} and {minute_text(finding.last_seen_at)}"),
            ("Probability", percent_text(finding.comparison.probability)),
            ("Licence", licence_text(finding)),
        ]
    rows += [("Certificate", text) for text in _certificate_gaps(record)]
    rows += [
        ("Captures", _captures_text(record)),
        ("Report made", f"{second_text(record.made_at)} by guardian {record.guardian_version}"),
        ("Time stamp", _timestamp_text(content)),
        ("Signed by key", paragraph(content.key, DIGEST)),
    ]
    if record.hold is not None:
        rows.append(("On hold", f"since {minute_text(record.hold.at)} by {record.hold.by}: {record.hold.note}"))
    yield facts(rows)


def both_pictures(content: ReportContent, number: int) -> Iterator[Flowable]:
    """Yield the chapter with both pictures side by side, the heat map and the page as it was shown."""
    pictures, finding, asset = content.pictures, content.record.use, content.record.asset
    overlap = None
    if finding is not None and asset is not None and not pictures.is_outlined:
        overlap = overlap_of(asset, finding.comparison, None)

    parts = [*heading(number, "Both pictures"), _side_by_side(pictures, overlap)]
    if pictures.is_outlined or overlap is not None:
        parts.append(paragraph("The outlines show where the pictures show the same.", SMALL))
    if finding is not None:
        parts += [Spacer(1, 4), facts(_measured(finding))]
    yield KeepTogether(parts)

    if pictures.heat_map is not None:
        words = "Where both show the same (blue) and where they differ (orange); uncoloured parts were not compared."
        yield _captioned(Figure(pictures.heat_map, WIDTH * 0.62, 95 * mm), words)
    if pictures.screenshot is not None:
        figure = Figure(pictures.screenshot, WIDTH * 0.8, 185 * mm, tallest=1.5)
        at = pictures.screenshot_at
        words = f"The page as a browser showed it on {minute_text(at)}" if at else "The page as a browser showed it"
        words += "; its upper part, the whole is in the bundle." if figure.is_cut else "."
        yield _captioned(figure, words)


def _side_by_side(pictures: ReportPictures, overlap: Overlap | None) -> Table:
    """Return both pictures with their names below, and the outlines of their overlap where it is known."""
    gap = 6 * mm
    width = (WIDTH - gap) / 2

    def cell(picture: bytes | None, is_own: bool) -> Flowable:
        if picture is None:
            return paragraph("No picture is kept.", NOTE)
        if overlap is None:
            return Figure(picture, width, 90 * mm)
        polygon, size = (
            (overlap.asset_polygon, overlap.asset_size) if is_own else (overlap.found_polygon, overlap.found_size)
        )
        return Figure(picture, width, 90 * mm, polygon=polygon, polygon_size=size)

    table = Table(
        [
            [cell(pictures.original, True), "", cell(pictures.found, False)],
            [paragraph("The owner's picture", LABEL), "", paragraph("The picture that was found", LABEL)],
        ],
        colWidths=[width, gap, width],
    )
    table.setStyle(
        TableStyle(
            [
                ("VALIGN", (0, 0), (-1, 0), "BOTTOM"),
                ("ALIGN", (0, 0), (-1, -1), "CENTER"),
                ("LEFTPADDING", (0, 0), (-1, -1), 0),
                ("RIGHTPADDING", (0, 0), (-1, -1), 0),
            ]
        )
    )
    return table


def _captioned(figure: Figure, words: str) -> Flowable:
    return KeepTogether([Spacer(1, 8), figure, Spacer(1, 3), paragraph(words, SMALL)])


def places(record: CaseRecord, number: int) -> Iterator[Flowable]:
    """Yield the chapter that says where the picture was found, and what was said around it."""
    title = heading(number, "Where it was found")
    findings = record.detail.findings
    for place, finding in enumerate(findings[:_MOST_FINDINGS], start=1):
        width = WIDTH - 38 * mm - 8
        context = finding.context
        rows: list[tuple[str, Flowable | str]] = [
            ("Page", foreign(finding.page_url, CELL, width, _URL)),
            ("Picture", foreign(finding.image_url, CELL, width, _URL)),
            ("Seen", f"{minute_text(finding.first_seen_at)} to {minute_text(finding.last_seen_at)}"),
            ("What", description_text(finding.comparison)),
            ("Licence", licence_text(finding)),
        ]
        shown = (
            ("Gone", missed_text(finding)),
            ("Title of the page", context.page_title),
            ("Caption", context.caption),
            ("Alternative text", context.alt),
            ("Words nearby", context.nearby_text),
            ("Rights claimed there", context.claims),
            ("Note", finding.evidence_note),
        )
        rows += [(label, text) for label, text in shown if text]
        yield KeepTogether([*title, paragraph(f"Place {place}", SUBHEADING), facts(rows), Spacer(1, 8)])
        title = []
    if len(findings) > _MOST_FINDINGS:
        left = counted(len(findings) - _MOST_FINDINGS, "place")
        yield paragraph(f"{left} more are listed in sightings.csv and case.json in the bundle.", NOTE)


def behind_it(content: ReportContent, number: int) -> Iterator[Flowable]:
    """Yield the chapter about who is behind the site."""
    yield from heading(number, "Who is behind it")
    rows: list[tuple[str, Flowable | str]] = [("Operator", content.record.detail.case.operator)]
    if content.contacts is not None:
        rows += contact_facts(content.contacts)
    yield facts(rows)
    if content.contacts is None:
        yield Spacer(1, 4)
        yield paragraph(
            "No capture of this case has looked for contacts, registration data or the hosting network.", NOTE
        )


def licences(record: CaseRecord, number: int) -> Iterator[Flowable]:
    """Yield the chapter about what the owner has allowed."""
    yield from heading(number, "Licence standing")
    yield paragraph("What the owner's records say of this use on the day of the report. guardian knows of no others.")
    statuses = list(dict.fromkeys(licence_text(finding) for finding in record.detail.findings))
    rows: list[tuple[str, Flowable | str]] = [("This use", text) for text in statuses]
    for licence in record.licences:
        asset = next((one for one in record.detail.assets if one.id == licence.asset_id), None)
        rows.append((f"Licence {licence.id}", grant_text(licence, scope_text(licence, asset))))
    yield facts(rows) if rows else paragraph("No use is recorded.", NOTE)


def time_line(record: CaseRecord, number: int) -> Iterator[Flowable]:
    """Yield the chapter that tells what happened, in the order of time."""
    yield from heading(number, "Time line")
    widths = (40 * mm, WIDTH - 40 * mm)
    shown = record.time_line[:_MOST_EVENTS]
    rows = [
        [paragraph(second_text(entry.at), CELL), foreign(entry_text(entry), CELL, widths[1] - 10, 400)]
        for entry in shown
    ]
    yield listing(("Time (UTC)", "What happened"), rows, widths)
    left = len(record.time_line) - len(shown)
    if left > 0:
        yield paragraph(f"{counted(left, 'event')} more stand in case.json in the bundle.", NOTE)
    if record.left_out:
        yield paragraph("What people noted, decided and planned is left out.", NOTE)


def exhibits(listed: Sequence[Exhibit], number: int) -> Iterator[Flowable]:
    """Yield the list of the files of the bundle with their digests."""
    yield from heading(number, "List of exhibits")
    yield paragraph(
        "The files of this bundle. The line below each is its SHA-256, by which every bit of it can be checked. The "
        "digest of this report itself stands in manifest.json and SHA256SUMS."
    )
    widths = (13 * mm, WIDTH - 13 * mm - 24 * mm, 24 * mm)
    rows = [
        [
            paragraph(str(place), CELL),
            [
                paragraph(exhibit.name, SUBHEADING),
                foreign(exhibit.about, CELL, widths[1] - 10),
                paragraph(exhibit.sha256, DIGEST),
            ],
            paragraph(f"{exhibit.size_bytes:,} bytes", CELL),
        ]
        for place, exhibit in enumerate(listed, start=1)
    ]
    yield listing(("Exhibit", "File", "Size"), rows, widths)


def limits(content: ReportContent, number: int) -> Iterator[Flowable]:
    """Yield the chapter that says what was lost, left out or not taken, and what visitors were shown differently."""
    record = content.record
    differ = any(capture.differences for capture in record.captures)
    yield from heading(number, "What is missing, and what was shown differently" if differ else "What is missing")
    rows: list[tuple[str, Flowable | str]] = [("Lost", _lost_text(one)) for one in content.lost]
    rows += [("Left out", sentence) for sentence in record.left_out]
    for capture in record.captures:
        label = f"Capture of {minute_text(capture.began_at)}"
        rows += [(label, f"{one.name}: {one.reason}") for one in capture.not_taken]
        rows += [(label, f"Shown differently: {sentence}") for sentence in capture.differences]
    if content.contacts is not None:
        rows += contacts_not_taken(content.contacts)
    if content.rights is not None:
        rows += rights_not_read(content.rights)
    for deletion in record.deletions:
        files = counted(len(deletion.files), "file")
        why = f" ({deletion.note})" if deletion.note else ""
        rows.append(("Deleted", f"{files} on {minute_text(deletion.at)} by {deletion.by}{why}; case.json lists them."))
    if not record.captures:
        rows.append(("Captures", "No capture was taken of this case. The bundle holds what the scans kept of it."))
    for finding in record.detail.findings[:_MOST_FINDINGS]:
        if finding.image_sha256 is None:
            rows.append(("Not kept", f"The bytes of the picture at {finding.image_url} were not kept by the scan."))
    yield facts(rows) if rows else paragraph("Everything that guardian captures was taken.")


def _lost_text(lost: LostMember) -> str:
    size = f" and {lost.size_bytes:,} bytes" if lost.size_bytes is not None else ""
    return (
        f"{lost.name} ({lost.about.rstrip('.')}) is not in this bundle: when it was made, the file was "
        f"{lost.state.value} where it was kept. It had the SHA-256 {lost.sha256}{size}."
    )


def method(content: ReportContent, number: int) -> Iterator[Flowable]:
    """Yield the page that explains the method in plain language."""
    yield PageBreak()
    yield from heading(number, "Method")
    for title, text in METHOD:
        yield KeepTogether([paragraph(title, SUBHEADING), paragraph(text)])

    head = content.record.head
    rows: list[tuple[str, Flowable | str]] = [
        ("Version", f"guardian {content.record.guardian_version}"),
        (
            "End of the log",
            paragraph(f"{head.number}:{head.digest}" if head is not None else "the log is empty", DIGEST),
        ),
        ("Key", paragraph(content.key, DIGEST)),
        ("Time stamp", _timestamp_text(content)),
    ]
    yield CondPageBreak(60)
    yield Spacer(1, 4)
    yield facts(rows)


def declaration(content: ReportContent, number: int) -> Iterator[Flowable]:
    """Yield the page with the declaration that a person may complete and sign."""
    record = content.record
    filled = {
        "case": record.detail.case.id,
        "made": second_text(record.made_at),
        "version": record.guardian_version,
    }
    yield PageBreak()
    yield from heading(number, DECLARATION_TITLE)
    yield paragraph(DECLARATION_NOTE, NOTE)
    yield Spacer(1, 6)
    for text in DECLARATION:
        yield paragraph(text.format(**filled), FORM)
    yield Spacer(1, 22)
    yield paragraph("______________________________________________", FORM)
    yield paragraph("Signature", LABEL)


def _measured(finding: Finding) -> list[tuple[str, Flowable | str]]:
    comparison = finding.comparison
    rows: list[tuple[str, Flowable | str]] = [
        ("What was done to it", description_text(comparison)),
        ("Probability", percent_text(comparison.probability)),
    ]
    if comparison.asset_coverage is not None:
        rows.append(
            ("Share of the original", f"{share_text(comparison.asset_coverage)} of the owner's picture can be seen")
        )
    if comparison.candidate_coverage is not None:
        rows.append(
            ("Share of the copy", f"{share_text(comparison.candidate_coverage)} of the picture found is filled by it")
        )
    if comparison.keypoint_inliers is not None:
        rows.append(("Distinct points", f"{comparison.keypoint_inliers} agree on one movement"))
    if comparison.aligned_similarity is not None:
        rows.append(("Pixels where they overlap", f"correlate by {comparison.aligned_similarity:.3f} (1 is the same)"))
    rows.append(("Rule that decided", finding.decision.rule))
    return rows


def _certificate_gaps(record: CaseRecord) -> Iterator[str]:
    """Yield what was wrong with certificates of the sites, as the last capture of the use found them."""
    if record.captures_of_use:
        for one in record.captures_of_use[-1].not_taken:
            if one.name.startswith(GAP):
                yield f"{one.name.removeprefix(GAP)}: {one.reason}."


def _captures_text(record: CaseRecord) -> str:
    if not record.captures:
        return "none was taken"
    return f"{len(record.captures)}, the last on {minute_text(record.captures[-1].began_at)}"


def _timestamp_text(content: ReportContent) -> str:
    if not content.authorities:
        return "none: this bundle carries no time stamp of an independent authority"
    return f"asked of {', '.join(content.authorities)}; the answer is manifest.tsr in the bundle"
