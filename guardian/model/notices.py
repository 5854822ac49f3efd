"""Notices to operators and hosts: what they say, what people did with them, and what became of the places they name."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum


class NoticeKind(StrEnum):
    """What a notice asks for, and by which law it is written."""

    DMCA = "dmca"
    DSA = "dsa"
    CEASE = "cease"
    LICENCE_OFFER = "licence-offer"


class NoticeLanguage(StrEnum):
    """The language of a notice (ISO 639-1)."""

    ENGLISH = "en"
    GERMAN = "de"
    FRENCH = "fr"
    SPANISH = "es"


class NoticeStep(StrEnum):
    """One kind of line in the history of a notice.

    `considered` keeps a person's words about exceptions: fair use, quotation, parody. `verified` says that all
    addresses were live, `not_verified` that some were not, or that nobody could tell.
    """

    DRAFTED = "drafted"
    LICENCE_CHECKED = "licence_checked"
    CONSIDERED = "considered"
    VERIFIED = "verified"
    NOT_VERIFIED = "not_verified"
    APPROVED = "approved"
    SENT = "sent"
    COUNTERED = "countered"
    WITHDRAWN = "withdrawn"


class NoticeState(StrEnum):
    """What a notice is now, by its history."""

    DRAFT = "draft"
    APPROVED = "approved"
    SENT = "sent"
    COUNTERED = "countered"
    WITHDRAWN = "withdrawn"


_STATES = {
    NoticeStep.DRAFTED: NoticeState.DRAFT,
    NoticeStep.APPROVED: NoticeState.APPROVED,
    NoticeStep.SENT: NoticeState.SENT,
    NoticeStep.COUNTERED: NoticeState.COUNTERED,
    NoticeStep.WITHDRAWN: NoticeState.WITHDRAWN,
}


def step_to(state: NoticeState) -> NoticeStep:
    """Return the step that gives a notice this state."""
    return next(step for step, reached in _STATES.items() if reached is state)


OUT_STATES = (NoticeState.SENT, NoticeState.COUNTERED)
"""The states of a notice that somebody has received."""


@dataclass(frozen=True, slots=True)
class NoticePlace:
    """One place that a notice names: a finding, with the addresses that it had when the notice was drafted.

    `image_url` is None for a picture inside its page, `page_url` for one that was seen by itself.
    """

    finding_id: str
    page_url: str | None
    image_url: str | None
    first_seen_at: datetime
    last_seen_at: datetime

    @property
    def address(self) -> str | None:
        """The page, or the picture's file where no page is named."""
        return self.page_url or self.image_url


@dataclass(frozen=True, slots=True)
class NoticeItem:
    """One work of the schedule of a notice, with all places that the notice names of it."""

    case_id: str
    asset_id: str
    title: str
    places: tuple[NoticePlace, ...]


TOKEN_OF = "token_of"  # noqa: S105 - a word, no secret
"""The key of a line's detail that names who made the token by which a program took the step; "" where nobody knows."""


@dataclass(frozen=True, slots=True)
class NoticeLine:
    """One line of the history of a notice, which only grows.

    `note` are a person's words. `detail` is what the step leaves open: to whom and the copy's digest (sent), when it
    was received (countered), what was not live (not_verified), whose token it was (drafted, approved). `number` is
    given by the store and grows.
    """

    notice_id: str
    at: datetime
    step: NoticeStep
    by: str
    note: str | None = None
    detail: Mapping[str, str] = field(default_factory=dict)
    number: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice as it was drafted: its text never changes, another draft is another notice.

    `missing` names the elements that its text lacks, one sentence each; such a notice cannot be sent. `form` is the
    same as blocks to paste into a platform's form. `template_sha256` is the digest of the template that it was made
    by, `answer_by` the day until which it asks for an answer. `history` is there when it was read from the store.
    """

    id: str
    kind: NoticeKind
    language: NoticeLanguage
    operator: str
    drafted_at: datetime
    drafted_by: str
    subject: str
    text: str = field(repr=False)
    form: str = field(repr=False)
    items: tuple[NoticeItem, ...]
    missing: tuple[str, ...]
    template_sha256: str
    answer_by: date
    recipient: str | None = None
    history: tuple[NoticeLine, ...] = field(default=(), compare=False)

    @property
    def state(self) -> NoticeState:
        """What it is now: what the last step that changes its state made it."""
        states = [_STATES[line.step] for line in self.history if line.step in _STATES]
        return states[-1] if states else NoticeState.DRAFT

    @property
    def is_open(self) -> bool:
        """Whether it may still be approved and sent."""
        return self.state in (NoticeState.DRAFT, NoticeState.APPROVED)

    @property
    def case_ids(self) -> tuple[str, ...]:
        """The cases that it is about, in the order of its schedule."""
        return tuple(dict.fromkeys(item.case_id for item in self.items))

    @property
    def places(self) -> tuple[NoticePlace, ...]:
        """All places that it names."""
        return tuple(place for item in self.items for place in item.places)

    def last(self, step: NoticeStep) -> NoticeLine | None:
        """Return the last line of this step; None without one."""
        return next((line for line in reversed(self.history) if line.step is step), None)


@dataclass(frozen=True, slots=True)
class OpenPoint:
    """What has to be done before a notice can go out, in words.

    `step` is the step that settles it; None where nobody settles it by a step with this notice.
    """

    words: str
    step: NoticeStep | None = None


class PlaceState(StrEnum):
    """What a look at a page and its picture has shown.

    `gone` needs both: the page, seen whole, does not show the picture, and its file is not there either. `unclear`
    says nothing: something could not be looked at. `unseen` is another picture or page of the site, of which nobody
    knows that it shows the picture, and which could not be looked at: with it a site was not searched whole.
    """

    THERE = "there"
    GONE = "gone"
    UNCLEAR = "unclear"
    UNSEEN = "unseen"


class RecheckOutcome(StrEnum):
    """What became of the places of a case, by one recheck of all of them.

    `moved`: gone where it was, and shown elsewhere on the host. `back`: there again after an earlier recheck found it
    gone. `partly`: some places are gone.
    """

    THERE = "there"
    PARTLY = "partly"
    GONE = "gone"
    MOVED = "moved"
    BACK = "back"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class PlaceLook:
    """One place as a recheck saw it; `detail` says in words why. `finding_id` is None for a place not known before."""

    page_url: str | None
    image_url: str | None
    state: PlaceState
    detail: str
    finding_id: str | None = None


@dataclass(frozen=True, slots=True)
class Recheck:
    """One look at all places of a case. `day`: how many days after the notice it was due; None when it was asked for.

    `places` are those of the notice, or of the case without one. `elsewhere` are other places of the same operator:
    where the picture is shown, where that could not be told, findings of the case that are gone, and what could not be
    seen when the site was searched.
    """

    id: str
    case_id: str
    notice_id: str | None
    day: int | None
    at: datetime
    outcome: RecheckOutcome
    places: tuple[PlaceLook, ...]
    elsewhere: tuple[PlaceLook, ...] = ()
    asked_by: str | None = None
