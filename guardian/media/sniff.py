"""Tells pages and pictures by their first bytes: servers are often wrong about types."""

from guardian.model import Response

_PICTURES = (
    b"\xff\xd8\xff",
    b"\x89PNG\r\n\x1a\n",
    b"GIF8",
    b"BM",
    b"II*\x00",
    b"MM\x00*",
    b"\x00\x00\x01\x00",
    b"\xff\x0a",
    b"\x00\x00\x00\x0cJXL ",
)
_MARKUP = (b"<!doctype html", b"<html", b"<head", b"<body", b"<title", b"<meta", b"<div", b"<p>", b"<img", b"<figure")


def is_picture(response: Response) -> bool:
    """Whether an answer begins as the files of pictures do, or is said to be one."""
    start = response.content[:16]
    stated = (response.header("content-type") or "").strip().lower()
    return start.startswith(_PICTURES) or start[:4] == b"RIFF" or start[4:8] == b"ftyp" or stated.startswith("image/")


def is_page(response: Response) -> bool:
    """Whether an answer is HTML to be searched for pictures."""
    start = response.content[:2048].lstrip(b"\xef\xbb\xbf \t\r\n\x0c")
    if start.startswith(_PICTURES) or start[:4] == b"RIFF" or start[4:8] == b"ftyp":
        return False
    stated = (response.header("content-type") or "").partition(";")[0].strip().lower()
    if stated in ("text/html", "application/xhtml+xml"):
        return True
    lowered = start.lower()
    return lowered.startswith(b"<") and not lowered.startswith(b"<svg") and any(tag in lowered for tag in _MARKUP)
