"""What the scans of one source saw, what they did not, and whether something is wrong with the source."""

from dataclasses import dataclass
from enum import StrEnum

from guardian.model.tasks import Scan


class TroubleKind(StrEnum):
    """failing: scans end in errors; silent: none completes; shrinking: the last one saw far fewer images."""

    FAILING = "failing"
    SILENT = "silent"
    SHRINKING = "shrinking"


@dataclass(frozen=True, slots=True)
class Trouble:
    """`since_scan` is the id of the last scan that was well (0 for none): it names this episode of trouble."""

    kind: TroubleKind
    detail: str
    since_scan: int


@dataclass(frozen=True, slots=True)
class Coverage:
    """One source as its latest scan saw it.

    `pages` answered, `pages_unchanged` of them with a 304. `images` were answered, whatever the answer: `fetched`
    whole, `unchanged` by a 304, `fresh`, not asked for since their site called them so, or seen `again` on another
    page of the same scan; the rest did not come or lay on this machine. `compared` were compared with the assets,
    and `matched` a rule kept. `not_seen` counts by reason what was left out or could not be compared.
    `usual_images` is None until there are enough scans.
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
