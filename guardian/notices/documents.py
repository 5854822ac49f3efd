"""A notice as files: text, the blocks of a form, PDF, and a mail draft with the PDF attached."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from guardian.errors import UsageError
from guardian.model.notices import Notice
from guardian.notices.drafting import reference_of
from guardian.notices.mail import mail_draft
from guardian.notices.mail_address import is_mail_address
from guardian.notices.settings import OwnerSettings
from guardian.views.plain_text import printable

if TYPE_CHECKING:
    from reportlab.pdfgen.canvas import Canvas

_MARGIN_MM = 20
_SIZE = 10
_LONGEST_SUBJECT = 1_000
_LONGEST_LINE = 20_000
_NUMBERED = re.compile(r"\d+\. ")


@dataclass(frozen=True, slots=True)
class Document:
    """One file of a notice."""

    name: str
    content: bytes
    media_type: str


def documents_of(notice: Notice, owner: OwnerSettings) -> tuple[Document, ...]:
    """Return all files of a notice; their names begin with its reference."""
    reference = reference_of(notice.id)
    return (
        Document(f"{reference}.txt", text_of(notice).encode(), "text/plain; charset=utf-8"),
        Document(f"{reference}.form.txt", notice.form.encode(), "text/plain; charset=utf-8"),
        Document(f"{reference}.pdf", pdf_of(notice), "application/pdf"),
        Document(f"{reference}.eml", mail_of(notice, owner), "message/rfc822"),
    )


def write_documents(notice: Notice, owner: OwnerSettings, folder: Path) -> list[Path]:
    """Write all files of a notice into a folder, which is made if need be; return their paths.

    Raises UsageError when that cannot be done, or when another file has one of the names.
    """
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for document in documents_of(notice, owner):
            path = folder / document.name
            if path.exists() and path.read_bytes() != document.content:
                raise UsageError(f"{path} exists already and is another file; choose another folder")
            path.write_bytes(document.content)
            written.append(path)
    except OSError as error:
        raise UsageError(f"cannot write {error.filename or folder}: {error.strerror}") from error
    return written


def text_of(notice: Notice) -> str:
    """Return a notice as plain text, its subject first."""
    return f"{notice.subject}\n\n{notice.text}"


def mail_of(notice: Notice, owner: OwnerSettings) -> bytes:
    """Return a notice as a mail draft, an .eml file. Without a mail address of the recipient it names nobody."""
    return mail_draft(
        sender=owner.email,
        sender_name=owner.signs_as or owner.name,
        recipient=notice.recipient if is_mail_address(notice.recipient) else None,
        subject=notice.subject,
        text=notice.text,
        pdf=pdf_of(notice),
    )


@lru_cache(maxsize=4)
def pdf_of(notice: Notice) -> bytes:
    """Return a notice as a PDF with numbered pages. The same notice makes the same bytes, which are remembered."""
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.lib.units import mm
    from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer

    from guardian.evidence.report.markup import markup
    from guardian.evidence.report.typefaces import BODY, BOLD, registered

    registered()
    body = ParagraphStyle("body", fontName=BODY, fontSize=_SIZE, leading=13, splitLongWords=1)
    head = ParagraphStyle("head", parent=body, fontName=BOLD, fontSize=12, leading=16, spaceAfter=4 * mm)
    width = A4[0] - 2 * _MARGIN_MM * mm

    story: list[object] = [Paragraph(markup(notice.subject, BOLD, 12, width, _LONGEST_SUBJECT), head)]
    lines = notice.text.splitlines()
    is_after_heading = False
    for number, line in enumerate(lines):
        if not line.strip():
            space = Spacer(1, 2.5 * mm)
            space.keepWithNext = is_after_heading
            story.append(space)
            continue

        indent = (len(line) - len(line.lstrip())) * 1.5 * mm
        # A heading does not stand alone at the foot of a page.
        is_after_heading = _is_heading(lines, number)
        style = ParagraphStyle("line", parent=body, leftIndent=indent, keepWithNext=is_after_heading)
        story.append(Paragraph(markup(line, BODY, _SIZE, width - indent, _LONGEST_LINE), style))

    written = BytesIO()
    document = SimpleDocTemplate(
        written,
        pagesize=A4,
        leftMargin=_MARGIN_MM * mm,
        rightMargin=_MARGIN_MM * mm,
        topMargin=_MARGIN_MM * mm,
        bottomMargin=_MARGIN_MM * mm,
        title=printable(notice.subject[:_LONGEST_SUBJECT]),
        author=printable(notice.drafted_by),
        lang=notice.language.value,
        invariant=1,
    )

    def foot_of(canvas: "Canvas", _: object) -> None:
        canvas.setFont(BODY, 8)
        foot = f"{reference_of(notice.id)}, {canvas.getPageNumber()}"
        canvas.drawRightString(A4[0] - _MARGIN_MM * mm, 12 * mm, foot)

    document.build(story, onFirstPage=foot_of, onLaterPages=foot_of)
    return written.getvalue()


def _is_heading(lines: Sequence[str], number: int) -> bool:
    """Return whether a line of a notice stands alone and is numbered, as headings are."""
    around = (*lines[max(number - 1, 0) : number], *lines[number + 1 : number + 2])
    return _NUMBERED.match(lines[number]) is not None and not any(line.strip() for line in around)
