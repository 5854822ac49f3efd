"""The argument of `record`: one sighting of one asset, judged by the rules, its evidence already kept."""

from dataclasses import dataclass, field
from datetime import datetime

from guardian.model import Asset, Comparison, Decision, LicenceStatus, Sighting


@dataclass(frozen=True, slots=True)
class Kept:
    """SHA-256 digests of the evidence that was kept; None where it was not, and `note` says why.

    The statuses are those of the HTTP answers; None where nothing was transferred.
    """

    image_sha256: str | None = None
    page_sha256: str | None = None
    note: str | None = None
    image_status: int | None = None
    page_status: int | None = None


@dataclass(frozen=True, slots=True)
class RecordedUse:
    """One asset seen at one address.

    `candidate_sha256` is the digest of the image's bytes, `also_at` other addresses of the same picture,
    `at` the moment of recording (aware UTC), `perceptual_hash` the published hash of the picture seen,
    `licence_id` the licence that gives `licence_status`. `seen_since`: since when the memory has known the picture
    there, where that is earlier than the sighting.
    """

    sighting: Sighting
    candidate_sha256: str
    asset: Asset
    comparison: Comparison
    licence_status: LicenceStatus
    decision: Decision
    at: datetime
    kept: Kept = field(default_factory=Kept)
    also_at: tuple[str, ...] = ()
    perceptual_hash: str | None = None
    licence_id: str | None = None
    seen_since: datetime | None = None
