"""Makes the PDF of a notice. Imported only when one is made: reportlab would slow down every start."""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from io import BytesIO

from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer

from guardian.evidence.report.markup import markup
from guardian.evidence.report.typefaces import BODY, BOLD, registered
from guardian.model.notices import Notice
from guardian.notices.drafting import reference_of
from guardian.views.plain_text import printable

_MARGIN = 20 * mm
_WIDTH = A4[0] - 2 * _MARGIN
_LONGEST_SUBJECT, _LONGEST_LINE = 1_000, 20_000
_SIZE = 10
_LINE = ParagraphStyle("line", fontName=BODY, fontSize=_SIZE, leading=13, splitLongWords=1)
_SUBJECT = ParagraphStyle("subject", parent=_LINE, fontName=BOLD, fontSize=12, leading=16, spaceAfter=4 * mm)
_NUMBERED = re.compile(r"\d+\. ")


@lru_cache(maxsize=4)
def pdf_of(notice: Notice) -> bytes:
    """Return a notice as a PDF with numbered pages. The same notice makes the same bytes, which are remembered."""
    registered()
    written = BytesIO()
    document = SimpleDocTemplate(
        written,
        pagesize=A4,
        leftMargin=_MARGIN,
        rightMargin=_MARGIN,
        topMargin=_MARGIN,
        bottomMargin=_MARGIN,
        title=printable(notice.subject[:_LONGEST_SUBJECT]),
        author=printable(notice.drafted_by),
        lang=notice.language.value,
        invariant=1,
    )

    def draw_foot(canvas: Canvas, _: object) -> None:
        canvas.setFont(BODY, 8)
        foot = f"{reference_of(notice.id)}, {canvas.getPageNumber()}"
        canvas.drawRightString(A4[0] - _MARGIN, 12 * mm, foot)

    subject = Paragraph(markup(notice.subject, BOLD, 12, _WIDTH, _LONGEST_SUBJECT), _SUBJECT)
    document.build([subject, *_paragraphs(notice.text)], onFirstPage=draw_foot, onLaterPages=draw_foot)
    return written.getvalue()


def _paragraphs(text: str) -> Iterator[Flowable]:
    """Yield a paragraph for each line of a text, and a space for each empty one."""
    lines = text.splitlines()
    is_after_heading = False
    for number, line in enumerate(lines):
        if not line.strip():
            space = Spacer(1, 2.5 * mm)
            space.keepWithNext = is_after_heading
            yield space
            continue

        indent = (len(line) - len(line.lstrip())) * 1.5 * mm
        # A heading does not stand alone at the foot of a page.
        is_after_heading = _is_heading(lines, number)
        style = ParagraphStyle("line", parent=_LINE, leftIndent=indent, keepWithNext=is_after_heading)
        yield Paragraph(markup(line, BODY, _SIZE, _WIDTH - indent, _LONGEST_LINE), style)


def _is_heading(lines: Sequence[str], number: int) -> bool:
    """Return whether a line of a notice stands alone and is numbered, as headings are."""
    around = (*lines[max(number - 1, 0) : number], *lines[number + 1 : number + 2])
    return _NUMBERED.match(lines[number]) is not None and not any(line.strip() for line in around)
