"""Passes over sources."""

from datetime import UTC, datetime, timedelta

from guardian.model import ScanOutcome
from guardian.store import Store

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
LATER = NOON + timedelta(minutes=5)


def test_scan_begins_and_ends(store: Store) -> None:
    with store.begin() as tx:
        started = tx.scans.start("web", NOON)
        assert (started.outcome, started.ended_at, started.counts) == (None, None, {})
        ended = tx.scans.end(started.id, LATER, ScanOutcome.COMPLETED, {"clear": 3, "left out: robots": 1})
        other = tx.scans.start("disk", NOON)
        assert tx.scans.last("web") == ended
        assert tx.scans.last("none") is None
        assert tx.scans.list() == [other, ended]
        assert tx.scans.list("web", limit=5) == [ended]
    assert (ended.outcome, ended.ended_at, ended.counts) == (
        ScanOutcome.COMPLETED,
        LATER,
        {"clear": 3, "left out: robots": 1},
    )


def test_scan_that_never_ended_was_interrupted(store: Store) -> None:
    with store.begin() as tx:
        lost, foreign = tx.scans.start("web", NOON), tx.scans.start("disk", NOON)
        current = tx.scans.start("web", LATER)
        outcomes = {scan.id: scan.outcome for scan in tx.scans.list()}
        assert outcomes == {lost.id: ScanOutcome.INTERRUPTED, foreign.id: None, current.id: None}
        assert tx.scans.latest() == [foreign, current]
        assert tx.scans.last("web", outcome=ScanOutcome.INTERRUPTED) is not None
        failed = tx.scans.end(current.id, LATER, ScanOutcome.FAILED, {}, "no\x00 route")
        assert failed.error == "no route"


def test_what_a_scan_has_counted_so_far_outlives_it(store: Store) -> None:
    with store.begin() as tx:
        first = tx.scans.start("web", NOON)
        assert tx.scans.before(first) is None
        tx.scans.start("disk", NOON)
        tx.scans.note(first.id, {"clear": 3, "pages": 1})
        second = tx.scans.start("web", LATER)
        before = tx.scans.before(second)
    assert before is not None
    assert (before.id, before.outcome, before.counts) == (first.id, ScanOutcome.INTERRUPTED, {"clear": 3, "pages": 1})
