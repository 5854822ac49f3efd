"""Decisions of the rules, and the findings and cases that are kept because of them."""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from guardian.model.assets import LicenceStatus
from guardian.model.matches import Comparison
from guardian.model.sightings import Context


class Action(StrEnum):
    """What a rule asks for."""

    ALERT = "alert"
    REVIEW = "review"
    IGNORE = "ignore"


class Severity(StrEnum):
    """How urgent a case is, in the eyes of the author of a rule."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


NO_RULE = "no rule matched"
"""Stands in for the name of the deciding rule when no rule fired."""

LOOKALIKE_RULE = "known look-alike"
"""Stands in for the name of the deciding rule when a person has said that this picture is not theirs."""

SCANS_UNTIL_ABSENT = 2
"""A page or picture that is missing once may be back at the next scan; missing twice in a row, it is gone."""

# From the weakest to the strongest: a case takes the strongest of its findings. None is "no severity given".
ACTIONS_BY_STRENGTH = (Action.IGNORE, Action.REVIEW, Action.ALERT)
SEVERITIES_BY_STRENGTH = (None, Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL)


@dataclass(frozen=True, slots=True)
class Decision:
    """What is done about one match, and the name of the rule that decided it (NO_RULE when none fired).

    `deliver_to`: names of destinations; empty means every destination. `record`: keep a finding even though no message
    is sent, for a licensed use for example; alerts and reviews are always recorded.
    """

    action: Action
    rule: str
    severity: Severity | None = None
    deliver_to: tuple[str, ...] = ()
    record: bool = False


class CaseState(StrEnum):
    """The state of a case. Only the package `cases` changes it.

    `licensed` (licences cover all of its findings) and `gone` (none of its findings is there any more) are set and left
    by guardian; people decide on the others. `closed` and `resolved`, its earlier name, mean the same.
    """

    OPEN = "open"
    CONFIRMED = "confirmed"
    DISMISSED = "dismissed"
    RESOLVED = "resolved"
    LICENSED = "licensed"
    NOTICE_SENT = "notice_sent"
    GONE = "gone"
    CLOSED = "closed"


STATES_OF_PEOPLE = (
    CaseState.OPEN,
    CaseState.CONFIRMED,
    CaseState.NOTICE_SENT,
    CaseState.DISMISSED,
    CaseState.RESOLVED,
    CaseState.CLOSED,
)
"""The states that a person may give a case."""

PURSUED_STATES = (CaseState.OPEN, CaseState.CONFIRMED, CaseState.NOTICE_SENT)
"""The states of a case that somebody still has to deal with."""

SETTLED_STATES = (CaseState.RESOLVED, CaseState.CLOSED)
"""The states of a case that a person has called done: only news opens it again."""


class DismissReason(StrEnum):
    """Why a case is of no interest."""

    NOT_MINE = "not_mine"
    PERMITTED = "permitted"
    NOT_WORTH_PURSUING = "not_worth_pursuing"
    LOOK_ALIKE = "look_alike"


class CommercialSign(StrEnum):
    """What the words of a page say of its trade."""

    SHOP = "shop"
    PRICE = "price"
    ADVERTISING = "advertising"


@dataclass(frozen=True, slots=True)
class UnseenFinding:
    """A finding that a scan has not seen: what is asked of it before it counts as missed."""

    id: str
    page_url: str
    last_seen_at: datetime
    missed_scans: int


@dataclass(frozen=True, slots=True)
class Finding:
    """A work at one place: a match on a sighting that the rules kept.

    `asset_id` is the asset of the work that matched best when the picture was last seen, and `comparison` is with it.
    Recognised by the asset's work and the keys of its addresses (guardian/urls/keys.py), so another rendition of the
    picture, session id or signature is the same finding. Both addresses are canonical and as last seen. The address of
    an inline (data:) image is urn:sha256:<digest>; without a page, `page_url` is the image's. `page_sha256` and
    `image_sha256` name the bytes kept as evidence; None when they were not kept. `evidence_note` says why, or what is
    odd about them. `perceptual_hash` is an Asset's, of the picture as last seen. `image_status` and `page_status` are
    the HTTP statuses that picture and page last came with; None for what came otherwise, or before they were kept.
    `licence_id` is the licence that gives `licence`, `licensed_since` when guardian began to count the use as licensed
    without a break. `missed_scans` counts the scans since it was last seen that looked at its place and did not see it,
    the first of them at `first_missed_at`.
    """

    id: str
    asset_id: str
    case_id: str | None
    source: str
    page_url: str
    image_url: str
    first_seen_at: datetime
    last_seen_at: datetime
    licence: LicenceStatus
    decision: Decision
    comparison: Comparison
    # What was compared, also when it was not kept; the next two say what was.
    candidate_sha256: str
    image_sha256: str | None
    page_sha256: str | None
    evidence_note: str | None = None
    context: Context = field(default_factory=Context)
    also_at: tuple[str, ...] = ()
    perceptual_hash: str | None = None
    image_status: int | None = None
    page_status: int | None = None
    licence_id: str | None = None
    licensed_since: datetime | None = None
    first_missed_at: datetime | None = None
    missed_scans: int = 0

    @property
    def is_absent(self) -> bool:
        """Whether it was missed so often in a row that it counts as gone; seen again, it has returned."""
        return self.missed_scans >= SCANS_UNTIL_ABSENT

    @property
    def is_licensed(self) -> bool:
        """Whether a licence covers this use, and the rules ask for nothing because of it."""
        return self.licence is LicenceStatus.LICENSED and self.decision.action is Action.IGNORE


@dataclass(frozen=True, slots=True)
class Case:
    """One use of one work by one operator (registrable domain, platform account or IP address).

    `asset_id` is the asset of the work that matched best when the case was opened. `action` and `severity` are the
    strongest of its findings. `alerted_at`: when a message about it was last written; None before the first.
    `message_count`: how many messages it has caused. `licence_id` and `licensed_since` are set while licences cover all
    of its findings; it then asks for nothing (`ignore`, no severity). `version` grows with each line of its history.
    `reason`: why it is dismissed. `untold`: what happened while no destination was configured (the kind of event), to
    be told at the next sighting when there is one. `confidence`: the highest probability with which one of its findings
    was ever judged a copy; None before the first.
    """

    id: str
    asset_id: str
    work_id: str
    operator: str
    state: CaseState
    severity: Severity | None
    opened_at: datetime
    updated_at: datetime
    finding_count: int
    alerted_at: datetime | None = None
    reviewed_by: str | None = None
    review_note: str | None = None
    action: Action = Action.ALERT
    message_count: int = 0
    licence_id: str | None = None
    licensed_since: datetime | None = None
    version: int = 0
    reason: DismissReason | None = None
    assignee: str | None = None
    labels: tuple[str, ...] = ()
    due_on: date | None = None
    untold: str | None = None
    share_used: float | None = None
    commercial: tuple[CommercialSign, ...] = ()
    rank: float = 0.0
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class PriorityPart:
    """One reason why a case is urgent: its points, and in words what they stand for."""

    name: str
    points: float
    words: str


@dataclass(frozen=True, slots=True)
class Priority:
    """How urgent a case is: the sum of its parts."""

    parts: tuple[PriorityPart, ...]

    @property
    def points(self) -> float:
        """The sum, to one decimal place."""
        return round(sum(part.points for part in self.parts), 1)


@dataclass(frozen=True, slots=True)
class Decided:
    """What people have decided about a case, as it was before a change, so that the change can be undone."""

    state: CaseState
    reason: DismissReason | None = None
    reviewed_by: str | None = None
    review_note: str | None = None
    assignee: str | None = None
    labels: tuple[str, ...] = ()
    due_on: date | None = None


@dataclass(frozen=True, slots=True)
class CaseFilter:
    """Which cases are wanted: those to which everything that is set applies.

    `asset_id`: the case is about the work of this asset; `collection`: about a work that has an asset in it. `licence`:
    a status that one of its findings has; `licence_id`: a licence that one of its findings was judged by. `since`: the
    case changed then or later. `host`: the operator's own name, or a host at or below which one of its findings lies.
    `due_by`: it is due on that day or earlier. `source`: one of its findings was seen by this source. `words`: text in
    the title of its asset, its operator or its note, or words that follow each other in an address of one of its
    findings or around it, the last of which may go on. `confidence`: the surest of its findings was so sure or surer.
    `opened_from` and `opened_before`: it was opened then or later, and earlier than then. `work_id`: it is about this
    work. `by_priority`: the most urgent first, and not those last changed.
    """

    states: tuple[CaseState, ...] = ()
    severities: tuple[Severity, ...] = ()
    asset_id: str | None = None
    collection: str | None = None
    licence: LicenceStatus | None = None
    licence_id: str | None = None
    since: datetime | None = None
    host: str | None = None
    operator: str | None = None
    reasons: tuple[DismissReason, ...] = ()
    assignee: str | None = None
    label: str | None = None
    due_by: date | None = None
    source: str | None = None
    words: str | None = None
    confidence: float | None = None
    opened_from: datetime | None = None
    opened_before: datetime | None = None
    work_id: str | None = None
    by_priority: bool = False


class CaseGrouping(StrEnum):
    """What cases are put together by."""

    OPERATOR = "operator"
    WORK = "work"


@dataclass(frozen=True, slots=True)
class CaseGroup:
    """Cases that share an operator or a work. `rank`: of the most urgent of them."""

    key: str
    cases: int
    rank: float


@dataclass(frozen=True, slots=True)
class CaseGroups:
    """Some groups of cases, and how many groups and cases there are in all."""

    shown: tuple[CaseGroup, ...]
    groups: int
    cases: int


@dataclass(frozen=True, slots=True)
class OperatorSummary:
    """An operator and its cases: how many there are in each state, the places of their uses, the highest rank."""

    operator: str
    states: tuple[tuple[CaseState, int], ...]
    findings: int
    rank: float
    changed_at: datetime

    @property
    def cases(self) -> int:
        """How many cases it has: as many as works of yours it uses."""
        return sum(number for _, number in self.states)

    @property
    def pursued(self) -> int:
        """How many of them somebody still has to deal with."""
        return sum(number for state, number in self.states if state in PURSUED_STATES)


@dataclass(frozen=True, slots=True)
class CaseEvent:
    """One line of a case's history, which only grows.

    `kind`: opened, escalated, reopened, returned, gone, licensed, unlicensed; the state that a person gave the case;
    assigned, labelled, due, noted, undone; moved (one of its findings went to another case), merged (another case
    became part of this one) or split (a part of it became another case; see docs/cases.md). `message_id` is the
    webhook-id that receivers get. `detail`: what the kind leaves open (the reason of a dismissal, the person it is
    assigned to, the labels, the day, the kind that was undone). `before`: what was decided before, for changes that can
    be undone; `undoes`: the number of the line that this one undoes. `batch` is shared by the lines of one decision
    about several cases. `number` is given by the store and grows.
    """

    case_id: str
    at: datetime
    kind: str
    by: str | None = None
    note: str | None = None
    message_id: str | None = None
    detail: str | None = None
    before: Decided | None = None
    undoes: int | None = None
    batch: str | None = None
    number: int | None = field(default=None, compare=False)
