"""The pages of a report: their size, head and foot, and the styles of what stands on them."""

from collections.abc import Sequence
from typing import Any

from reportlab.lib.colors import Color, HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import CondPageBreak, Flowable, HRFlowable, KeepTogether, Paragraph, Spacer, Table, TableStyle

from guardian.evidence.report.markup import markup, plain
from guardian.evidence.report.typefaces import BODY, BOLD, ITALIC, MONO

PAGE = A4
SIDE, TOP, BOTTOM = 22 * mm, 27 * mm, 22 * mm
WIDTH = PAGE[0] - 2 * SIDE
"""Points between the side margins."""

_NEARLY_A_PAGE = 0.9 * (PAGE[1] - TOP - BOTTOM)
"""Points of height. A table with so much room that does not fit has a row that is higher than a page."""

INK, QUIET, ACCENT = HexColor("#1c2430"), HexColor("#5b6675"), HexColor("#1f4e79")
RULE, TINT = HexColor("#c9d1da"), HexColor("#f2f5f8")

TEXT = ParagraphStyle("text", fontName=BODY, fontSize=9.5, leading=14, textColor=INK, spaceAfter=5)
LEAD = ParagraphStyle("lead", parent=TEXT, fontSize=11.5, leading=17, spaceAfter=10)
SMALL = ParagraphStyle("small", parent=TEXT, fontSize=8, leading=11, textColor=QUIET, spaceAfter=2)
LABEL = ParagraphStyle("label", parent=TEXT, fontSize=8.5, leading=13, textColor=QUIET, spaceAfter=0)
CELL = ParagraphStyle("cell", parent=TEXT, fontSize=8.5, leading=13, spaceAfter=0)
DIGEST = ParagraphStyle("digest", parent=TEXT, fontName=MONO, fontSize=7, leading=10, textColor=QUIET, spaceAfter=0)
TITLE = ParagraphStyle("title", parent=TEXT, fontName=BOLD, fontSize=23, leading=29, textColor=ACCENT, spaceAfter=2)
SUBTITLE = ParagraphStyle("subtitle", parent=TEXT, fontSize=12, leading=17, textColor=QUIET, spaceAfter=12)
HEADING = ParagraphStyle("heading", parent=TEXT, fontName=BOLD, fontSize=13.5, leading=18, textColor=ACCENT)
SUBHEADING = ParagraphStyle("subheading", parent=TEXT, fontName=BOLD, fontSize=9.5, leading=14, spaceAfter=2)
NOTE = ParagraphStyle("note", parent=TEXT, fontName=ITALIC, fontSize=8.5, leading=12.5, textColor=QUIET)
FORM = ParagraphStyle("form", parent=TEXT, fontSize=9.5, leading=16.5, spaceAfter=8)


def paragraph(text: str, style: ParagraphStyle = TEXT) -> Paragraph:
    """Return a paragraph of our own words."""
    return Paragraph(plain(text, style.fontName), style)


def foreign(text: str, style: ParagraphStyle = TEXT, width: float = WIDTH, most: int = 600) -> Paragraph:
    """Return a paragraph of words that others wrote, for a column of this width in points."""
    return Paragraph(markup(text, style.fontName, style.fontSize, width, most), style)


def heading(number: int, text: str) -> list[Flowable]:
    """Return the heading of a chapter."""
    rule = HRFlowable(width="100%", thickness=0.8, color=RULE, spaceBefore=1, spaceAfter=7)
    return [CondPageBreak(110), Spacer(1, 10), KeepTogether([paragraph(f"{number}  {text}", HEADING), rule])]


def facts(rows: Sequence[tuple[str, Flowable | str]], label_width: float = 38 * mm) -> Table:
    """Return labels with what belongs to each. Texts are taken as others wrote them."""
    width = WIDTH - label_width
    cells = [
        [paragraph(label, LABEL), foreign(value, CELL, width - 8) if isinstance(value, str) else value]
        for label, value in rows
    ]
    # What is higher than a page, for want of typefaces for example, goes on on the next one.
    table = Table(cells, colWidths=[label_width, width], splitInRow=1)
    table.setStyle(
        TableStyle(
            [
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("LEFTPADDING", (0, 0), (0, -1), 0),
                ("RIGHTPADDING", (-1, 0), (-1, -1), 0),
                ("TOPPADDING", (0, 0), (-1, -1), 3),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
                ("LINEBELOW", (0, 0), (-1, -2), 0.4, RULE),
            ]
        )
    )
    return table


def listing(head: Sequence[str], rows: Sequence[Sequence[Flowable]], widths: Sequence[float]) -> Table:
    """Return a table with a head that is repeated on each page; widths in points."""
    table = _Listing([[paragraph(text, LABEL) for text in head], *rows], colWidths=list(widths), repeatRows=1)
    table.setStyle(
        TableStyle(
            [
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("BACKGROUND", (0, 0), (-1, 0), TINT),
                ("LINEBELOW", (0, 0), (-1, -1), 0.4, RULE),
                ("TOPPADDING", (0, 0), (-1, -1), 3.5),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 3.5),
                ("LEFTPADDING", (0, 0), (-1, -1), 5),
                ("RIGHTPADDING", (0, 0), (-1, -1), 5),
            ]
        )
    )
    return table


class _Listing(Table):  # type: ignore[misc]
    """A table that breaks between rows, and within one only where it is higher than a page."""

    def split(self, availWidth: float, availHeight: float) -> list[Table]:  # noqa: N803 - as reportlab calls them
        self.splitInRow = 0
        parts: list[Table] = super().split(availWidth, availHeight)
        if not parts and availHeight > _NEARLY_A_PAGE:
            self.splitInRow = 1
            parts = super().split(availWidth, availHeight)
        return parts


class NumberedCanvas(Canvas):  # type: ignore[misc]
    """A canvas that knows how many pages there are when it writes their numbers."""

    left_foot = ""
    head = ""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        # Else a PDF names Helvetica, which is not part of it, though nothing is written in it.
        super().__init__(*arguments, **{**named, "initialFontName": BODY})
        self._pages: list[dict[str, Any]] = []

    def showPage(self) -> None:  # noqa: N802 - reportlab calls it so
        """Keep a page until the number of all is known."""
        self._pages.append(dict(self.__dict__))
        self._startPage()

    def save(self) -> None:
        """Write the pages, each with its number."""
        for number, page in enumerate(self._pages, start=1):
            self.__dict__.update(page)
            self._edges(number, len(self._pages))
            super().showPage()
        super().save()

    def _edges(self, number: int, count: int) -> None:
        self.setStrokeColor(RULE)
        self.setLineWidth(0.6)
        left, right = SIDE, PAGE[0] - SIDE
        self.line(left, BOTTOM - 5 * mm, right, BOTTOM - 5 * mm)
        self._small(left, BOTTOM - 9.5 * mm, self.left_foot, QUIET)
        self.drawRightString(right, BOTTOM - 9.5 * mm, f"Page {number} of {count}")
        if number > 1:
            self._small(left, PAGE[1] - TOP + 9 * mm, self.head, QUIET)
            self.line(left, PAGE[1] - TOP + 6 * mm, right, PAGE[1] - TOP + 6 * mm)

    def _small(self, x: float, y: float, text: str, colour: Color) -> None:
        self.setFont(BODY, 8)
        self.setFillColor(colour)
        self.drawString(x, y, text)
