"""An image whose bytes are known: transferred now, or unchanged since they were matched; or quarantined."""

from dataclasses import dataclass, field
from datetime import datetime

from guardian.model.answers import CacheStatus
from guardian.model.matches import MatchReport
from guardian.model.reasons import SkipReason
from guardian.model.sightings import Response, Sighting, Skipped


@dataclass(frozen=True, slots=True)
class Fetched:
    """A sighting whose image is here: from its site, from disk, or out of the page that it is written into.

    `sha256` is the lower-case hex digest of `content`. `response` is the answer that the bytes came in; None for an
    image that is written into its page.
    """

    sighting: Sighting
    sha256: str
    content: bytes = field(repr=False)
    response: Response | None = field(repr=False)

    @property
    def cache_status(self) -> CacheStatus:
        """How the bytes came: from the site, or from this machine."""
        return CacheStatus.FETCHED if self.status is not None else CacheStatus.HERE

    @property
    def status(self) -> int | None:
        """The status with which the site sent the image; None when it came from this machine."""
        is_here = self.response is None or self.response.url.startswith("file:")
        return None if is_here or self.response is None else self.response.status

    @property
    def incomplete(self) -> str | None:
        """Why only the beginning of the image is here; None when all of it is."""
        return self.response.incomplete if self.response is not None else None


@dataclass(frozen=True, slots=True)
class Unchanged:
    """A sighting whose image was not transferred, because it is known and still the same.

    `sha256` is the digest of the bytes that were matched before and `report` what the matcher said about them; a
    Skipped says why they cannot be matched. `response` is the 304 of the site; None when it was not asked. `status` and
    `incomplete` are those of the answer in which the bytes came.
    """

    sighting: Sighting
    sha256: str
    report: MatchReport | Skipped
    cache_status: CacheStatus
    response: Response | None = field(default=None, repr=False)
    status: int | None = None
    incomplete: str | None = None


Candidate = Fetched | Unchanged
"""What is known of a sighting's image once its site was asked, or need not be."""

FAILURES_BEFORE_SET_ASIDE = 3
"""An image that ended its worker so often by itself is not tried again until a person frees it."""


@dataclass(frozen=True, slots=True)
class QuarantinedImage:
    """An image whose worker died or ran out of time, and that has not been compared since.

    `reason` and `detail` are those of the last attempt, at `failed_at`. `attempts` counts all of them, `failures` those
    in which the image ended its worker by itself. Scans do not try it again before `retry_at`.
    """

    sha256: str
    image_url: str
    reason: SkipReason
    detail: str
    attempts: int
    failures: int
    failed_at: datetime
    retry_at: datetime

    @property
    def is_set_aside(self) -> bool:
        """Whether it is not tried again by itself."""
        return self.failures >= FAILURES_BEFORE_SET_ASIDE
