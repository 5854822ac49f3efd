"""Declares a file that the owner wants protected, and what they state about it."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from guardian.model import Rights


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file to protect. A title or right that is None is taken from the file's metadata. `path` is absolute.

    `names_collection`: the collection was stated for this very file, not for a folder or a whole list.
    """

    path: Path
    collection: str
    title: str | None = None
    tags: tuple[str, ...] = ()
    rights: Rights = field(default_factory=Rights)
    names_collection: bool = field(default=False, compare=False)


def as_text(path: Path) -> str:
    """Return the path as text that every database can hold: bytes that are not UTF-8 become \\xff escapes."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")
