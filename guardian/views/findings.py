"""Findings as JSON and as labelled facts for people, and the versions of the bytes that were seen there."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from guardian.model import Decision, Finding, FindingDigest, Importance, LicenceStatus
from guardian.views.comparisons import recorded_comparison_json
from guardian.views.contexts import context_json
from guardian.views.counting import counted
from guardian.views.licences import USE_TEXTS
from guardian.views.timestamps import json_timestamp, minute_text

_REASON_TEXTS = {
    Importance.FIRST: "the first",
    Importance.TOLD: "named in a message",
    Importance.CHANGED: "changed",
    Importance.LATEST: "the latest",
    Importance.UNKNOWN: "kept by an earlier guardian",
}
"""Why a version of some bytes is kept, in words."""


def finding_json(finding: Finding) -> dict[str, Any]:
    """Return the object of one finding, as `case show --json` lists them."""
    return {
        "id": finding.id,
        "asset_id": finding.asset_id,
        "case_id": finding.case_id,
        "source": finding.source,
        "page_url": finding.page_url,
        "image_url": finding.image_url,
        "first_seen_at": json_timestamp(finding.first_seen_at),
        "last_seen_at": json_timestamp(finding.last_seen_at),
        "licence": finding.licence,
        "decision": _decision_json(finding.decision),
        "comparison": recorded_comparison_json(finding.comparison),
        "candidate_sha256": finding.candidate_sha256,
        "perceptual_hash": finding.perceptual_hash,
        "image_sha256": finding.image_sha256,
        "page_sha256": finding.page_sha256,
        "evidence_note": finding.evidence_note,
        "context": context_json(finding.context),
        "also_at": list(finding.also_at),
        "image_status": finding.image_status,
        "page_status": finding.page_status,
        "licence_id": finding.licence_id,
        "licensed_since": json_timestamp(finding.licensed_since) if finding.licensed_since else None,
        "first_missed_at": json_timestamp(finding.first_missed_at) if finding.first_missed_at else None,
        "missed_scans": finding.missed_scans,
    }


def version_json(version: FindingDigest) -> dict[str, Any]:
    """Return the object of one version of the bytes seen at a finding's address.

    `image_sha256` and `page_sha256` name kept evidence; null when it was not kept. `importance` and `changes` say why
    it is kept, `dropped_at` that it had to make room.
    """
    return {
        "candidate_sha256": version.candidate_sha256,
        "image_sha256": version.image_sha256,
        "page_sha256": version.page_sha256,
        "first_seen_at": json_timestamp(version.first_seen_at),
        "last_seen_at": json_timestamp(version.last_seen_at),
        "importance": version.importance.value,
        "changes": [change.value for change in version.changes],
        "dropped_at": json_timestamp(version.dropped_at) if version.dropped_at else None,
    }


def version_facts(version: FindingDigest, moment: Callable[[datetime], str] = minute_text) -> dict[str, str]:
    """Return short labels and the text of each: when some bytes were seen, and the digests that name them.

    A picture whose bytes were not kept is named too, since messages name it. `moment` writes times.
    """
    seen = f"{moment(version.first_seen_at)} to {moment(version.last_seen_at)}"
    facts = {
        "seen": f"{seen}, {_reason_text(version)}",
        "image": version.image_sha256 or f"{version.candidate_sha256} (not kept)",
        "page": version.page_sha256 or "not kept",
    }
    if version.dropped_at is not None:
        facts["note"] = f"these bytes were removed on {version.dropped_at:%Y-%m-%d} to make room"
    return facts


def _reason_text(version: FindingDigest) -> str:
    """Return why a version is kept: "first", "changed (words, status)"..."""
    words = _REASON_TEXTS[version.importance]
    return f"{words} ({', '.join(version.changes)})" if version.changes else words


def finding_facts(finding: Finding, asset_id: str | None = None) -> dict[str, str]:
    """Return short labels and the text of each, in reading order; what is unknown is left out.

    `asset_id` is the asset that the reader knows of: another one that matched is named. Words of the page are as the
    site wrote them: escape them for the medium.
    """
    comparison = finding.comparison
    seen = f"{minute_text(finding.first_seen_at)} to {minute_text(finding.last_seen_at)} by {finding.source}"

    facts = {
        "finding": finding.id,
        # A picture that was seen on no page has its own address there.
        "on page": finding.page_url if finding.page_url != finding.image_url else None,
        "shows": finding.asset_id if asset_id not in (None, finding.asset_id) else None,
        "what": comparison.description or None,
        "confidence": f"{comparison.probability:.4f}, rule {finding.decision.rule}, {licence_text(finding)}",
        "caption": finding.context.caption,
        "alt text": finding.context.alt if finding.context.alt != finding.context.caption else None,
        "seen": seen,
        "missed": missed_text(finding),
        "perceptual hash": finding.perceptual_hash,
        # The digests name files in the evidence folder.
        "image kept": finding.image_sha256 or "no",
        "page kept": finding.page_sha256 or "no",
        "evidence": finding.evidence_note,
    }

    return {label: fact for label, fact in facts.items() if fact is not None}


def missed_text(finding: Finding, moment: Callable[[datetime], str] = minute_text) -> str | None:
    """Return since when a finding is missed, None for one that the last scan saw. `moment` writes times."""
    if finding.first_missed_at is None:
        return None
    since = moment(finding.first_missed_at)
    if finding.is_absent:
        # A recheck tells at once what takes scans several looks, so how many there were says nothing.
        return f"gone since {since}: it was looked for there, and was not there"
    return f"missed since {since}, by {counted(finding.missed_scans, 'scan that looked', 'scans that looked')}"


def licence_text(finding: Finding) -> str:
    """Return what the licences say of a use: "no licence for this host", "licensed to this host (lic_1, since ...)"...

    Licences are given to hosts: a file on this machine needs none.
    """
    is_file = finding.page_url.startswith("file:") and finding.licence is LicenceStatus.NONE
    words = "a local file, to which no licence applies" if is_file else USE_TEXTS[finding.licence]
    since = f"since {finding.licensed_since:%Y-%m-%d}" if finding.licensed_since else None
    known = ", ".join(part for part in (finding.licence_id, since) if part)
    return f"{words} ({known})" if known else words


def _decision_json(decision: Decision) -> dict[str, Any]:
    return {
        "action": decision.action.value,
        "rule": decision.rule,
        "severity": decision.severity.value if decision.severity else None,
        "deliver_to": list(decision.deliver_to),
        "record": decision.record,
    }
