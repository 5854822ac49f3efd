"""The time line of a case, as JSON and in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from guardian.views.timestamps import json_timestamp


class TimelineKind(StrEnum):
    """What a line of a time line is about."""

    SEEN = "seen"
    CAPTURED = "captured"
    DECIDED = "decided"
    TOLD = "told"
    NOTICE = "notice"
    RECHECKED = "rechecked"
    LICENCE = "licence"


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One line: when, what in words, the id of what it is about, who did it and why.

    `is_planned`: it has not happened yet. `for_others`: what people outside may read of it, without names and notes;
    None for what is the owner's business.
    """

    at: datetime
    kind: TimelineKind
    words: str
    id: str | None = None
    by: str | None = None
    note: str | None = None
    is_planned: bool = False
    for_others: str | None = None


def timeline_json(case_id: str, entries: Sequence[TimelineEntry]) -> dict[str, Any]:
    """Return the object of a time line: `case timeline --json`."""
    return {
        "case": case_id,
        "entries": [
            {
                "at": json_timestamp(entry.at),
                "kind": entry.kind.value,
                "words": entry.words,
                "id": entry.id,
                "by": entry.by,
                "note": entry.note,
                "planned": entry.is_planned,
            }
            for entry in entries
        ],
    }


def entry_text(entry: TimelineEntry) -> str:
    """Return one line for people, without its time."""
    by = f" by {entry.by}" if entry.by else ""
    planned = "to come: " if entry.is_planned else ""
    note = f": {entry.note}" if entry.note else ""
    return f"{planned}{entry.words}{by}{note}"
