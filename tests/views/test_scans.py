"""Scans, and sources in trouble, as pages and messages show them."""

from dataclasses import replace
from datetime import UTC, datetime

from guardian.model import Coverage, Scan, ScanCounts, Trouble, TroubleKind
from guardian.views.coverage import coverage_facts, coverage_json
from guardian.views.messages import message_trouble
from guardian.views.scans import outcome_text, scan_json

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
RUNNING = Scan(2, "web", NOON, None, None, ScanCounts())
FAILED = Scan(1, "web", NOON, NOON, "failed", ScanCounts.from_words({"pages": 3, "left out: robots": 2}), "it " * 900)


def covered(trouble: Trouble | None, not_seen: dict[str, int]) -> Coverage:
    return Coverage("web", RUNNING, None, 3, 0, 0, 0, 0, 0, 0, 0, 0, not_seen, 2.5, trouble)


def test_a_running_scan_has_no_end_and_no_outcome() -> None:
    shown = scan_json(RUNNING)
    assert (shown["started_at"], shown["ended_at"], shown["outcome"]) == ("2026-11-24T12:00:00+00:00", None, None)
    assert outcome_text(RUNNING) == "running 2026-11-24 12:00Z: nothing"


def test_the_last_scan_in_one_line() -> None:
    assert outcome_text(None) == "never scanned"
    assert outcome_text(FAILED).startswith("failed 2026-11-24 12:00Z: 3 pages, 2 left out: robots; it it")


def test_a_well_source_has_no_trouble() -> None:
    assert coverage_json(covered(None, {}))["trouble"] is None


def test_what_people_read_of_a_source() -> None:
    assert coverage_facts(covered(None, {}), 7) == {
        "last scan": "2026-11-24 12:00Z, running",
        "pages": "3, 0 unchanged",
        "images": "0 (usually 2.5), 0 compared with 7 protected asset(s), 0 matched",
        "came": "0 fetched, 0 unchanged (304), 0 still fresh and not asked for, 0 seen again on another page",
    }
    assert coverage_facts(replace(covered(None, {}), last=None), 7) == {}


def test_a_message_about_a_source_stays_small() -> None:
    trouble = Trouble(TroubleKind.FAILING, "x" * 5_000, 0)
    data = message_trouble(covered(trouble, {f"reason_{number}": 1 for number in range(200)}), trouble)
    assert len(data["detail"]) == 1_000
    assert len(data["not_seen"]) == 50
    assert data["last_scan"] == {
        "started_at": "2026-11-24T12:00:00.000Z",
        "ended_at": None,
        "outcome": None,
        "error": None,
    }
    assert data["last_complete_scan"] is None
