"""The parts of messages to destinations: every text is cleaned, and cut so that a message stays under 20 kB.

Their shapes are published as guardian/cases/message.schema.json. `cases` and `coverage` put messages together.
"""

from collections.abc import Sequence
from datetime import date
from math import isfinite
from typing import Any, get_args, get_type_hints

from guardian.model import (
    MEASURED_FACTS,
    Asset,
    Case,
    CaseEvent,
    Comparison,
    Context,
    Coverage,
    Decision,
    Licence,
    Scan,
    Trouble,
)
from guardian.model.notices import Notice
from guardian.urls.addresses import canonical_url
from guardian.views.plain_text import clipped, json_size
from guardian.views.timestamps import message_timestamp

# A message stays under 20 kB because the parts that a site can make long are bounded, each by its own number.
_URL_BYTES = 2_048
_ALSO_AT_BYTES = 3_000
_LONGEST_ERROR = 1_000
_MOST_CASES = 50


def message_case(case: Case) -> dict[str, Any]:
    """Return the part `case` of a message."""
    return {
        "id": case.id,
        "operator": clipped(case.operator, 300),
        "state": case.state.value,
        "action": case.action.value,
        "severity": case.severity.value if case.severity else None,
        "finding_count": case.finding_count,
        "opened_at": message_timestamp(case.opened_at),
    }


def message_change(line: CaseEvent) -> dict[str, Any]:
    """Return the part `change` of a message: a line of a case's history."""
    return {
        "kind": line.kind,
        "by": message_text(line.by, 300),
        "note": message_text(line.note, 2_000),
        "detail": message_text(line.detail, 2_000),
        "at": message_timestamp(line.at),
    }


def message_licence(licence: Licence, days_left: int | None) -> dict[str, Any]:
    """Return the part `licence` of a message about one. Its proof is left out: it tells where the owner keeps files."""
    return {
        "id": licence.id,
        "place": clipped(licence.place, 400),
        "asset_id": licence.asset_id,
        "collection": message_text(licence.collection, 200),
        "tag": message_text(licence.tag, 200),
        "valid_from": licence.valid_from.isoformat() if licence.valid_from else None,
        "valid_until": licence.valid_until.isoformat() if licence.valid_until else None,
        "territory": message_text(licence.territory, 300),
        "medium": message_text(licence.medium, 300),
        "note": message_text(licence.note, 2_000),
        "days_left": days_left,
    }


def message_notice(notice: Notice) -> dict[str, Any]:
    """Return the part `notice` of a message about one; its text is left out."""
    return {
        "id": notice.id,
        "kind": notice.kind.value,
        "state": notice.state.value,
        "operator": clipped(notice.operator, 300),
        "cases": list(notice.case_ids[:_MOST_CASES]),
        "subject": clipped(notice.subject, 500),
    }


def message_deadline(what: str, on: date, days_left: int) -> dict[str, Any]:
    """Return the part `deadline` of a message about a notice; `days_left` is negative for a day that is past."""
    return {"what": what, "on": on.isoformat(), "days_left": days_left}


def message_asset(asset: Asset) -> dict[str, Any]:
    """Return the part `asset` of a message. The asset's path is left out: it tells where the owner keeps files."""
    rights = asset.rights
    return {
        "id": asset.id,
        "title": clipped(asset.title, 300),
        "collection": clipped(asset.collection, 200),
        "tags": [clipped(tag, 60) for tag in asset.tags[:20]],
        "sha256": asset.sha256,
        "rights": {
            "creator": message_text(rights.creator, 300),
            "copyright_notice": message_text(rights.copyright_notice, 500),
            "licensor": message_text(rights.licensor, 300),
            "web_statement": message_text(rights.web_statement, 500),
            "registration": message_text(rights.registration, 200),
        },
        "work": asset.work_id,
    }


def message_context(context: Context) -> dict[str, Any]:
    """Return the part `context`: the words around the picture, cut to size; null where the page has none."""
    return {
        "alt": message_text(context.alt, 600),
        "caption": message_text(context.caption, 600),
        "title": message_text(context.title, 300),
        "page_title": message_text(context.page_title, 400),
        "nearby_text": message_text(context.nearby_text, 1_000),
        "claims": message_text(context.claims, 600),
    }


def message_also_at(addresses: Sequence[str]) -> dict[str, Any]:
    """Return `also_at`, as many of the other addresses as fit, and `also_at_count`, how many there are."""
    shown: list[str] = []
    bytes_left = _ALSO_AT_BYTES
    for address in addresses:
        url = canonical_url(address)
        # Two quotes and a comma stand around each.
        bytes_left -= json_size(url) + 3
        if bytes_left < 0:
            break
        shown.append(url)

    return {"also_at": shown, "also_at_count": len(addresses)}


def message_recovered(comparison: Comparison) -> dict[str, Any]:
    """Return the part `recovered`: what was done to the picture. Only `description` is set without a transform."""
    transform = comparison.transform
    return {
        "description": clipped(comparison.description, 600),
        "mirrored": transform.mirrored if transform else None,
        "angle_degrees": transform.angle_degrees if transform else None,
        "scale": transform.scale if transform else None,
        "asset_box": list(transform.asset_box) if transform else None,
        "candidate_box": list(transform.candidate_box) if transform else None,
        "frame": comparison.frame,
        "asset_frame": comparison.asset_frame,
    }


def message_rule(decision: Decision) -> dict[str, Any]:
    """Return the part `rule` of a message: which rule decided, and what."""
    return {
        "name": clipped(decision.rule, 200),
        "action": decision.action.value,
        "severity": decision.severity.value if decision.severity else None,
    }


def message_trouble(coverage: Coverage, trouble: Trouble) -> dict[str, Any]:
    """Return the whole data of a message about a source in trouble, with its 50 most frequent reasons."""
    return {
        "source": coverage.source,
        "detail": trouble.detail[:_LONGEST_ERROR],
        "last_scan": _scan(coverage.last) if coverage.last else None,
        "last_complete_scan": _scan(coverage.last_complete) if coverage.last_complete else None,
        "images": coverage.images,
        "usual_images": coverage.usual_images,
        "not_seen": dict(list(coverage.not_seen.items())[:50]),
    }


def _scan(scan: Scan) -> dict[str, Any]:
    return {
        "started_at": message_timestamp(scan.started_at),
        "ended_at": message_timestamp(scan.ended_at) if scan.ended_at else None,
        "outcome": scan.outcome,
        "error": scan.error[:_LONGEST_ERROR] if scan.error else None,
    }


def message_url(url: str | None) -> str | None:
    """Return the canonical address, cut to 2,048 bytes: escaped, and without credentials that a page left in it."""
    return None if url is None else clipped(canonical_url(url), _URL_BYTES)


def message_text(text: str | None, max_bytes: int) -> str | None:
    """Return the text cleaned and cut to `max_bytes` inside a JSON string; None for None."""
    return None if text is None else clipped(text, max_bytes)


def measured_schema() -> dict[str, Any]:
    """Return the JSON Schema of `measured`, which is Comparison.measured. tools/message_schema.py writes it."""
    kinds = get_type_hints(Comparison)
    properties: dict[str, Any] = {}
    for fact in MEASURED_FACTS:
        # An annotation such as `int | None` says both: whole numbers only, and that it may not have been measured.
        parts = get_args(kinds[fact.name]) or (kinds[fact.name],)
        number = "integer" if int in parts else "number"
        properties[fact.name] = {
            "description": fact.meaning,
            "type": [number, "null"] if type(None) in parts else number,
            "minimum": fact.least,
        }
        if isfinite(fact.greatest):
            properties[fact.name]["maximum"] = fact.greatest

    return {"type": "object", "properties": properties, "required": list(properties)}
