"""Embeds typefaces with PostScript outlines (CFF), of which reportlab takes none: as TrueType, the glyphs in use alone.

Chinese, Japanese and Korean typefaces come so, with tens of thousands of glyphs. What a report shows of them is a few
hundred, so nothing is converted before a report is written.
"""

import io
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont as FontFile
from reportlab.pdfbase.ttfonts import TTFont, TTFontFace, TTFontFile

_FARTHEST = 1.0
"""How far a converted outline may lie from the one that was drawn, in units of the font (a thousandth of its size)."""

_NOTHING = ".notdef"


class OutlineFont(TTFont):  # type: ignore[misc]
    """A font of reportlab over a file with PostScript outlines. Raises TTFError, TTLibError, OSError."""

    def __init__(self, name: str, path: Path) -> None:
        face = _OutlineFace(path)
        super().__init__(name, face.shell(), shapable=False)
        self.face = face


class _OutlineFace(TTFontFace):  # type: ignore[misc]
    """Knows which characters the file has and how wide they are; makes TrueType of those that a document shows."""

    def __init__(self, path: Path) -> None:
        # Tables of the file are read when they are first used, which two threads must not do at once.
        self._source, self._reading = FontFile(path, lazy=True), threading.Lock()
        super().__init__(self.shell())
        scale, widths = 1000 / self._source["head"].unitsPerEm, self._source["hmtx"].metrics
        self._names: dict[int, str] = self._source.getBestCmap()
        # reportlab only asks whether a character has a glyph; `makeSubset` numbers the glyphs.
        self.charToGlyph = dict.fromkeys(self._names, 1)
        self.charWidths = {code: widths[name][0] * scale for code, name in self._names.items()}

    def shell(self) -> io.BytesIO:
        """Return a TrueType file of the same name and metrics, without any glyph."""
        return io.BytesIO(self._as_truetype(()))

    def makeSubset(self, subset: Sequence[int]) -> bytes:  # noqa: N802 - as reportlab calls it
        """Return a TrueType file with the glyphs of these characters."""
        wanted = tuple(code for code in dict.fromkeys(subset) if code in self._names)
        with self._reading:
            content = self._as_truetype(wanted)
        made: bytes = TTFontFile(io.BytesIO(content)).makeSubset(subset)
        return made

    def _as_truetype(self, codes: Sequence[int]) -> bytes:
        source = self._source
        drawn, widths, lines = source.getGlyphSet(), source["hmtx"].metrics, source["hhea"]
        names = dict.fromkeys([_NOTHING, *(self._names[code] for code in codes)])

        glyphs = {}
        for name in names:
            pen = TTGlyphPen(None)
            # TrueType draws outer contours clockwise, PostScript counter-clockwise.
            drawn[name].draw(Cu2QuPen(pen, _FARTHEST, reverse_direction=True))
            glyphs[name] = pen.glyph()

        builder = FontBuilder(source["head"].unitsPerEm, isTTF=True)
        builder.setupGlyphOrder(list(names))
        builder.setupCharacterMap({code: self._names[code] for code in codes})
        builder.setupGlyf(glyphs)
        builder.setupHorizontalMetrics({name: (widths[name][0], _left_edge(glyphs[name])) for name in names})
        builder.setupHorizontalHeader(ascent=lines.ascent, descent=lines.descent)
        called = str(source["name"].getDebugName(6) or "CJK")
        builder.setupNameTable({"familyName": called, "styleName": "Regular", "psName": called})
        builder.setupOS2(sTypoAscender=lines.ascent, sTypoDescender=lines.descent, usWeightClass=400)
        builder.setupPost()
        builder.font["head"].created = builder.font["head"].modified = 0
        written = io.BytesIO()
        builder.save(written)
        return written.getvalue()


def _left_edge(glyph: Any) -> int:
    return int(glyph.xMin) if glyph.numberOfContours else 0
