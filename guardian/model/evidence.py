"""Captures: all that was taken of one use at one time, as proof, and what could not be taken."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class CaptureReason(StrEnum):
    """Why a capture was taken.

    `opened`: its case opened. `changed`: what is shown changed. `asked`: a person asked. `notice`: a notice is about to
    be sent. `absence`: the use is gone, which is to be proved. `returned`: the use was gone and is back, or it moved.
    """

    OPENED = "opened"
    CHANGED = "changed"
    ASKED = "asked"
    NOTICE = "notice"
    ABSENCE = "absence"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True)
class CaptureOrder:
    """What is to be captured, and why.

    `finding_id`: the use; None for the strongest use of the case that is still there. `asked_by`: the person who asked.
    `repeats`: how many captures before it lack a part since the machine failed.
    """

    case_id: str
    reason: CaptureReason
    finding_id: str | None = None
    asked_by: str | None = None
    repeats: int = 0


@dataclass(frozen=True, slots=True)
class EvidenceFile:
    """One file of a capture. Its bytes are in the vault under `sha256`.

    `name` is a relative path in lower-case ASCII, unique within its capture: "page.wacz", "comparison/overlay.png".
    `about`: one plain sentence for the list of exhibits.
    """

    name: str
    sha256: str
    size_bytes: int
    media_type: str
    about: str


@dataclass(frozen=True, slots=True)
class NotTaken:
    """What a capture could not take, and in a plain sentence why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class EvidenceCapture:
    """All that was taken of one use at one time.

    `finding_id` is the use that was captured. `asked_by`: the person who asked for it. `page_url` and `image_url` are
    the addresses that were requested; None where there was none. `differences`: in sentences, what was shown to
    guardian and not to a browser, or the other way round.
    """

    id: str
    case_id: str
    finding_id: str | None
    reason: CaptureReason
    asked_by: str | None
    began_at: datetime
    ended_at: datetime
    page_url: str | None
    image_url: str | None
    guardian_version: str
    files: tuple[EvidenceFile, ...] = ()
    not_taken: tuple[NotTaken, ...] = ()
    differences: tuple[str, ...] = ()

    def file(self, name: str) -> EvidenceFile | None:
        """Return the file of this name; None when the capture has none."""
        return next((file for file in self.files if file.name == name), None)


@dataclass(frozen=True, slots=True)
class EvidenceHold:
    """That nothing of a case may be deleted: since when, by whom, and why."""

    case_id: str
    at: datetime
    by: str
    note: str


class DeletionReason(StrEnum):
    """Why evidence was deleted. `asked`: an administrator did it. `age`: its case's state keeps it no longer."""

    ASKED = "asked"
    AGE = "age"


@dataclass(frozen=True, slots=True)
class DeletedFile:
    """A file that was deleted, or that a later deletion of what shares its bytes will delete."""

    name: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class EvidenceDeletion:
    """The trace of evidence that was deleted: of which case, when, by whom, why, and which files there were.

    `captures`: how many captures; `size_bytes`: the sum of the sizes of their files and of what scans had kept.
    """

    id: str
    case_id: str
    at: datetime
    by: str
    reason: DeletionReason
    note: str
    captures: int
    size_bytes: int
    files: tuple[DeletedFile, ...] = ()


class LostState(StrEnum):
    """What was found of a file when the bundle was made. `unreadable`: the disk did not let it be read."""

    MISSING = "missing"
    DAMAGED = "damaged"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class LostMember:
    """A member that the bundle should have and has not: its file was lost or damaged before the bundle was made.

    `sha256`: of the bytes that were kept. `size_bytes`: how many; None where that is not recorded.
    """

    name: str
    sha256: str
    size_bytes: int | None
    about: str
    state: LostState
