"""Cases and their places as tables for spreadsheets."""

from collections.abc import Iterable

from guardian.model import Asset, Case, Finding
from guardian.views.overview import csv_text
from guardian.views.plain_text import cleaned
from guardian.views.timestamps import json_timestamp

_CASE = (
    "case",
    "work",
    "operator",
    "state",
    "reason",
    "severity",
    "priority",
    "sure",
    "places",
    "opened",
    "assigned to",
    "due",
    "labels",
    "what",
    "page",
    "picture",
)

_PLACE = (
    "page",
    "picture",
    "first seen",
    "last seen",
    "gone",
    "sure",
    "what",
    "rule",
    "licence",
    "page title",
    "sha256",
)


def cases_csv(rows: Iterable[tuple[Case, Asset | None, Finding | None, float]]) -> str:
    """Return cases as CSV: each with its asset, the finding that shows it best, and its priority now."""
    return csv_text(_CASE, [_case_cells(*row) for row in rows])


def places_csv(findings: Iterable[Finding]) -> str:
    """Return the findings of a case as CSV."""
    return csv_text(_PLACE, [_place_cells(one) for one in findings])


def _case_cells(case: Case, asset: Asset | None, finding: Finding | None, priority: float) -> list[object]:
    return [
        case.id,
        cleaned(asset.title) if asset is not None else case.asset_id,
        case.operator,
        case.state.value,
        case.reason.value if case.reason is not None else "",
        case.severity.value if case.severity is not None else "",
        priority,
        round(finding.comparison.probability, 4) if finding is not None else "",
        case.finding_count,
        json_timestamp(case.opened_at),
        case.assignee or "",
        case.due_on.isoformat() if case.due_on is not None else "",
        "; ".join(case.labels),
        finding.comparison.description or "" if finding is not None else "",
        finding.page_url if finding is not None else "",
        finding.image_url if finding is not None else "",
    ]


def _place_cells(finding: Finding) -> list[object]:
    return [
        finding.page_url,
        finding.image_url,
        json_timestamp(finding.first_seen_at),
        json_timestamp(finding.last_seen_at),
        json_timestamp(finding.first_missed_at) if finding.is_absent and finding.first_missed_at is not None else "",
        round(finding.comparison.probability, 4),
        finding.comparison.description or "",
        finding.decision.rule,
        finding.licence.value,
        cleaned((finding.context.page_title or "")[:500]),
        finding.candidate_sha256,
    ]
