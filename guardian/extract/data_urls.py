"""data: addresses, which hold a file instead of naming one (RFC 2397)."""

import base64
import re
from urllib.parse import unquote_to_bytes

_BLANKS = re.compile(rb"\s")


def is_data_url(url: str) -> bool:
    """Return whether an address is one."""
    return url[:5].lower() == "data:"


def kind_of(url: str) -> str:
    """Return the type that it states, in lower case."""
    return url[5:].partition(",")[0].partition(";")[0].strip().lower()


def decoded(url: str) -> bytes | None:
    """Return the file; None for what cannot be decoded."""
    head, _, body = url[5:].partition(",")
    raw = unquote_to_bytes(body)
    if not head.lower().rstrip().endswith("base64"):
        return raw
    try:
        return base64.b64decode(_BLANKS.sub(b"", raw).replace(b"-", b"+").replace(b"_", b"/") + b"==")
    except ValueError:
        return None
