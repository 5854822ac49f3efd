"""Makes the report: what other packages call. The chapters read from top to bottom in `_chapters`."""

import io
from collections.abc import Iterator

from reportlab.platypus import BaseDocTemplate, Flowable, Frame, PageTemplate

from guardian.evidence.report import chapters
from guardian.evidence.report.content import ReportContent
from guardian.evidence.report.markup import bounded
from guardian.evidence.report.page import BOTTOM, PAGE, SIDE, TOP, WIDTH, NumberedCanvas
from guardian.evidence.report.rights import rights_in_files
from guardian.evidence.report.typefaces import registered
from guardian.views.timestamps import second_text


def make_report(content: ReportContent) -> bytes:
    """Return the report as a PDF. The same content makes the same bytes on machines with the same fonts."""
    registered()
    record = content.record
    written = io.BytesIO()
    document = BaseDocTemplate(
        written,
        pagesize=PAGE,
        title=bounded(f"Evidence report, case {record.detail.case.id}", 120),
        author=f"guardian {record.guardian_version}",
        subject=bounded(f"Use of a picture by {record.detail.case.operator}", 160),
        # Else it carries the time at which it was made, and no two are the same.
        invariant=1,
    )
    frame = Frame(SIDE, BOTTOM, WIDTH, PAGE[1] - TOP - BOTTOM, 0, 0, 0, 0)
    document.addPageTemplates([PageTemplate("page", [frame])])

    class Pages(NumberedCanvas):
        left_foot = f"guardian {record.guardian_version}  ·  {second_text(record.made_at)}"
        head = f"Evidence report  ·  {record.detail.case.id}"

    document.build(list(_chapters(content)), canvasmaker=Pages)
    return written.getvalue()


def _chapters(content: ReportContent) -> Iterator[Flowable]:
    record = content.record
    yield from chapters.summary(content)
    yield from chapters.both_pictures(content, 1)
    yield from chapters.places(record, 2)
    yield from chapters.behind_it(content, 3)
    has_rights = any(capture.file("rights.json") is not None for capture in content.record.captures)
    yield from rights_in_files(content.rights, 4, is_of_another=has_rights)
    yield from chapters.licences(record, 5)
    yield from chapters.time_line(record, 6)
    yield from chapters.exhibits(content.exhibits, 7)
    yield from chapters.limits(content, 8)
    yield from chapters.method(content, 9)
    yield from chapters.declaration(content, 10)
