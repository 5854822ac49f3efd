"""Reads data: URLs, which hold a file instead of naming one (RFC 2397)."""

import base64
import re
from urllib.parse import unquote_to_bytes

_BLANKS = re.compile(rb"\s")


def is_data_url(url: str) -> bool:
    """Return whether a URL has the scheme data:."""
    return url[:5].lower() == "data:"


def media_type_of(url: str) -> str:
    """Return the media type that a data: URL states, in lower case and without parameters; "" when it states none."""
    return url[5:].partition(",")[0].partition(";")[0].strip().lower()


def decode_data_url(url: str) -> bytes | None:
    """Return the bytes that a data: URL holds; None when its base64 is invalid."""
    head, _, body = url[5:].partition(",")
    raw = unquote_to_bytes(body)
    if not head.lower().rstrip().endswith("base64"):
        return raw

    try:
        # Pages also use the URL-safe alphabet, and leave out the padding; too much of it does no harm.
        return base64.b64decode(_BLANKS.sub(b"", raw).replace(b"-", b"+").replace(b"_", b"/") + b"==")
    except ValueError:
        return None
