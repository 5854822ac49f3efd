"""What the API answers about notices, rechecks and time lines, as it is described to programs."""

from pydantic import Field

from guardian.web.api.schemas import Described


class NoticePlace(Described):
    """One place that a notice names."""

    finding: str
    page_url: str | None
    image_url: str | None


class NoticeItem(Described):
    """One work of a notice's schedule."""

    case: str
    asset: str
    title: str
    places: list[NoticePlace]


class NoticeLine(Described):
    """One line of a notice's history."""

    at: str
    step: str
    by: str
    note: str | None
    detail: dict[str, str]


class NoticeSummary(Described):
    """A notice without its text."""

    id: str
    kind: str
    language: str
    state: str
    operator: str
    recipient: str | None
    subject: str
    drafted_at: str
    drafted_by: str
    answer_by: str
    cases: list[str]
    items: list[NoticeItem]
    missing: list[str] = Field(description="The elements that its text lacks, one sentence each.")
    template_sha256: str
    history: list[NoticeLine]


class Notice(NoticeSummary):
    """A notice."""

    text: str
    form: str = Field(description="The same as blocks to paste into a platform's form.")
    open_points: list[str] = Field(description="What has to be done before it may be recorded as sent.")


class Notices(Described):
    """Notices, the newest first."""

    items: list[NoticeSummary]
    next_cursor: str | None = Field(description="Where the next page begins; null on the last one.")


class PlaceLook(Described):
    """One place as a recheck saw it: there, gone or unclear."""

    page_url: str | None
    image_url: str | None
    state: str
    detail: str
    finding: str | None


class LookAsked(Described):
    """Another look at all places of a case that the daemon owes."""

    case: str
    at: str
    by: str


class Recheck(Described):
    """One look at all places of a case: there, partly, gone, moved, back or unclear."""

    id: str
    case: str
    notice: str | None
    day: int | None
    at: str
    outcome: str
    asked_by: str | None
    places: list[PlaceLook]
    elsewhere: list[PlaceLook]


class Rechecks(Described):
    """Rechecks of a case, the oldest first."""

    items: list[Recheck]


class TimelineEntry(Described):
    """One line of a time line; `planned`: it has not happened yet."""

    at: str
    kind: str
    words: str
    id: str | None
    by: str | None
    note: str | None
    planned: bool


class Timeline(Described):
    """The time line of a case."""

    case: str
    entries: list[TimelineEntry]
