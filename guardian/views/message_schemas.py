"""The published schema of all messages but those by which a case calls for attention."""

from collections.abc import Mapping
from typing import Any

from guardian.model import CHANGES_OF_CASES, EVENTS_OF_LICENCES, EVENTS_OF_NOTICES, ScanOutcome, TroubleKind

_WORDS = {
    "case.spread": "other places of the operator show the work too (at most one message a day)",
    "case.changed": "somebody decided, assigned, labelled, noted or took back something, or it was merged or split",
    "case.licensed": "licences cover all uses of the case",
    "case.dismissed": "the case is of no interest",
    "case.gone": "none of its uses is there any more",
    "case.returned": "a use of a case that was gone was seen again",
    "case.relocated": "its picture is gone where a notice named it, and shown elsewhere on the host",
    "source.failing": "several scans of the source in a row have failed",
    "source.silent": "no scan of the source was complete for several of its intervals",
    "source.shrinking": "the last scan of the source saw far fewer images than usual",
    "notice.deadline": "a day that counts after a notice: no answer in time, or material may or must be restored",
    "licence.lapsing": "the licence ends within 30 days",
    "licence.lapsed": "the licence has ended",
    "digest": "what came since the last digest, at most 25 events of `count`",
    "watch.found": "a watch of the search met new pictures that look like what it watches for; no copies",
    "flood.held": "more messages about one work, or of one rule, than delivery.flood_limit an hour: the rest is held",
}

_TEXT = {"type": ["string", "null"]}
_MOMENT = {"type": "string", "format": "date-time", "pattern": "Z$"}


def event_schema(of_message: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON schema. `of_message` are the properties of `data` in the other schema, by name."""
    kinds = [_kind(type_, _case_data(of_message)) for type_ in CHANGES_OF_CASES]
    kinds += [_kind(type_, _object(licence=_licence())) for type_ in EVENTS_OF_LICENCES]
    kinds += [_kind(type_, _object(notice=_notice(), deadline=_deadline())) for type_ in EVENTS_OF_NOTICES]
    kinds += [_kind(f"source.{kind}", _trouble()) for kind in TroubleKind]
    kinds += [
        _kind("digest", _digest(of_message["case"])),
        _kind("flood.held", _flood()),
        _kind("watch.found", _watch()),
    ]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:guardian:event:1",
        "title": "guardian event",
        "description": "The body of messages that a destination asks for (`events`, `digest`), of watches, floods and "
        "sources in trouble: UTF-8 JSON under 20,000 bytes. New keys may be added to objects; keys here keep their "
        "meaning.",
        "oneOf": kinds,
    }


def _kind(type_: str, data: Mapping[str, Any]) -> dict[str, Any]:
    properties = {"type": {"const": type_}, "timestamp": _MOMENT, "data": data}
    return {"description": _WORDS[type_], **_object(**properties)}


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _case_data(of_message: Mapping[str, Any]) -> dict[str, Any]:
    change = _object(kind={"type": "string"}, by=_TEXT, note=_TEXT, detail=_TEXT, at=_MOMENT)
    asset = {"anyOf": [of_message["asset"], {"type": "null"}]}
    return _object(case=of_message["case"], asset=asset, change=change)


def _licence() -> dict[str, Any]:
    names = ("asset_id", "collection", "tag", "valid_from", "valid_until", "territory", "medium", "note")
    days = {"type": ["integer", "null"], "description": "days until it ends, 0 on the last; null when it has ended"}
    return _object(id={"type": "string"}, place={"type": "string"}, **dict.fromkeys(names, _TEXT), days_left=days)


def _notice() -> dict[str, Any]:
    text = {"type": "string"}
    cases = {"type": "array", "items": text, "maxItems": 50}
    return _object(id=text, kind=text, state=text, operator=text, cases=cases, subject=text)


def _deadline() -> dict[str, Any]:
    what = {
        "enum": ["answer", "restore_from", "restore_by"],
        "description": "the last day for an answer; the first and the last on which a provider restores the material",
    }
    days = {"type": "integer", "description": "days until then; negative when it is past"}
    return _object(what=what, on={"type": "string", "format": "date"}, days_left=days)


def _trouble() -> dict[str, Any]:
    outcome = {"enum": [*ScanOutcome, None], "description": "null while it runs"}
    ended = {"anyOf": [_MOMENT, {"type": "null"}]}
    scan = {"anyOf": [_object(started_at=_MOMENT, ended_at=ended, outcome=outcome, error=_TEXT), {"type": "null"}]}
    usual = {"type": ["number", "null"], "description": "median of the scans before; null until there are enough"}
    return _object(
        source={"type": "string"},
        detail={"type": "string"},
        last_scan=scan,
        last_complete_scan=scan,
        images={"type": "integer"},
        usual_images=usual,
        not_seen={"type": "object", "additionalProperties": {"type": "integer"}, "description": "by reason"},
    )


def _digest(case: Mapping[str, Any]) -> dict[str, Any]:
    of_case = {name: case["properties"][name] for name in ("id", "operator", "state", "severity")}
    asset = _object(id={"type": "string"}, title={"type": "string"})
    text = {"type": "string"}
    event = _object(type=text, webhook_id=text, at=_MOMENT, case=_object(**of_case), asset=asset)
    return _object(count={"type": "integer"}, events={"type": "array", "items": event, "maxItems": 25})


def _watch() -> dict[str, Any]:
    text, number = {"type": "string"}, {"type": "number"}
    picture = _object(id=text, sha256=text, score=number, why=text, page_url=_TEXT, image_url=_TEXT, first_seen=_MOMENT)
    return _object(
        watch=_object(name=text, above=number, severity=text),
        note=text,
        count={"type": "integer", "description": "how many pictures; `pictures` names at most ten, the nearest first"},
        is_all={
            "type": "boolean",
            "description": "false when so many passed that another message may follow",
        },
        pictures={"type": "array", "items": picture, "maxItems": 10},
    )


def _flood() -> dict[str, Any]:
    return _object(
        about={"type": "string", "description": "the id of a work, or rule: and the name of a rule"},
        limit={"type": "integer"},
        hour=_MOMENT,
        what_to_do={"type": "string"},
    )
