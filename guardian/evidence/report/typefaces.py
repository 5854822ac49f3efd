"""Chooses for each character a typeface that has it: packaged ones first, then the system's, then the PDF reader's.

What nobody has is shown as U+XXXX; nothing is dropped.
"""

import io
import os
from collections.abc import Iterator, Sequence
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

import pymupdf_fonts
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFError, TTFont

BODY, BOLD, ITALIC, MONO = "FiraGO", "FiraGO-Bold", "FiraGO-Italic", "CascadiaMono"
_PACKAGED = {BODY: "figo", BOLD: "figbo", ITALIC: "figit", MONO: "cascadia"}
_ARABIC = "NotoSansArabic"
_CJK = "NotoSansCJK"

_FOLDERS = (
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "~/.local/share/fonts",
    "~/.fonts",
    "/System/Library/Fonts",
    "/Library/Fonts",
    "C:/Windows/Fonts",
)
_SYSTEM_FILES = (
    # What the packaged typeface for Chinese, Japanese and Korean lacks.
    "DroidSansFallbackFull.ttf",
    "NotoSansSC-Regular.ttf",
    "NotoSansJP-Regular.ttf",
    "NotoSansKR-Regular.ttf",
    "wqy-zenhei.ttc",
    "wqy-microhei.ttc",
    "ipag.ttf",
    "ipagp.ttf",
    "NanumGothic.ttf",
    "Arial Unicode.ttf",
    "msyh.ttc",
    "malgun.ttf",
    # Other scripts.
    "NotoSansDevanagari-Regular.ttf",
    "NotoSansBengali-Regular.ttf",
    "NotoSansTamil-Regular.ttf",
    "NotoSansThai-Regular.ttf",
    "NotoSansArmenian-Regular.ttf",
    "NotoSansGeorgian-Regular.ttf",
    "NotoSansEthiopic-Regular.ttf",
    "NotoSansSymbols-Regular.ttf",
    "NotoSansSymbols2-Regular.ttf",
    "DejaVuSans.ttf",
    "unifont.ttf",
)

_READERS_FONTS = {
    "STSong-Light": "gb2312",
    "HeiseiMin-W3": "shift_jis",
    "HYSMyeongJo-Medium": "euc_kr",
    "MSung-Light": "big5",
}
"""Fonts that readers of PDF bring for Chinese, Japanese and Korean, each with the character set that it surely has."""

_NOT_PRINTED = {0x200C, 0x200D, 0xFE0E, 0xFE0F}
"""Joiners and variation selectors, which have no form of their own."""


@lru_cache(maxsize=1)
def registered() -> tuple[str, ...]:
    """Make the packaged typefaces known to reportlab, once, and return their names."""
    for name, packaged in _PACKAGED.items():
        pdfmetrics.registerFont(TTFont(name, io.BytesIO(pymupdf_fonts.myfont(packaged))))
    arabic = next(
        one for one in files("fontpkg_noto_sans_arabic").joinpath("files").iterdir() if one.name.endswith(".ttf")
    )
    pdfmetrics.registerFont(TTFont(_ARABIC, io.BytesIO(arabic.read_bytes())))
    return (*_PACKAGED, _ARABIC)


@lru_cache(maxsize=1)
def _east_asian() -> str:
    """Make the packaged typeface for Chinese, Japanese and Korean known to reportlab, once, and return its name."""
    # Imported late: most reports show none of these characters.
    import noto_cjk_sans_jp_regular

    from guardian.evidence.report.outlines import OutlineFont

    pdfmetrics.registerFont(OutlineFont(_CJK, Path(str(noto_cjk_sans_jp_regular.FONT_PATH))))
    return _CJK


def runs(text: str, typeface: str) -> Iterator[tuple[str, str]]:
    """Yield a text in parts, each with the name of a typeface that has all of its characters; `typeface` if it can."""
    current, part = typeface, ""
    for sign in text:
        name, shown = _shown(sign, typeface)
        if name != current and part:
            yield current, part
            part = ""
        current, part = name, part + shown
    if part:
        yield current, part


@lru_cache(maxsize=4096)
def _shown(sign: str, typeface: str) -> tuple[str, str]:
    """Return the typeface for a character and what is written of it: itself, or its number where nobody has it."""
    registered()
    code = ord(sign)
    if code in _NOT_PRINTED:
        return typeface, ""
    # The letters of an Arabic word are joined, so all must come from one typeface.
    packaged = (_ARABIC, BODY) if _is_arabic(code) else (typeface, BODY)
    for name in packaged:
        if _has(name, code):
            return name, sign
    if _has(_east_asian(), code):
        return _CJK, sign
    for name in _system_typefaces(code):
        return name, sign
    for name, charset in _READERS_FONTS.items():
        if _encodes(sign, charset):
            return _reader_font(name), sign
    return typeface, f"U+{code:04X}"


def _is_arabic(code: int) -> bool:
    return 0x0600 <= code <= 0x08FF or 0xFB50 <= code <= 0xFDFF or 0xFE70 <= code <= 0xFEFF


def _has(typeface: str, code: int) -> bool:
    return code in pdfmetrics.getFont(typeface).face.charToGlyph


def _encodes(sign: str, charset: str) -> bool:
    try:
        return len(sign.encode(charset)) > 1
    except UnicodeEncodeError:
        return False


def _reader_font(name: str) -> str:
    if name not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(UnicodeCIDFont(name))
    return name


def _system_typefaces(code: int) -> Iterator[str]:
    """Yield the names of the system's typefaces that have a character, the preferred first."""
    for path in _system_files():
        name = _loaded(path)
        if name is not None and _has(name, code):
            yield name


@lru_cache(maxsize=1)
def _system_files() -> Sequence[Path]:
    """Return the font files of this machine that are known here, the preferred first."""
    found: dict[str, Path] = {}
    for start in _FOLDERS:
        for folder, folders, names in os.walk(Path(start).expanduser()):
            folders.sort()
            for name in names:
                if name in _SYSTEM_FILES:
                    found.setdefault(name, Path(folder) / name)
    return [found[name] for name in _SYSTEM_FILES if name in found]


@lru_cache(maxsize=64)
def _loaded(path: Path) -> str | None:
    """Return the name under which reportlab knows a font file now; None for one that it cannot embed."""
    name = f"System-{path.stem}"
    try:
        pdfmetrics.registerFont(TTFont(name, str(path)))
    except (TTFError, OSError):
        return None
    return name
