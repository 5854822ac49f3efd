"""Cursors: where a list goes on, as a text that programs pass back and do not read."""

import base64
import binascii
import json
from collections.abc import Sequence

from guardian.errors import UsageError

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
    ):
        raise UsageError("this cursor is of no page of this list; leave it out to begin at the start")
    return found[1:]
