"""Coverage of one source: what its scans saw, what they did not see, and whether the source is in trouble."""

from dataclasses import dataclass
from enum import StrEnum

from guardian.model.captures import Importance
from guardian.model.tasks import Scan


class TroubleKind(StrEnum):
    """failing: scans end in errors; silent: no scan completes; shrinking: the last one saw far fewer images."""

    FAILING = "failing"
    SILENT = "silent"
    SHRINKING = "shrinking"


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a source needs attention.

    `since_scan` is the id of the last scan without trouble (0: none), which identifies this episode.
    """

    kind: TroubleKind
    detail: str
    since_scan: int


@dataclass(frozen=True, slots=True)
class Coverage:
    """One source as the last scan that ended saw it (`last_ended`). `last` may be running.

    `pages` counts answered pages, `pages_unchanged` those answered with a 304. `images` counts pictures, whatever came
    of them; `fetched`, `unchanged`, `fresh` and `again` split them by CacheStatus, and the rest failed or lay on this
    machine. `compared` counts those compared with the assets, `matched` those of which a rule kept a match. `not_seen`
    counts by reason what was left out or could not be compared. `usual_images` is None until there are enough scans.
    """

    source: str
    last: Scan | None
    last_complete: Scan | None
    pages: int
    pages_unchanged: int
    images: int
    fetched: int
    unchanged: int
    fresh: int
    again: int
    compared: int
    matched: int
    not_seen: dict[str, int]
    usual_images: float | None
    trouble: Trouble | None
    last_ended: Scan | None = None


@dataclass(frozen=True, slots=True)
class EvidenceRoom:
    """How much evidence is kept, of how much there may be (evidence.max_bytes), and why: versions by importance."""

    used_bytes: int
    max_bytes: int
    versions: dict[Importance, int]

    @property
    def share(self) -> float:
        """The part of the room that is used, 0 to 1 and a little more."""
        return self.used_bytes / self.max_bytes
