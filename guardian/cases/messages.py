"""Composes the messages that a case causes, Standard Webhooks style, under 20 kB.

Published as message.schema.json beside this file.
"""

from datetime import UTC, datetime
from typing import Any

from guardian.cases.plain_text import clipped, json_size
from guardian.cases.uses import RecordedUse
from guardian.model import Asset, Case, Comparison, Context, Decision, Message
from guardian.outbox import mint
from guardian.urls.addresses import canonical_url

MAX_BYTES = 20_000
_URL_BYTES = 2_048
_ALSO_AT_BYTES = 3_000


def compose(kind: str, case: Case, finding_id: str, use: RecordedUse) -> Message:
    """Return a new message about a use. `kind`: case.opened, case.escalated or case.reopened.

    Whatever strangers wrote is cleaned and cut so that the whole stays under MAX_BYTES.
    """
    sighting = use.sighting
    data = {
        "case": {
            "id": case.id,
            "operator": clipped(case.operator, 300),
            "state": case.state.value,
            "action": case.action.value,
            "severity": case.severity.value if case.severity else None,
            "finding_count": case.finding_count,
            "opened_at": _moment(case.opened_at),
        },
        "finding": {"id": finding_id},
        "asset": _asset(use.asset),
        "source": clipped(sighting.source, 200),
        "page_url": _url(sighting.page_url),
        "image_url": _url(sighting.image_url),
        "context": _context(sighting.context),
        **_also_at(use.also_at),
        "recovered": _recovered(use.comparison),
        "measured": _measured(use.comparison),
        "rule": _rule(use.decision),
        "licence": use.licence_status.value,
        "evidence": {
            "candidate_sha256": use.candidate_sha256,
            "image_sha256": use.kept.image_sha256,
            "page_sha256": use.kept.page_sha256,
            "note": _optional(use.kept.note, 500),
        },
        "seen_at": _moment(sighting.seen_at),
    }
    return mint(kind, data, use.at)


def _asset(asset: Asset) -> dict[str, Any]:
    rights = asset.rights
    return {
        "id": asset.id,
        "title": clipped(asset.title, 300),
        "collection": clipped(asset.collection, 200),
        "tags": [clipped(tag, 60) for tag in asset.tags[:20]],
        "sha256": asset.sha256,
        "rights": {
            "creator": _optional(rights.creator, 300),
            "copyright_notice": _optional(rights.copyright_notice, 500),
            "licensor": _optional(rights.licensor, 300),
            "web_statement": _optional(rights.web_statement, 500),
            "registration": _optional(rights.registration, 200),
        },
    }


def _context(context: Context) -> dict[str, Any]:
    return {
        "alt": _optional(context.alt, 600),
        "caption": _optional(context.caption, 600),
        "title": _optional(context.title, 300),
        "page_title": _optional(context.page_title, 400),
        "nearby_text": _optional(context.nearby_text, 1_000),
        "claims": _optional(context.claims, 600),
    }


def _also_at(addresses: tuple[str, ...]) -> dict[str, Any]:
    """As many other addresses as fit, and how many there are."""
    shown: list[str] = []
    left = _ALSO_AT_BYTES
    for address in addresses:
        text = canonical_url(address)
        left -= json_size(text) + 3
        if left < 0:
            break
        shown.append(text)
    return {"also_at": shown, "also_at_count": len(addresses)}


def _recovered(comparison: Comparison) -> dict[str, Any]:
    """What was done to the picture; all but the words is null when no transform was recovered."""
    transform = comparison.transform
    return {
        "description": clipped(comparison.description, 600),
        "mirrored": transform.mirrored if transform else None,
        "angle_degrees": transform.angle_degrees if transform else None,
        "scale": transform.scale if transform else None,
        "asset_box": list(transform.asset_box) if transform else None,
        "candidate_box": list(transform.candidate_box) if transform else None,
    }


def _measured(comparison: Comparison) -> dict[str, Any]:
    return {
        "probability": comparison.probability,
        "hash_distance": comparison.hash_distance,
        "keypoint_inliers": comparison.keypoint_inliers,
        "asset_coverage": comparison.asset_coverage,
        "candidate_coverage": comparison.candidate_coverage,
        "aligned_similarity": comparison.aligned_similarity,
        "embedding_similarity": comparison.embedding_similarity,
        "region_embedding_similarity": comparison.region_embedding_similarity,
    }


def _rule(decision: Decision) -> dict[str, Any]:
    return {
        "name": clipped(decision.rule, 200),
        "action": decision.action.value,
        "severity": decision.severity.value if decision.severity else None,
    }


def _url(url: str | None) -> str | None:
    """The canonical address: escaped, and without credentials that a page's author left in it."""
    return None if url is None else clipped(canonical_url(url), _URL_BYTES)


def _optional(text: str | None, max_bytes: int) -> str | None:
    return None if text is None else clipped(text, max_bytes)


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
