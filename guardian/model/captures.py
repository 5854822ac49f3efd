"""Versions of the bytes that were seen at a finding: what was captured of each, and why it is kept."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Importance(StrEnum):
    """Why a version of the bytes at a finding is kept.

    `first`: it is the first. `told`: a message named it. `changed`: something that matters was other than in all
    versions before. `latest`: nothing that matters has changed; it is kept until there is a later one. `unknown`: it
    was kept by a guardian that did not compare.
    """

    FIRST = "first"
    TOLD = "told"
    CHANGED = "changed"
    LATEST = "latest"
    UNKNOWN = "unknown"


# From what goes first to what never goes.
IMPORTANCE_BY_STRENGTH = (
    Importance.UNKNOWN,
    Importance.LATEST,
    Importance.CHANGED,
    Importance.FIRST,
    Importance.TOLD,
)


class VersionChange(StrEnum):
    """What matters of a version, and was other than in the one seen before."""

    PICTURE = "picture"
    ADDRESS = "address"
    WORDS = "words"
    CLAIMS = "claims"
    STATUS = "status"


@dataclass(frozen=True, slots=True)
class FindingDigest:
    """One version of the bytes at a finding's address, and when it was seen.

    `image_sha256` and `page_sha256` name kept evidence; None when it was not kept. `changes` say what made it worth
    keeping. `content_key` is equal for versions of which all that matters is the same; None where nothing was
    compared. `dropped_at`: when its evidence was removed to make room for more important evidence.
    """

    candidate_sha256: str
    image_sha256: str | None
    page_sha256: str | None
    first_seen_at: datetime
    last_seen_at: datetime
    importance: Importance = Importance.UNKNOWN
    changes: tuple[VersionChange, ...] = ()
    content_key: str | None = None
    dropped_at: datetime | None = None
