"""Says what bytes seem to be that are not decoded: their kind, by how they begin, and what to do about it."""

from guardian.media.cut_off import missing_bytes
from guardian.media.tiff import STARTS as TIFF_STARTS

_OTHER_KINDS = (
    (b"%PDF", "a PDF document; extract its pictures first"),
    (b"8BPS", "a Photoshop document; export it as TIFF or PNG"),
    (b"<svg", "an SVG drawing; render it as PNG"),
    (b"<?xml", "an XML document (SVG?); render it as PNG"),
    (b"<!DOCTYPE", "an HTML page"),
    (b"<!doctype", "an HTML page"),
    (b"<html", "an HTML page"),
    (b"\xff\x0a", "a JPEG XL picture; convert it to JPEG or PNG"),
    (b"\0\0\0\x0cJXL ", "a JPEG XL picture; convert it to JPEG or PNG"),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000 picture; convert it to JPEG or PNG"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 picture; convert it to JPEG or PNG"),
    (b"\0\0\1\0", "an icon (ICO)"),
    (b"\x1aE\xdf\xa3", "a video (Matroska or WebM); save frames of it as pictures"),
)
_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"mif1", b"msf1", b"heim")
_AVIF_BRANDS = (b"avif", b"avis")

# SOF markers of JPEG (ITU-T T.81, table B.1) that announce something else than baseline or progressive pictures.
_JPEG_KINDS = {0xC3: "lossless", 0xC5: "hierarchical", 0xC6: "hierarchical", 0xC7: "hierarchical", 0xCB: "lossless"}


def what_it_seems(content: bytes, readable: tuple[str, ...]) -> str:
    """Return why bytes cannot be decoded, as far as their beginning tells; `readable` names the formats that can be."""
    start = content[:512].lstrip()
    if not content:
        return "the file is empty"
    if content[4:8] == b"ftyp":
        return _iso_media(content)

    for magic, name in _OTHER_KINDS:
        if content.startswith(magic) or start.startswith(magic):
            return name
    if content.startswith(b"\xff\xd8\xff"):
        return _jpeg(content) or _damaged("JPEG")
    if content[:4] == b"RIFF":
        return _webp(content) if content[8:12] == b"WEBP" else "a RIFF file that is no picture (sound or video?)"

    begins = {"PNG": (b"\x89PNG\r\n\x1a\n",), "GIF": (b"GIF8",), "BMP": (b"BM",), "TIFF": TIFF_STARTS}
    for name, starts in begins.items():
        if content.startswith(starts):
            return _damaged(name)
    return "no picture in a known format (" + ", ".join(readable) + ")"


def _damaged(name: str) -> str:
    return f"it begins as {name} and cannot be read to its picture: it is damaged, or of a kind that is not known"


def _iso_media(content: bytes) -> str:
    """Return what an ISO media file is by its brand."""
    brand = content[8:12]
    if brand in _HEIF_BRANDS:
        return "a HEIC/HEIF picture; convert it to JPEG or AVIF"
    if brand not in _AVIF_BRANDS:
        return "a video or sound file (MP4); save frames of it as pictures"
    return "an AVIF file that is cut off; too little of it is there" if missing_bytes(content) else _damaged("AVIF")


def _webp(content: bytes) -> str:
    return "a WebP file that is cut off; too little of it is there" if missing_bytes(content) else _damaged("WebP")


def _jpeg(content: bytes) -> str | None:
    """Return what is special about a JPEG by its frame header, None when nothing is or there is none."""
    at = 2
    while at + 9 <= len(content) and content[at] == 0xFF:
        marker, length = content[at + 1], int.from_bytes(content[at + 2 : at + 4], "big")
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            if marker in _JPEG_KINDS:
                return f"a {_JPEG_KINDS[marker]} JPEG; convert it to PNG"
            bits = content[at + 4]
            return f"a JPEG of {bits} bits; convert it to PNG" if bits != 8 else None
        at += 2 + length
    return None
