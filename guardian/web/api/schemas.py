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
    changed: bool = Field(description="False after a dry run.")
