"""The report as a reader of PDF sees it."""

import io
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
    assert "the log is empty" in text
