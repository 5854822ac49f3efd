"""How the copies of a work hang together: which version was made of which, where each was seen, and since when."""

from dataclasses import dataclass, field
from datetime import datetime

from guardian.model.assets import LicenceStatus
from guardian.model.matches import Comparison


@dataclass(frozen=True, slots=True)
class SpreadPlace:
    """One place where a version was seen; `licence` is the status of the use there."""

    page_url: str | None
    image_url: str | None
    operator: str
    first_seen_at: datetime
    last_seen_at: datetime
    licence: LicenceStatus
    is_own: bool


@dataclass(frozen=True, slots=True)
class SpreadVersion:
    """One version of a work that was met: its bytes by their SHA-256, and what was measured against the asset.

    `places` begin with the first seen. `parent` is the digest of the version that it was made of, None for one that
    was made of the work itself; `how` says in words what was done. `preview` is a JPEG, b"" where none is kept.
    """

    sha256: str
    width: int
    height: int
    comparison: Comparison
    places: tuple[SpreadPlace, ...]
    parent: str | None = None
    how: str = ""
    preview: bytes = field(default=b"", repr=False)

    @property
    def first_seen_at(self) -> datetime:
        """When it was first met anywhere."""
        return self.places[0].first_seen_at

    @property
    def last_seen_at(self) -> datetime:
        """When it was last met anywhere."""
        return max(place.last_seen_at for place in self.places)


@dataclass(frozen=True, slots=True)
class Spread:
    """All versions of a work that were met, the first seen first.

    `without_preview`: how many of them could only be placed by what was measured, since no preview is kept.
    `not_compared`: why the versions could not be laid on each other, so that none has a parent; None where they were.
    """

    asset_id: str
    title: str
    versions: tuple[SpreadVersion, ...]
    without_preview: int = 0
    not_compared: str | None = None
