"""Each script is shown by a typeface that comes along with guardian, whatever fonts the machine has."""

import io

import pytest
from fontTools.ttLib import TTFont
from pypdf import PdfReader
from reportlab.pdfgen.canvas import Canvas

from guardian.evidence.report.typefaces import BODY, runs

CHINESE, JAPANESE, KOREAN = "侵权证据 著作權", "テスト、著作権の", "저작권 침해 사진"


def drawn(text: str) -> bytes:
    """A page that shows a text."""
    written = io.BytesIO()
    canvas = Canvas(written, invariant=1)
    line = canvas.beginText(40, 400)
    for name, part in runs(text, BODY):
        line.setFont(name, 12)
        line.textOut(part)
    canvas.drawText(line)
    canvas.save()
    return written.getvalue()


@pytest.mark.parametrize("text", [CHINESE, JAPANESE, KOREAN, "Плакат", "صورة"])
def test_the_glyphs_of_every_script_are_part_of_the_file(text: str) -> None:
    names = {name for name, _ in runs(text, BODY)}
    assert names <= {BODY, "NotoSansArabic", "NotoSansCJK"}, "those that come along, none of the machine"
    page = PdfReader(io.BytesIO(drawn(text))).pages[0]
    # In which order letters from right to left are drawn is worked out before (direction.py).
    assert sorted(page.extract_text().replace(" ", "").strip()) == sorted(text.replace(" ", ""))

    shapes = set()
    for font in (one.get_object() for one in page["/Resources"]["/Font"].values()):
        if "/FontDescriptor" not in font:
            continue
        embedded = TTFont(io.BytesIO(font["/FontDescriptor"]["/FontFile2"].get_data()))
        glyphs = embedded["glyf"]
        shapes |= {
            glyphs[name].getCoordinates(glyphs)[0].array.tobytes()
            for name in embedded.getGlyphOrder()
            if glyphs[name].numberOfContours > 0
        }
    # One shape for each sign, where a typeface that lacks them would have one box for all.
    assert len(shapes) >= len(set(text) - {" "})


def test_the_same_text_makes_the_same_bytes_after_other_texts() -> None:
    first = drawn(KOREAN)
    drawn(JAPANESE)
    assert drawn(KOREAN) == first
    assert len(first) < 40_000, "of thousands of glyphs those in use alone"
