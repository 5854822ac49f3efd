"""A file that the owner wants protected, and what they say about it."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from guardian.model import Rights


@dataclass(frozen=True, slots=True)
class Wanted:
    """`title` and each right that is None is read from the file's own metadata. `path` is absolute."""

    path: Path
    collection: str
    title: str | None = None
    tags: tuple[str, ...] = ()
    rights: Rights = field(default_factory=Rights)


def absolute_path(path: Path) -> Path:
    """Return the path as it was given, made absolute. `..` is worked out, for which links must be followed."""
    path = path.absolute()
    return path.resolve() if ".." in path.parts else path


def as_text(path: Path) -> str:
    """Return the path as text that every database can hold: a name's bytes that are no UTF-8 are written as \\xff."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")
