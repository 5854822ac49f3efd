"""Passes over sources."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta

from guardian.model import Outcome, ScanCounts, ScanOutcome
from guardian.store import Store
from guardian.store.connecting import connect

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
LATER = NOON + timedelta(minutes=5)


def test_scan_begins_and_ends(store: Store) -> None:
    counts = ScanCounts(outcomes=Counter({Outcome.CLEAR: 3}), skipped=Counter({"robots": 1}))
    with store.begin() as tx:
        started = tx.scans.start("web", NOON)
        assert (started.outcome, started.ended_at, started.counts) == (None, None, ScanCounts())
        ended = tx.scans.end(started.id, LATER, ScanOutcome.COMPLETED, counts)
        other = tx.scans.start("disk", NOON)
        assert tx.scans.last("web") == ended
        assert tx.scans.last("none") is None
        assert tx.scans.list() == [other, ended]
        assert tx.scans.list("web", limit=5) == [ended]
    assert (ended.outcome, ended.ended_at, ended.counts) == (ScanOutcome.COMPLETED, LATER, counts)
    assert ended.counts.as_words() == {"clear": 3, "left out: robots": 1}


def test_scan_that_never_ended_was_interrupted(store: Store) -> None:
    with store.begin() as tx:
        lost, foreign = tx.scans.start("web", NOON), tx.scans.start("disk", NOON)
        current = tx.scans.start("web", LATER)
        outcomes = {scan.id: scan.outcome for scan in tx.scans.list()}
        assert outcomes == {lost.id: ScanOutcome.INTERRUPTED, foreign.id: None, current.id: None}
        assert tx.scans.latest() == [foreign, current]
        assert tx.scans.last("web", outcome=ScanOutcome.INTERRUPTED) is not None
        failed = tx.scans.end(current.id, LATER, ScanOutcome.FAILED, ScanCounts(), "no\x00 route")
        assert failed.error == "no route"


def test_what_a_scan_has_counted_so_far_outlives_it(store: Store) -> None:
    with store.begin() as tx:
        first = tx.scans.start("web", NOON)
        assert tx.scans.before(first) is None
        tx.scans.start("disk", NOON)
        tx.scans.note(first.id, ScanCounts.from_words({"clear": 3, "pages": 1}))
        second = tx.scans.start("web", LATER)
        before = tx.scans.before(second)
    assert before is not None
    assert (before.id, before.outcome, before.counts.as_words()) == (
        first.id,
        "interrupted",
        {"clear": 3, "pages": 1},
    )


def test_rows_of_earlier_versions_are_read_and_go_on_counting(store: Store) -> None:
    row = {"left out: robots": 2, "problem: status_404": 1, "error": 1, "pages": 3, "pages unchanged": 1, "moons": 4}
    with store.begin() as tx:
        scan = tx.scans.start("web", NOON)
    engine = connect(store.url)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE scans SET counts = '{json.dumps(row)}' WHERE id = {scan.id}")
    engine.dispose()
    with store.begin() as tx:
        (old,) = tx.scans.list()
        assert (old.counts.pages, old.counts.pages_unchanged, old.counts.images) == (3, 1, 1)
        assert old.counts.not_seen == {"robots": 2, "status_404": 1}
        tx.scans.note(scan.id, old.counts + ScanCounts(pages=1))
        (noted,) = tx.scans.list()
    assert noted.counts.as_words() == row | {"pages": 4}
