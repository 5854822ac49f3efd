"""What the rules decided, and what guardian keeps and owes because of it."""

from dataclasses import dataclass, field
from datetime import datetime
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
    """How much a rule's author cares."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


NO_RULE = "no rule matched"
"""Stands where the name of the deciding rule would, when none of them fired."""

ACTIONS_BY_STRENGTH = (Action.IGNORE, Action.REVIEW, Action.ALERT)
SEVERITIES_BY_STRENGTH = (None, Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL)


@dataclass(frozen=True, slots=True)
class Decision:
    """What the rules said about one match, and which rule said it; NO_RULE when none did.

    `deliver_to`: names of destinations; empty means every destination. `record`: keep a finding even
    though nobody is told (a licensed use, for example); alerts and reviews are always recorded.
    """

    action: Action
    rule: str
    severity: Severity | None = None
    deliver_to: tuple[str, ...] = ()
    record: bool = False


class CaseState(StrEnum):
    """Where a case is; only `cases/` moves it."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    DISMISSED = "dismissed"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Finding:
    """A match on a sighting that the rules kept.

    Recognised by its asset and the keys of its addresses (guardian/urls/keys.py): renditions of one picture, session
    ids and signatures make no other finding. Both addresses are canonical and as last seen. An inline (data:) image
    has urn:sha256:<digest> as its address; a sighting without a page has the image's. `page_sha256` and `image_sha256`
    name the exact bytes kept as evidence; None when they were not kept (`evidence_note` says why). `perceptual_hash`
    is an Asset's, of the picture as last seen.
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
    candidate_sha256: str
    image_sha256: str | None
    page_sha256: str | None
    evidence_note: str | None = None
    context: Context = field(default_factory=Context)
    also_at: tuple[str, ...] = ()
    perceptual_hash: str | None = None


@dataclass(frozen=True, slots=True)
class FindingDigest:
    """Bytes that were seen at a finding's address, and when. `image_sha256` names kept evidence or is None."""

    candidate_sha256: str
    image_sha256: str | None
    page_sha256: str | None
    first_seen_at: datetime
    last_seen_at: datetime


@dataclass(frozen=True, slots=True)
class Case:
    """One use of one asset by one operator (registrable domain, platform account or IP address).

    `action` and `severity` are the strongest that any of its findings was given. `alerted_at`: when
    somebody was last told; None as long as nobody was. `message_count`: how many messages it has caused.
    """

    id: str
    asset_id: str
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


@dataclass(frozen=True, slots=True)
class CaseEvent:
    """One line of a case's history.

    `kind`: opened, escalated, reopened, the state a review gave it, or moved (a finding, to another case; see
    docs/cases.md). `message_id` is the webhook-id that receivers get.
    """

    case_id: str
    at: datetime
    kind: str
    by: str | None = None
    note: str | None = None
    message_id: str | None = None
