"""Reads texts of EXIF as their writers meant them."""

from typing import Any


def as_utf8(value: Any) -> Any:
    """Return an EXIF value, a text decoded as UTF-8 where that is possible; other values as they are.

    EXIF knows ASCII only: Pillow reads its texts as Latin-1, but most programs write UTF-8.
    """
    if not isinstance(value, str):
        return value
    try:
        return value.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return value
