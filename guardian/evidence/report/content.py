"""What a report tells: all that is recorded of a case at one time, as values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from guardian.cases.capture_orders import strongest
from guardian.model import (
    Asset,
    AuditHead,
    EvidenceCapture,
    EvidenceDeletion,
    EvidenceHold,
    Finding,
    Licence,
    LostMember,
)
from guardian.views.cases import CaseDetail
from guardian.views.timelines import TimelineEntry


@dataclass(frozen=True, slots=True)
class CaseRecord:
    """A case as it is recorded at `made_at`."""

    detail: CaseDetail

    captures: tuple[EvidenceCapture, ...]
    """Oldest first."""

    licences: tuple[Licence, ...]
    """Those that speak about the case's operator."""

    head: AuditHead | None
    """The end of the audit log at `made_at`; None while the log is empty."""

    made_at: datetime

    guardian_version: str

    hold: EvidenceHold | None = None
    """That nothing of the case may be deleted; None when it may."""

    deletions: tuple[EvidenceDeletion, ...] = ()
    """Evidence of the case that was deleted."""

    time_line: tuple[TimelineEntry, ...] = ()
    """All that happened, in the order of time."""

    captures_of_use: tuple[EvidenceCapture, ...] = ()
    """Those of the captures that are of the use that the report speaks of."""

    left_out: tuple[str, ...] = ()
    """What was left out for people outside, in sentences."""

    @property
    def use(self) -> Finding | None:
        """The use that the report speaks of: the strongest, by which captures go too; None when there is none."""
        return strongest(self.detail.findings) if self.detail.findings else None

    @property
    def asset(self) -> Asset | None:
        """The version of the work that the use was compared with; None when the database has lost it."""
        use = self.use
        named = (one for one in self.detail.assets if use is not None and one.id == use.asset_id)
        return next(named, self.detail.asset)


@dataclass(frozen=True, slots=True)
class Exhibit:
    """A file of the bundle as the report lists it."""

    name: str
    sha256: str
    size_bytes: int
    about: str


@dataclass(frozen=True, slots=True)
class ReportPictures:
    """Pictures that guardian has made itself, PNG or JPEG; None where there is none.

    All are of the use that the report speaks of. `original` and `found` show the overlap already when `is_outlined`.
    `screenshot` is the page as a browser showed it at `screenshot_at`.
    """

    original: bytes | None = field(default=None, repr=False)
    found: bytes | None = field(default=None, repr=False)
    heat_map: bytes | None = field(default=None, repr=False)
    screenshot: bytes | None = field(default=None, repr=False)
    screenshot_at: datetime | None = None
    is_outlined: bool = False


@dataclass(frozen=True, slots=True)
class ReportContent:
    """All that a report is made of."""

    record: CaseRecord

    exhibits: Sequence[Exhibit]

    pictures: ReportPictures

    key: str
    """The fingerprint of the key that signs the bundle."""

    authorities: tuple[str, ...] = ()
    """The time-stamp authorities that are asked; none means that the bundle carries no time stamp."""

    contacts: Mapping[str, Any] | None = None
    """Who is behind the site, as the last capture found it."""

    rights: Mapping[str, Any] | None = None
    """What the files say of rights in their metadata, as the last capture of the use found it."""

    lost: tuple[LostMember, ...] = ()
    """What should be in the bundle and was lost before it was made."""
