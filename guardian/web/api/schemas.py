"""What the API answers, as it is described to programs. The objects themselves are made in `views`.

Fields may be added in later versions, so every object may have more than is named here.
"""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Described(BaseModel):
    """An answer's object."""

    model_config = ConfigDict(extra="allow")


class Problem(Described):
    """An error (RFC 9457). `detail` says what to do."""

    type: str
    status: int
    title: str
    detail: str


class InvalidInput(Described):
    """One thing that is wrong in what was sent."""

    where: str = Field(description="body.note, query.limit...")
    what: str


class InvalidProblem(Problem):
    """What was sent is not what this operation takes."""

    errors: list[InvalidInput] = []


class CaseAsset(Described):
    """Which of your pictures a case is about."""

    id: str
    title: str
    collection: str
    path: str


class HistoryLine(Described):
    """One line of a case's history."""

    at: str
    kind: str
    by: str | None
    note: str | None
    detail: str | None
    message_id: str | None
    number: int | None
    undoes: int | None
    batch: str | None


class ChangedProblem(Problem):
    """Somebody else changed it since. `version` is the one to decide on now, `since` what they did."""

    version: int
    since: list[HistoryLine]


class Case(Described):
    """One use of one work by one operator."""

    id: str
    work: str
    asset_id: str
    asset: CaseAsset | None
    operator: str
    state: str
    reason: str | None
    severity: str | None
    action: str
    priority: float
    opened_at: str
    updated_at: str
    sightings: int
    assignee: str | None
    labels: list[str]
    due_on: str | None
    licence: str | None
    reviewed_by: str | None
    review_note: str | None
    version: int = Field(description="Grows with each line of its history; also its ETag.")


class DecidedCase(Case):
    """A case after a decision about it."""

    changed: bool = Field(description="False where it was decided so already: it has no new line of history then.")


class PriorityPart(Described):
    """One reason why a case is urgent."""

    name: str
    points: float
    words: str


class CaseDetail(Case):
    """A case with its findings (each with its measurements and the versions of its bytes) and its history."""

    priority_parts: list[PriorityPart]
    findings: list[dict[str, Any]]
    history: list[HistoryLine]


class Cases(Described):
    """A page of cases."""

    items: list[Case]
    next_cursor: str | None = Field(description="Where the next page begins; null on the last one.")


class DecidedCases(Described):
    """What cases are after a decision about several, or what they would be."""

    items: list[Case]
    changed: bool = Field(description="False after a dry run, and where all of them were decided so already.")
    batch: str | None = Field(
        description="The id of a decision about several, by which `undo` takes back this one and no other; else null."
    )


class Asset(Described):
    """A picture of yours."""

    id: str
    title: str
    collection: str
    path: str
    sha256: str
    width: int
    height: int
    added_at: str
    tags: list[str]
    rights: dict[str, str | None]
    state: str
    self_check: dict[str, Any] | None
    work: str


class Assets(Described):
    """A page of assets."""

    items: list[Asset]
    next_cursor: str | None


class AddedAsset(Described):
    """What came of protecting a picture. `asset` is null when `error` says why it cannot be protected."""

    path: str
    outcome: str
    asset: Asset | None
    versions: list[str]
    error: str | None


class Licence(Described):
    """Who may use what, where and when; `today` says whether it holds."""

    id: str
    host: str
    path: str | None
    asset_id: str | None
    collection: str | None
    tag: str | None
    valid_from: str | None
    valid_until: str | None
    territory: str | None
    medium: str | None
    note: str | None
    proof_sha256: str | None
    today: str


class Licences(Described):
    """All licences that are wanted."""

    items: list[Licence]


class ChangedLicence(Licence):
    """A licence after a change, with the ids of the cases that are licensed by it now, or not any more."""

    cases_licensed: list[str]
    cases_not_licensed: list[str]


class ImportedLicences(Described):
    """What came of a file of licences: how many were new, how many known, and which cases follow them."""

    added: int
    known: int
    cases_licensed: list[str]
    cases_not_licensed: list[str]


class Operator(Described):
    """Somebody who uses your works. One that was named has `licences`, `contacts` and `cases_of` too."""

    operator: str
    cases: int
    pursued: int
    states: dict[str, int]
    sightings: int
    changed_at: str


class Operators(Described):
    """Operators, the most urgent first."""

    items: list[Operator]
    next_cursor: str | None


class Source(Described):
    """A place that is watched."""

    name: str
    kind: str
    address: str
    rhythm: str
    last: dict[str, Any] | None
    last_complete: dict[str, Any] | None
    next_at: str | None


class Sources(Described):
    """All sources of the configuration."""

    items: list[Source]


class ScanAsked(Described):
    """That a source is to be scanned as soon as can be."""

    source: str
    at: str
    by: str


class SourceTried(Described):
    """What a source would yield, and what it would leave out. `detail`: why the answer ends before the source does."""

    source: str
    pictures: list[dict[str, Any]]
    left_out: list[dict[str, Any]]
    complete: bool
    detail: str | None


class Coverages(Described):
    """What was seen of each source, as /coverage says it."""

    items: list[dict[str, Any]]


class Delivery(Described):
    """One message to one destination."""

    id: int
    webhook_id: str | None
    destination: str | None
    state: str
    held: bool
    attempts: int
    created_at: str
    due_at: str | None
    last_error: str | None
    about: dict[str, Any] | None


class Deliveries(Described):
    """A page of messages."""

    items: list[Delivery]
    next_cursor: str | None


class Bundle(Described):
    """A file that proves a case, ready to be fetched."""

    name: str
    bytes: int
    at: str


class CaseEvidence(Described):
    """What proves a case. `hold`: since when nothing of it may be deleted, by whom and why; null where it may."""

    case: str
    captures: list[dict[str, Any]]
    hold: dict[str, str] | None
    bundles: list[Bundle]


class EvidenceAsked(Described):
    """What the daemon does as soon as it can."""

    case: str
    asked: str


class Week(Described):
    """How often each thing happened in a week, which its Monday names."""

    monday: str
    new: int
    decided: int
    gone: int
    returned: int


class SourceSeen(Described):
    """What the last scan of a source saw. `share`: of what there was, the part that was compared (0-1)."""

    source: str
    compared: int
    not_seen: int
    share: float | None
    trouble: str | None


class Overview(Described):
    """What a manager looks at once a week."""

    weeks: list[Week]
    median_hours_to_decision: float | None
    states: dict[str, int]
    operators: list[dict[str, Any]]
    coverage: list[SourceSeen]


class Flood(Described):
    """What there were too many messages about in an hour, and how many of them are held."""

    about: str
    held: int


class Floods(Described):
    """All floods of which messages are held."""

    items: list[Flood]


class FloodEnded(Described):
    """What became of messages that were held."""

    about: str
    decision: str
    messages: int


class Setting(Described):
    """One setting. `place`: where it was written; null: nowhere, so that its default holds."""

    name: str
    value: str
    description: str
    place: str | None


class SettingGroup(Described):
    """A section of the configuration, or one entry of a list such as `sources`."""

    name: str
    description: str
    settings: list[Setting]


class Settings(Described):
    """The configuration that is at work, without secrets."""

    items: list[SettingGroup]


class View(Described):
    """What the queue's form chooses, under a name. `query` follows `/cases?` in the address of the page."""

    name: str
    query: str


class Views(Described):
    """The views that somebody has saved."""

    items: list[View]


class AuditLine(Described):
    """Who did what, when and from where."""

    number: int
    at: str
    actor_kind: str
    actor: str
    address: str | None
    action: str
    subject: str | None
    detail: dict[str, str]
    digest: str


class AuditLines(Described):
    """A page of the audit log, and its head: keep it elsewhere, so that a cut tail shows."""

    items: list[AuditLine]
    next_cursor: str | None
    head: str | None


class Checked(Described):
    """What is said of each picture. `complete`: all was seen and compared with something."""

    items: list[dict[str, Any]]
    assets: int
    complete: bool


class SearchResults(Described):
    """Pictures, the best first, each an asset or one that was seen. `facets`: how many have what in common."""

    items: list[dict[str, Any]]
    facets: dict[str, dict[str, int]]
    searched: dict[str, int]
    not_searched: list[str]
    complete: bool


class Person(Described):
    """Somebody who may sign in."""

    id: str
    name: str
    role: str
    added_at: str
    signs_in_at: str | None


class People(Described):
    """All people who may sign in."""

    items: list[Person]


class Token(Described):
    """What a program shows in place of a password; never its secret."""

    id: str
    name: str
    scopes: list[str]
    state: str
    added_at: str
    until: str | None
    used_at: str | None
    revoked_at: str | None
    made_by: str | None


class Tokens(Described):
    """All tokens."""

    items: list[Token]


class NewToken(Token):
    """A new token with its secret, shown this once."""

    secret: str
