"""What a bundle for people outside lacks: what the owner's people noted, decided and planned, and who they are.

Whatever is not named here as theirs to see is left out, so that a field that is added later does not slip through.
Captures go into the bundle as they are: their digests would prove nothing of a copy that was changed.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from guardian.evidence.case_history import is_for_others
from guardian.evidence.report.content import CaseRecord
from guardian.model import DeletionReason, EvidenceDeletion

LEFT_OUT = (
    "What people noted, decided and planned about the case: its state, notes, labels, deadline, priority, who deals "
    "with it, whether it is on hold, and notices that were drafted but not sent.",
    "The names of the people who worked on the case, and the network addresses that they came from.",
    "The lines of the audit log and of the case's history that people caused. history.jsonl states the end of the log "
    "(NUMBER:DIGEST), against which the full bundle can be checked.",
    "Versions of the work that no use of this case was compared with.",
)
"""What a shortened bundle says of itself, in its manifest, its report and its instructions."""

_CASE_FIELDS = frozenset(
    {
        "id",
        "asset_id",
        "operator",
        "opened_at",
        "finding_count",
        "sightings",
        "licence",
        "licence_id",
        "licensed_since",
        "asset",
        "work",
        "findings",
        "history",
        "captures",
        "licences",
        "time_line",
        "deletions",
        "versions_of_the_work",
        "contacts_in_words",
    }
)
"""What case.json has for people outside."""

_ASSET_FIELDS = ("id", "title", "path")


def shortened(record: CaseRecord) -> CaseRecord:
    """Return a record as people outside may read it."""
    detail = record.detail
    compared = {finding.asset_id for finding in detail.findings} | {detail.case.asset_id}
    short = replace(
        detail,
        history=[event for event in detail.history if is_for_others(event.kind, event.by, event.note)],
        assets=[asset for asset in detail.assets if asset.id in compared],
    )
    return replace(
        record,
        detail=short,
        captures=tuple(replace(one, asked_by=None) for one in record.captures),
        captures_of_use=tuple(replace(one, asked_by=None) for one in record.captures_of_use),
        licences=tuple(replace(one, note=None) for one in record.licences),
        hold=None,
        deletions=tuple(_deletion(one) for one in record.deletions),
        time_line=tuple(
            replace(entry, words=entry.for_others, by=None, note=None)
            for entry in record.time_line
            if entry.for_others is not None
        ),
        left_out=LEFT_OUT,
    )


def shortened_case_json(told: Mapping[str, Any]) -> dict[str, Any]:
    """Return the object of a case as people outside may read it."""
    short = {name: value for name, value in told.items() if name in _CASE_FIELDS}
    # Where guardian sends its messages is the owner's business.
    short["findings"] = [one | {"decision": one["decision"] | {"deliver_to": []}} for one in told["findings"]]
    if told["asset"] is not None:
        short["asset"] = {name: told["asset"][name] for name in _ASSET_FIELDS}
    short["versions_of_the_work"] = [one | {"collection": None} for one in told["versions_of_the_work"]]
    return short | {"left_out": list(LEFT_OUT)}


def _deletion(deletion: EvidenceDeletion) -> EvidenceDeletion:
    by = "guardian" if deletion.reason is DeletionReason.AGE else "an administrator"
    return replace(deletion, by=by, note="")
