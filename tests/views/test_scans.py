"""Scans, and sources in trouble, as pages and messages show them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from guardian.model import Coverage, Scan, ScanCounts, ScanOutcome, Trouble, TroubleKind
from guardian.views.coverage import coverage_facts, coverage_json
from guardian.views.messages import message_trouble
from guardian.views.scans import outcome_text, result_text, scan_json

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
RUNNING = Scan(2, "web", NOON, None, None, ScanCounts())
FAILED = Scan(
    1, "web", NOON, NOON, ScanOutcome.FAILED, ScanCounts.from_words({"pages": 3, "left out: robots": 2}), "it " * 900
)


def covered(trouble: Trouble | None, not_seen: dict[str, int]) -> Coverage:
    return Coverage("web", RUNNING, None, 3, 0, 0, 0, 0, 0, 0, 0, 0, not_seen, 2.5, trouble, FAILED)


def test_a_running_scan_has_no_end_and_no_outcome() -> None:
    shown = scan_json(RUNNING)
    assert (shown["started_at"], shown["ended_at"], shown["outcome"]) == ("2026-11-24T12:00:00+00:00", None, None)
    assert (outcome_text(RUNNING), result_text(RUNNING)) == ("running", "nothing")


def test_what_a_scan_counted_in_one_line() -> None:
    assert outcome_text(FAILED) == "failed"
    assert result_text(FAILED).startswith("3 pages, 2 not seen; it it")
    words = {"pages": 1, "copy": 2, "review": 1, "clear": 7, "error": 2, "problem: timeout": 2, "left out: robots": 1}
    whole = replace(FAILED, outcome=ScanOutcome.COMPLETED, error=None, counts=ScanCounts.from_words(words))
    assert result_text(whole) == "1 page, 2 copies, 1 to review, 7 clear, 2 errors, 3 not seen"


def test_a_well_source_has_no_trouble() -> None:
    assert coverage_json(covered(None, {}), None)["trouble"] is None


def test_what_people_read_of_a_source_while_it_is_scanned() -> None:
    failed = replace(FAILED, error="it answered 403")
    whole = Scan(0, "web", NOON - timedelta(days=1), NOON, ScanOutcome.COMPLETED, ScanCounts())
    expected = {
        "running": "a scan since 2026-11-24 12:00Z",
        "last scan": "2026-11-24 12:00Z, failed: it answered 403",
        "last complete": "2026-11-23 12:00Z",
        "pages": "3, 0 unchanged",
        "images": "0 (usually 2.5), 0 compared with 7 protected assets, 0 matched",
        "fetched": "0 anew, 0 unchanged (304), 0 still fresh and not asked for, 0 seen again on another page",
    }
    assert coverage_facts(replace(covered(None, {}), last_ended=failed, last_complete=whole), 7) == expected
    assert coverage_facts(replace(covered(None, {}), last=None, last_ended=None), 7) == {}


def test_what_people_read_of_a_source_when_no_scan_runs_and_before_one_ended() -> None:
    whole = Scan(1, "web", NOON, NOON, ScanOutcome.COMPLETED, ScanCounts())
    shown = coverage_facts(replace(covered(None, {}), last=whole, last_ended=whole, last_complete=whole), 7)
    assert list(shown) == ["last scan", "pages", "images", "fetched"]
    assert coverage_facts(replace(covered(None, {}), last_ended=None), 7) == {
        "running": "a scan since 2026-11-24 12:00Z",
        "last scan": "none has ended yet",
    }


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
