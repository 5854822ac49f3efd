"""Tells, field by field, what a picture that was found says of rights and the owner's file does not, and the reverse.

Pure functions. What is concluded is only what files can show: who changed them, and what that person knew or meant,
which 17 U.S.C. 1202 asks about, no file says.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from guardian.evidence.file_metadata import (
    MANAGEMENT_INFORMATION,
    Carrier,
    FileMetadata,
    Meaning,
    MetadataField,
)

_LONGEST_IN_SENTENCE = 120


class FieldChange(StrEnum):
    """What became of a field of the owner's file in the picture that was found.

    `not_read`: it was not seen there, but not all that the picture says could be read.
    """

    KEPT = "kept"
    REMOVED = "removed"
    ALTERED = "altered"
    ADDED = "added"
    NOT_READ = "not read"


@dataclass(frozen=True, slots=True)
class ComparedField:
    """One field in the owner's file, in the picture that was found, and in the control picture; None where it is not.

    `is_all_read`: whether all that the picture that was found says could be read. `is_management_information`: whether
    it may be copyright management information (17 U.S.C. 1202(c)).
    """

    carrier: Carrier
    name: str
    meaning: Meaning
    original: str | None
    found: str | None
    control: str | None
    is_all_read: bool = True

    @property
    def change(self) -> FieldChange | None:
        """What became of it; None for what the control picture alone says."""
        if self.original is None:
            return None if self.found is None else FieldChange.ADDED
        if self.found is None:
            return FieldChange.REMOVED if self.is_all_read else FieldChange.NOT_READ
        return FieldChange.KEPT if self.found == self.original else FieldChange.ALTERED

    @property
    def is_management_information(self) -> bool:
        """Whether it may be copyright management information."""
        return self.meaning in MANAGEMENT_INFORMATION


@dataclass(frozen=True, slots=True)
class ReadFile:
    """A picture that was read: its address, and what it says."""

    metadata: FileMetadata
    url: str | None = None


def compared(original: FileMetadata, found: FileMetadata, control: FileMetadata | None) -> tuple[ComparedField, ...]:
    """Return every field that one of the files has, those of the owner's file first."""
    files = (original, found, control or FileMetadata())
    mine, theirs, others = ({(field.carrier, field.name): field.value for field in file.fields} for file in files)
    meanings = {(field.carrier, field.name): field.meaning for file in files for field in file.fields}
    return tuple(
        ComparedField(*key, meaning, mine.get(key), theirs.get(key), others.get(key), not found.unread)
        for key, meaning in meanings.items()
    )


def conclusion(
    original: FileMetadata,
    found: FileMetadata,
    control: ReadFile | None,
    versions: Sequence[tuple[str, FileMetadata]] = (),
) -> tuple[str, ...]:
    """Return what the files show, in sentences.

    `control`: another picture of the same host, None without one. `versions`: other versions of the work that the owner
    protects, by their titles: a copy of one that states less never had more. A statement counts as kept where any field
    of the same meaning still has its words, whatever its carrier.
    """
    stated = _management(original)
    if not stated:
        return (
            "The owner's file names no creator, owner, terms or identifier in its metadata, so the picture that was "
            "found has lost none.",
            *_added(original, found),
        )

    still = {(field.meaning, field.value.casefold()) for field in found.fields}
    lost = [field for field in stated if (field.meaning, field.value.casefold()) not in still]
    kept = [field for field in stated if field not in lost]
    replaced = _replaced(lost, kept, found)
    removed = [field for field in lost if field.meaning not in replaced]
    sentences = [f"The owner's file states in its metadata: {_listed(stated)}."]
    if not lost:
        return (*sentences, "The picture that was found states all of this too.", *_added(original, found))

    if kept:
        sentences.append(f"The picture that was found still states: {_listed(kept)}.")
    sentences += _about_removed(removed, found)
    for meaning, other in replaced.items():
        before = next(field.value for field in lost if field.meaning is meaning)
        sentences.append(
            f"The picture that was found states another {meaning.value}: {_quoted(other.value)} instead of "
            f"{_quoted(before)}."
        )
    sentences += _about_host(removed, control)
    sentences += _about_versions(lost, versions)
    sentences.append(
        "Who removed or altered it, when, and what they knew, the files do not say; the picture may also have been "
        "made from another version that never had it. 17 U.S.C. 1202 asks about knowledge and intent."
    )
    return (*sentences, *_added(original, found))


def _replaced(
    lost: Sequence[MetadataField], kept: Sequence[MetadataField], found: FileMetadata
) -> dict[Meaning, MetadataField]:
    """Return what the found picture states in place of what was lost, by meaning; not where some of it was kept."""
    still_stated = {field.meaning for field in kept}
    replaced: dict[Meaning, MetadataField] = {}
    for field in found.fields:
        if any(field.meaning is one.meaning for one in lost) and field.meaning not in still_stated:
            replaced.setdefault(field.meaning, field)
    return replaced


def _about_removed(removed: Sequence[MetadataField], found: FileMetadata) -> list[str]:
    """Return what the found picture does not state, as far as it could be read."""
    if removed and found.unread:
        return [
            f"In what could be read of the picture that was found there is no: {_listed(removed)}. Not all of its "
            f"metadata could be read ({'; '.join(found.unread)}), so it may state this all the same."
        ]
    return [f"The picture that was found does not state: {_listed(removed)}."] if removed else []


def _about_host(removed: Sequence[MetadataField], control: ReadFile | None) -> list[str]:
    """Return what the control picture says of why something is missing."""
    if not removed:
        return []
    if control is None:
        return [
            "No other picture of the same host could be looked at, so it is not known whether the host removes "
            "metadata from all pictures."
        ]

    where = f"Another picture of the same host ({control.url})" if control.url else "Another picture of the same host"
    theirs = _management(control.metadata)
    if theirs:
        return [
            f"{where} does state such information ({_listed(theirs)}): the host does not remove it from every picture."
        ]
    if control.metadata.unread:
        return [
            f"Not all metadata of {where[0].lower()}{where[1:]} could be read "
            f"({'; '.join(control.metadata.unread)}), so it is not known whether the host removes metadata from all "
            "pictures."
        ]
    if control.metadata.fields:
        return [
            f"{where} states nothing of rights, but has other metadata: the host does not remove all metadata from "
            "every picture."
        ]
    return [
        f"{where} has no metadata either. Sites that re-encode what is uploaded remove all of it, so its absence alone "
        "does not show that yours was removed on purpose."
    ]


def _about_versions(lost: Sequence[MetadataField], versions: Sequence[tuple[str, FileMetadata]]) -> list[str]:
    """Return which other versions of the work lack what was lost as well."""
    wanted = {(field.meaning, field.value.casefold()) for field in lost}
    without = [
        title
        for title, file in versions
        if not wanted & {(field.meaning, field.value.casefold()) for field in file.fields}
    ]
    named = ", ".join(_quoted(title) for title in without[:5])
    if not without:
        return []
    return [
        f"Other versions of this work that are protected do not state it either ({named}): a copy of one never had it."
    ]


def _added(original: FileMetadata, found: FileMetadata) -> list[str]:
    """Return what the found picture states of rights where the owner's file states nothing of that meaning."""
    known = {field.meaning for field in original.fields}
    more = [field for field in _management(found) if field.meaning not in known]
    return [f"The picture that was found adds: {_listed(more)}."] if more else []


def _management(file: FileMetadata) -> list[MetadataField]:
    return [field for field in file.fields if field.meaning in MANAGEMENT_INFORMATION]


def _listed(fields: Sequence[MetadataField]) -> str:
    """Return meanings with their values, each once: "creator (“Anna”), copyright notice (“© Anna”)"."""
    parts = dict.fromkeys(f"{field.meaning.value} ({_quoted(field.value)})" for field in fields)
    return ", ".join(list(parts)[:12]) + (f" and {len(parts) - 12} more" if len(parts) > 12 else "")


def _quoted(value: str) -> str:
    short = value if len(value) <= _LONGEST_IN_SENTENCE else f"{value[: _LONGEST_IN_SENTENCE - 1].rstrip()}…"
    return f"“{short}”"
