"""Cursors: where a list goes on, as a text that programs pass back and do not read."""

import base64
import binascii
import json
from collections.abc import Sequence

from guardian.errors import UsageError
from guardian.web.api.inputs import is_storable

Part = str | int | float


def written(kind: str, *parts: Part) -> str:
    """Return the cursor of a kind of list."""
    text = json.dumps([kind, *parts], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read(cursor: str, kind: str, types: Sequence[type]) -> list[Part]:
    """Return the parts of a cursor of this kind. Raises UsageError for one of another list, and for any other text."""
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        found = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        found = None
    if (
        not isinstance(found, list)
        or len(found) != len(types) + 1
        or found[0] != kind
        or not all(type(part) is type_ for part, type_ in zip(found[1:], types, strict=True))
        or not all(map(_is_storable, found[1:]))
    ):
        raise UsageError("this cursor is of no page of this list; leave it out to begin at the start")
    return found[1:]


def _is_storable(part: Part) -> bool:
    """Return whether a database can compare with a part: numbers have 64 bits, texts can be encoded."""
    if isinstance(part, int):
        return part.bit_length() < 64
    return not isinstance(part, str) or is_storable(part)
