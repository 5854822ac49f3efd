"""The report as a reader of PDF sees it."""

import io
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from PIL import Image
from pypdf import PdfReader

from guardian.evidence.report.content import CaseRecord, Exhibit, ReportContent, ReportPictures
from guardian.evidence.report.making import make_report
from guardian.model import (
    Action,
    Asset,
    AuditHead,
    CaptureReason,
    Case,
    CaseEvent,
    CaseState,
    Comparison,
    Context,
    Decision,
    EvidenceCapture,
    EvidenceFile,
    Finding,
    LicenceStatus,
    NotTaken,
    Priority,
    Severity,
)
from guardian.model.matches import Transform
from guardian.views.cases import CaseDetail
from guardian.views.timelines import TimelineEntry, TimelineKind

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
CASE = "case_4k2m9"


def picture(size: tuple[int, int]) -> bytes:
    written = io.BytesIO()
    Image.new("RGB", size, "steelblue").save(written, "PNG")
    return written.getvalue()


@pytest.fixture(scope="module")
def content() -> ReportContent:
    overlap = Transform((1, 0, 10, 0, 1, 10), False, 0.0, 1.0, (0, 0, 1, 1), (0.1, 0.1, 0.9, 0.9))
    finding = Finding(
        "find_1",
        "asset_1",
        CASE,
        "shop",
        "https://shop.example/posters",
        "https://cdn.shop.example/astro.jpg",
        NOON,
        NOON + timedelta(days=3),
        LicenceStatus.NONE,
        Decision(Action.ALERT, "certain-copy", Severity.HIGH),
        Comparison(0.9998, 3, 412, 0.78, 0.28, overlap, 0.97, description="mirrored crop"),
        "c" * 64,
        "c" * 64,
        "e" * 64,
        context=Context(page_title="\u202e<script>endstream endobj (x) Tj " + "A" * 10_000_000, alt="Плакат (2024)"),
    )
    asset = Asset("asset_1", 1, "Astronaut", "press", "/a.png", "a" * 64, 80, 80, NOON, "work_1")
    case = Case(CASE, "asset_1", "work_1", "shop.example", CaseState.CONFIRMED, Severity.HIGH, NOON, NOON, 1)
    history = [CaseEvent(CASE, NOON, "opened"), CaseEvent(CASE, NOON, "confirmed", by="anna", note="Not licensed.")]
    capture = EvidenceCapture(
        "capture_1",
        CASE,
        "find_1",
        CaptureReason.OPENED,
        None,
        NOON,
        NOON,
        finding.page_url,
        finding.image_url,
        "0.1.0",
        not_taken=(NotTaken("screenshot.png", "No browser was found."),),
        differences=("Robots are shown another price.",),
    )
    told = (TimelineEntry(NOON, TimelineKind.DECIDED, "confirmed: Not licensed.", by="anna"),)
    detail = CaseDetail(case, asset, [finding], history, Priority(()), {}, (asset,))
    record = CaseRecord(
        detail, (capture,), (), AuditHead(128, "9a" * 32), NOON + timedelta(days=4), "0.1.0", time_line=told
    )
    return ReportContent(
        record,
        [Exhibit("captures/1-capture_1/page.wacz", "12" * 32, 1_234_567, "The page as a web archive.")],
        ReportPictures(picture((80, 80)), picture((100, 100)), screenshot=picture((60, 900))),
        "f7" * 32,
        ("https://tsa.example/tsr",),
        {"security_txt": {"contact": ["mailto:abuse@shop.example"]}},
        {
            "conclusion": ["The picture that was found does not state: creator (“\u202eАнна”)."],
            "fields": [
                {
                    "carrier": "XMP",
                    "name": "dc:creator",
                    "original": "Анна",
                    "found": None,
                    "control": "Otto",
                    "change": "removed",
                    "management_information": True,
                },
                {"carrier": "EXIF", "name": "Make", "original": "Kamera", "management_information": False},
            ],
        },
    )


def text_of(report: bytes) -> str:
    """All words of a report, line breaks as blanks."""
    return " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(report)).pages).split())


def test_it_tells_the_case_from_the_first_page_to_the_declaration(content: ReportContent) -> None:
    report = make_report(content)
    pages = PdfReader(io.BytesIO(report)).pages
    text = text_of(report)
    assert f"Page 1 of {len(pages)}" in text
    assert f"Page {len(pages)} of {len(pages)}" in text
    for told in (
        CASE,
        "shop.example",
        "https://cdn.shop.example/astro.jpg",
        "12" * 32,
        "f7" * 32,
        "128:" + "9a" * 32,
        "https://tsa.example/tsr",
        "No browser was found.",
        "Robots are shown another price.",
        "mailto:abuse@shop.example",
        "no licence for this host",
        "Плакат (2024)",
        "does not state: creator (“[U+202E]Анна”).",
        "XMP dc:creator Анна - Otto removed",
        "confirmed: Not licensed. by anna",
        "What this does not show",
        "28 U.S.C. § 1746",
        "under penalty of perjury",
    ):
        assert told in text, told
    assert sum(len(page.images) for page in pages) == 3


def test_hostile_titles_do_no_harm(content: ReportContent) -> None:
    report = make_report(content)
    assert len(report) < 1_000_000
    text = text_of(report)
    assert "[U+202E]<script>" in text
    assert "characters in all" in text


def test_the_same_content_makes_the_same_bytes(content: ReportContent) -> None:
    assert make_report(content) == make_report(content)


def test_what_is_missing_is_said(content: ReportContent) -> None:
    record = replace(content.record, captures=(), head=None)
    bare = replace(content, record=record, pictures=ReportPictures(), contacts=None, authorities=())
    text = text_of(make_report(bare))
    assert "No picture is kept." in text
    assert "no time stamp of an independent authority" in text
    assert "No capture was taken of this case." in text
    # Of another place of the case something is known, which the list of exhibits has.
    listed = EvidenceFile("rights.json", "ab" * 32, 2, "application/json", "Rights.")
    captures = (replace(content.record.captures[0], files=(listed,)),)
    other = text_of(make_report(replace(bare, record=replace(record, captures=captures), rights=None)))
    nothing = "No capture of the use on the first page has compared the metadata of the files."
    assert f"{nothing} Captures of other places of this case have" in other
    assert "Captures of other places" not in text_of(make_report(replace(bare, rights=None)))
    assert "the log is empty" in text


def test_registries_that_were_not_asked_are_named_among_what_was_not_taken(content: ReportContent) -> None:
    capture = replace(content.record.captures[0], not_taken=(), differences=())
    contacts = {
        "looked_at": "2026-11-24T12:00:00+00:00",
        "site": {"pages": [{"url": "https://shop.example/imprint", "problem": "the site answered 404"}]},
        "security_txt": {"url": "https://shop.example/.well-known/security.txt", "contact": ["mailto:a@shop.example"]},
        "domain": {
            "asked": "https://rdap.example/domain/shop.example",
            "answered_by": "rdap.example",
            "name": "shop.example",
            "holder": ["Otto Example", "Example Ltd"],
            "registrar": "Names Ltd",
            "events": {"registration": "2019-03-01T00:00:00Z", "expiration": "2027-03-01T00:00:00Z"},
            "nameservers": ["ns1.shop.example"],
        },
        "network": {"address": "192.0.2.7", "problem": "not asked: evidence.rdap.enabled is false"},
    }
    rights = {"found": {"unread": ["XMP is there and cannot be read (ParseError)"]}, "c2pa": "C2PA is not read"}
    record = replace(content.record, captures=(capture,))
    text = text_of(make_report(replace(content, record=record, contacts=contacts, rights=rights)))
    assert "Everything that guardian captures was taken" not in text
    assert "those rules do not apply" in text, "a person's requests do not follow robots.txt"
    for told in (
        "Hosting network not asked: evidence.rdap.enabled is false",
        "https://shop.example/imprint: the site answered 404",
        "Metadata of the picture found XMP is there and cannot be read (ParseError)",
        "Provenance (C2PA) C2PA is not read",
        "shop.example; registered by Otto Example, Example Ltd; through the registrar Names Ltd; name servers "
        "ns1.shop.example; as rdap.example answered; registration on 2019-03-01, expiration on 2027-03-01",
        "Hosting network the site answered from 192.0.2.7; not asked",
        "at https://shop.example/.well-known/security.txt; contact: mailto:a@shop.example",
        "2026-11-24 12:00Z",
    ):
        assert told in text, told
    assert "asked: https://rdap" not in text

    taken = make_report(replace(content, record=record, contacts={"site": {}}, rights={"c2pa": "read"}))
    assert "Everything that guardian captures was taken" in text_of(taken)


def test_each_part_is_of_the_strongest_use_and_the_version_that_it_shows(content: ReportContent) -> None:
    """One that is certain and gone is no reason to show its numbers beside the picture of one that is there."""
    (there,) = content.record.detail.findings
    gone = replace(there, id="find_2", asset_id="asset_2", first_missed_at=NOON, missed_scans=99)
    weaker = replace(there, id="find_3", decision=Decision(Action.REVIEW, "maybe", Severity.LOW))
    weaker = replace(weaker, comparison=replace(there.comparison, probability=0.9999))
    other = replace(content.record.detail.assets[0], id="asset_2", title="Another version")
    detail = replace(content.record.detail, findings=[gone, weaker, there], assets=(other, content.record.asset))
    record = replace(content.record, detail=detail)
    assert (record.use, record.asset) == (there, content.record.asset)
    only_gone = replace(record, detail=replace(detail, findings=[gone]))
    assert (only_gone.use, only_gone.asset) == (gone, other)


def test_texts_that_grow_when_they_are_shown_fit_on_the_pages(content: ReportContent) -> None:
    """No typeface has the first, nobody sees the second: both are shown by numbers. The third is ten times as wide."""
    (finding,) = content.record.detail.findings
    no_typeface, unseen, wide = "\U00012000" * 2_000, "\u2067" * 2_000, "\ufdfd" * 2_000
    context = Context(page_title=no_typeface, alt=wide, caption=unseen)
    detail = replace(content.record.detail, findings=[replace(finding, context=context, page_url=no_typeface)])
    rights = {"fields": [{"name": wide, "original": no_typeface, "found": unseen, "management_information": True}]}
    exhibits = [replace(content.exhibits[0], about=no_typeface)]
    record = replace(content.record, detail=detail)
    text = text_of(make_report(replace(content, record=record, rights=rights, exhibits=exhibits)))
    assert "[U+2067]" in text
    assert "U+12000" in text


def test_the_list_of_exhibits_breaks_between_its_rows(content: ReportContent) -> None:
    """Each page has the head of the list once, and begins with the number of an exhibit."""
    one = content.exhibits[0]
    exhibits = [replace(one, name=f"captures/{number}/page.wacz", about="Some words. " * 30) for number in range(40)]
    pages = PdfReader(io.BytesIO(make_report(replace(content, exhibits=exhibits)))).pages
    texts = [" ".join(page.extract_text().split()) for page in pages]
    listed = [text for text in texts if "Exhibit File Size" in text]
    assert len(listed) > 4
    for text in listed:
        assert text.count("Exhibit File Size") == 1
        assert re.match(r" \d+ captures/", text.partition("Exhibit File Size")[2])
