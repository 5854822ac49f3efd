"""A case for a reader: alone, and in detail with findings, versions and history."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from guardian.model import (
    Action,
    Asset,
    Case,
    CaseEvent,
    CaseState,
    Comparison,
    Context,
    Decision,
    Finding,
    FindingDigest,
    Importance,
    LicenceStatus,
    Priority,
    Severity,
    VersionChange,
)
from guardian.views.cases import CaseDetail, case_detail_json, case_json, event_text, extent_text
from guardian.views.findings import finding_facts, finding_json, version_facts

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
ASSET = Asset("asset_1", 1, "Düne", "shop", "/a.jpg", "a" * 64, 800, 600, NOON, "work_1")
CASE = Case(
    "case_1", "asset_1", "work_1", "thief.example", CaseState.OPEN, Severity.HIGH, NOON, NOON, 2, alerted_at=NOON
)
FINDING = Finding(
    id="find_1",
    asset_id="asset_1",
    case_id="case_1",
    source="web",
    page_url="https://thief.example/1",
    image_url="https://cdn.example/i.jpg",
    first_seen_at=NOON,
    last_seen_at=NOON + timedelta(minutes=5),
    licence=LicenceStatus.NONE,
    decision=Decision(Action.ALERT, "copies"),
    comparison=Comparison(0.98765, description="mirrored"),
    candidate_sha256="c" * 64,
    image_sha256="1" * 64,
    page_sha256=None,
    context=Context(alt="a dune", caption="Düne"),
)
VERSION = FindingDigest(
    "d" * 64, None, "2" * 64, NOON, NOON + timedelta(days=1), Importance.CHANGED, (VersionChange.WORDS,)
)


def test_a_case_whose_asset_is_gone_still_shows() -> None:
    assert case_json(CASE, ASSET, 1.5)["asset"] == {
        "id": "asset_1",
        "title": "Düne",
        "collection": "shop",
        "path": ASSET.path,
    }
    assert case_json(CASE, None, 1.5)["asset"] is None


def test_nobody_was_told_and_nothing_is_severe() -> None:
    shown = case_json(replace(CASE, severity=None, alerted_at=None), ASSET, 1.5)
    assert (shown["severity"], shown["alerted_at"]) == (None, None)


def test_every_version_of_a_finding_is_shown() -> None:
    other = replace(FINDING, id="find_2")
    detail = CaseDetail(CASE, ASSET, [FINDING, other], [], Priority(()), {"find_1": [VERSION]})
    first, second = case_detail_json(detail)["findings"]
    assert first.pop("versions") == [
        {
            "candidate_sha256": "d" * 64,
            "image_sha256": None,
            "page_sha256": "2" * 64,
            "first_seen_at": "2026-11-24T12:00:00+00:00",
            "last_seen_at": "2026-11-25T12:00:00+00:00",
            "importance": "changed",
            "changes": ["words"],
            "dropped_at": None,
        }
    ]
    assert first == finding_json(FINDING)
    assert second == finding_json(other) | {"versions": []}


def test_the_extent_of_a_case() -> None:
    assert extent_text(CASE) == "2 addresses, message of 2026-11-24 12:00Z"
    assert extent_text(replace(CASE, finding_count=1, alerted_at=None)) == "1 address, no message yet"


def test_lines_of_the_history() -> None:
    assert event_text(CaseEvent("case_1", NOON, "opened", message_id="msg_1")) == (
        "2026-11-24 12:00:00Z  opened  (msg_1)"
    )
    assert event_text(CaseEvent("case_1", NOON, "open", "mara")).endswith("Z  opened again by mara")
    assert event_text(CaseEvent("case_1", NOON, "undone", "mara", detail="open")).endswith(
        "undone (opened again) by mara"
    )
    assert event_text(CaseEvent("case_1", NOON, "dismissed", "mara", "our own shop")) == (
        "2026-11-24 12:00:00Z  dismissed by mara: our own shop"
    )


def test_what_people_read_of_a_finding() -> None:
    assert finding_facts(FINDING) == {
        "finding": "find_1",
        "on page": "https://thief.example/1",
        "what": "mirrored",
        "confidence": "0.9877, rule copies, no licence for this host",
        "caption": "Düne",
        "alt text": "a dune",
        "seen": "2026-11-24 12:00Z to 2026-11-24 12:05Z by web",
        "image kept": "1" * 64,
        "page kept": "no",
    }


def test_what_people_read_of_a_version() -> None:
    assert version_facts(VERSION) == {
        "seen": "2026-11-24 12:00Z to 2026-11-25 12:00Z, changed (words)",
        "image": "d" * 64 + " (not kept)",
        "page": "2" * 64,
    }
    assert version_facts(replace(VERSION, dropped_at=NOON))["note"] == (
        "these bytes were removed on 2026-11-24 to make room"
    )
    assert version_facts(replace(VERSION, importance=Importance.FIRST, changes=()))["seen"].endswith(", the first")


def test_a_picture_without_page_or_words_has_no_empty_labels() -> None:
    bare = replace(
        FINDING, page_url=FINDING.image_url, context=Context(), comparison=Comparison(0.5), evidence_note="disk full"
    )
    assert list(finding_facts(bare)) == ["finding", "confidence", "seen", "image kept", "page kept", "evidence"]
