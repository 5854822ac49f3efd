"""Cases as JSON and in words: alone, or in detail with findings, versions and history."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from guardian.model import Asset, Case, CaseEvent, CaseState, DismissReason, Finding, FindingDigest, Priority
from guardian.views.counting import counted
from guardian.views.findings import finding_json, version_json
from guardian.views.timestamps import json_timestamp, minute_text, second_text

WAITS_FOR = {
    CaseState.OPEN: "a decision",
    CaseState.CONFIRMED: "a notice to be sent",
    CaseState.NOTICE_SENT: "an answer to the notice",
}
"""What a case that is pursued waits for, by its state."""


@dataclass(frozen=True, slots=True)
class CaseDetail:
    """Everything that is shown of one case.

    `asset` is None when the database has lost it. `versions` are, by the id of a finding, the bytes that were seen
    there, oldest first, so that the digests in an older message are found. `priority` says how urgent it is now, and
    why. `assets` are all of its work.
    """

    case: Case
    asset: Asset | None
    findings: Sequence[Finding]
    history: Sequence[CaseEvent]
    priority: Priority
    versions: Mapping[str, Sequence[FindingDigest]] = field(default_factory=dict)
    assets: Sequence[Asset] = ()


def case_json(case: Case, asset: Asset | None, priority: float) -> dict[str, Any]:
    """Return the object of one case: `case list --json`, and the beginning of `case show --json`.

    `priority` are its points now (see guardian/cases/priority.py).
    """
    return {
        "id": case.id,
        "asset_id": case.asset_id,
        "operator": case.operator,
        "state": case.state.value,
        "severity": case.severity.value if case.severity else None,
        "opened_at": json_timestamp(case.opened_at),
        "updated_at": json_timestamp(case.updated_at),
        "finding_count": case.finding_count,
        "alerted_at": json_timestamp(case.alerted_at) if case.alerted_at else None,
        "reviewed_by": case.reviewed_by,
        "review_note": case.review_note,
        "action": case.action.value,
        "message_count": case.message_count,
        "licence_id": case.licence_id,
        "licensed_since": json_timestamp(case.licensed_since) if case.licensed_since else None,
        "asset": _asset_json(asset) if asset else None,
        "work": case.work_id,
        "reason": case.reason.value if case.reason else None,
        "licence": case.licence_id,
        "priority": priority,
        "sightings": case.finding_count,
        "assignee": case.assignee,
        "labels": list(case.labels),
        "due_on": case.due_on.isoformat() if case.due_on else None,
        "version": case.version,
    }


def _asset_json(asset: Asset) -> dict[str, Any]:
    return {"id": asset.id, "title": asset.title, "collection": asset.collection, "path": asset.path}


def case_detail_json(detail: CaseDetail) -> dict[str, Any]:
    """Return the object of a case with its findings and its history: `case show --json`, and the page of a case."""
    findings = []
    for finding in detail.findings:
        versions = [version_json(version) for version in detail.versions.get(finding.id, ())]
        findings.append(finding_json(finding) | {"versions": versions})

    history = [event_json(event) for event in detail.history]
    parts = [{"name": part.name, "points": part.points, "words": part.words} for part in detail.priority.parts]
    return case_json(detail.case, detail.asset, detail.priority.points) | {
        "priority_parts": parts,
        "findings": findings,
        "history": history,
    }


def priority_text(priority: Priority) -> str:
    """Return how urgent a case is and why, for people: "priority 64.3: severity high (30), 80% of the picture..."."""
    parts = ", ".join(f"{part.words} ({part.points:g})" for part in priority.parts if part.points)
    return f"priority {priority.points:g}: {parts}" if parts else f"priority {priority.points:g}"


def asset_facts(detail: CaseDetail) -> dict[str, str]:
    """Return short labels and the text of each: which image of yours a case is about, and its other versions."""
    case, asset = detail.case, detail.asset
    versions = [one.id for one in detail.assets if one.id != case.asset_id]
    facts = {
        "asset": f"{case.asset_id}, {asset.collection}" if asset else case.asset_id,
        "file": asset.path if asset else None,
        "work": f"{case.work_id}, also {', '.join(versions)}" if versions else None,
    }
    return {label: text for label, text in facts.items() if text is not None}


def event_json(event: CaseEvent) -> dict[str, Any]:
    """Return the object of one line of a case's history."""
    return {
        "at": json_timestamp(event.at),
        "kind": event.kind,
        "by": event.by,
        "note": event.note,
        "message_id": event.message_id,
        "detail": event.detail,
        "number": event.number,
        "undoes": event.undoes,
        "batch": event.batch,
    }


def event_text(event: CaseEvent) -> str:
    """Return one line of a case's history for people: when, what, by whom, why, and the message it caused."""
    words = f"{second_text(event.at)}  {event_sentence(event)}"
    return f"{words}  ({event.message_id})" if event.message_id else words


def event_sentence(event: CaseEvent) -> str:
    """Return what a line of a case's history says, by whom and why, without when."""
    by = f" by {event.by}" if event.by else ""
    note = f": {event.note}" if event.note else ""
    return f"{event_words(event)}{by}{note}"


def event_words(event: CaseEvent) -> str:
    """Return what a line of a case's history says, without when, by whom and why."""
    words = _kind_text(event.kind)
    if not event.detail:
        return words
    # Reasons and kinds are words of ours; labels, names and ids stay as they are.
    is_ours = event.kind in ("dismissed", "undone")
    return f"{words} ({_kind_text(event.detail) if is_ours else event.detail})"


def _kind_text(kind: str) -> str:
    """Return a kind of line, or a reason, for people; a decision is written as the state that it leads to."""
    return "opened again" if kind == CaseState.OPEN else kind.replace("_", " ")


def reason_text(reason: DismissReason) -> str:
    """Return the reason of a dismissal for people."""
    return reason.value.replace("_", " ")


def extent_text(case: Case, moment: Callable[[datetime], str] = minute_text) -> str:
    """Return how large a case is and whether somebody was told: "2 addresses, message of 2026-11-24 12:00Z".

    `moment` writes times.
    """
    addresses = counted(case.finding_count, "address", "addresses")
    told = f"message of {moment(case.alerted_at)}" if case.alerted_at else "no message yet"
    if case.licensed_since is None:
        return f"{addresses}, {told}"
    return f"{addresses}, licensed by {case.licence_id or 'a licence'} since {case.licensed_since:%Y-%m-%d}, {told}"
