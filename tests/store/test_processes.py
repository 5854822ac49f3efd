"""Who is at work on a database, what they have claimed, and what becomes of that when they are lost."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import text

from guardian.errors import ClaimLost, SourceClaimed
from guardian.model import CrawlRequest, FrontierState, Process, ScanCounts
from guardian.store import Store
from guardian.store.connecting import connect

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
OVER = -MINUTE
"""A lease that is over as soon as it is given."""


def beat(store: Store, id_: str, lease: timedelta = MINUTE) -> Process:
    with store.begin() as tx:
        return tx.processes.beat(id_, lease, host="here", pid=7, command="guardian run")


def ids(processes: list[Process]) -> list[str]:
    return [process.id for process in processes]


def test_a_process_lives_as_long_as_it_is_heard_of(store: Store) -> None:
    first = beat(store, "one")
    beat(store, "two", OVER)
    assert (first.host, first.pid, first.command) == ("here", 7, "guardian run")
    assert first.leased_until - first.heartbeat_at == MINUTE
    with store.read() as tx:
        assert (ids(tx.processes.living()), ids(tx.processes.lost())) == (["one"], ["two"])
    assert beat(store, "two").started_at > first.started_at, "it was suspended, and is back"
    with store.begin() as tx:
        assert ids(tx.processes.living()) == ["one", "two"]
        assert tx.processes.remove("one")
        assert not tx.processes.remove("one")
        assert ids(tx.processes.living()) == ["two"]
    assert beat(store, "one").id == "one", "a process that was taken for lost registers again by itself"


def test_a_clock_that_was_set_back_by_days_makes_no_dead_process_live_on(store: Store) -> None:
    beat(store, "one", timedelta(days=3))
    with store.read() as tx:
        assert (ids(tx.processes.living()), ids(tx.processes.lost())) == ([], ["one"])


def test_a_source_that_is_being_scanned_is_claimed_and_who_scans_is_said(store: Store) -> None:
    beat(store, "one")
    with store.begin() as tx:
        running = tx.scans.start("web", NOON, "one", MINUTE)
        assert running.owner == "one"
        with pytest.raises(SourceClaimed, match=r"web .*process 7 on here \(`guardian run`\) since 2026-11-24 12:00"):
            tx.scans.start("web", NOON + MINUTE, "two", MINUTE)
        assert tx.scans.start("disk", NOON, "two", MINUTE).source == "disk"
        assert tx.scans.abandoned() == {"disk"}, "of a process that nobody knows"
        tx.scans.end(running.id, NOON, "completed", ScanCounts())
        assert tx.scans.start("web", NOON, "two", MINUTE).id > running.id


def test_a_scan_that_was_found_due_is_not_begun_when_another_was_faster(store: Store) -> None:
    with store.begin() as tx:
        first = tx.scans.start("web", NOON, "one", MINUTE, latest_known=0)
        tx.scans.end(first.id, NOON, "completed", ScanCounts())
    with pytest.raises(SourceClaimed, match="web was scanned by another process just now"), store.begin() as tx:
        tx.scans.start("web", NOON, "two", MINUTE, latest_known=0)
    with store.begin() as tx:
        assert tx.scans.list("web") == [tx.scans.last("web", "completed")]
        assert tx.scans.start("web", NOON, "two", MINUTE, latest_known=first.id).id > first.id


@pytest.mark.parametrize("way", ["silent", "gone", "lease"])
def test_a_scan_whose_owner_is_lost_is_closed_by_the_next(store: Store, way: str) -> None:
    beat(store, "one")
    with store.begin() as tx:
        lost = tx.scans.start("web", NOON, "one", OVER if way == "lease" else MINUTE)
        if way == "gone":
            tx.processes.remove("one")
        elif way == "silent":
            assert tx.scans.interrupt("one", NOON) == 1
            assert tx.scans.interrupt("one", NOON) == 0
        assert tx.scans.abandoned() == {"web"}
        current = tx.scans.start("web", NOON, "two", MINUTE)
        assert {scan.id: scan.outcome for scan in tx.scans.list()} == {lost.id: "interrupted", current.id: None}


def test_only_running_scans_of_their_owner_are_renewed(store: Store) -> None:
    beat(store, "one")
    with store.begin() as tx:
        mine, ended, short = (tx.scans.start(name, NOON, "one", MINUTE) for name in ("a", "b", "c"))
        other = tx.scans.start("d", NOON, "two", MINUTE)
        tx.scans.end(ended.id, NOON, "completed", ScanCounts())
        assert tx.scans.renew([mine.id, ended.id, other.id], "one", MINUTE) == {mine.id}
        assert tx.scans.renew([short.id], "one", OVER) == {short.id}
        assert tx.scans.abandoned() == {"c", "d"}


def test_a_process_that_lost_its_claim_writes_nothing_more(store: Store) -> None:
    beat(store, "one")
    with store.begin() as tx:
        scan = tx.scans.start("web", NOON, "one", MINUTE)
        tx.frontier.add("web", [CrawlRequest("https://a.example/")])
    claimed = store.under(lambda tx: tx.scans.require(scan.id, "one"))
    with claimed.begin() as tx:
        tx.scans.note(scan.id, ScanCounts(pages=1))
    with store.begin() as tx:
        tx.scans.interrupt("one", NOON)
        taken = tx.scans.start("web", NOON, "two", MINUTE)
    with pytest.raises(ClaimLost), claimed.begin() as tx:
        tx.frontier.clear("web")
    with claimed.read() as tx:
        assert tx.frontier.count("web", FrontierState.WAITING) == 1
        assert tx.scans.last("web") == taken


def test_whoever_takes_over_waits_for_what_the_owner_is_writing(store: Store) -> None:
    beat(store, "one")
    with store.begin() as tx:
        scan = tx.scans.start("web", NOON, "one", MINUTE)

    def take_over() -> None:
        with store.begin() as tx:
            tx.scans.interrupt("one", NOON)
            seen.append(tx.frontier.count("web"))

    seen: list[int] = []
    taker = threading.Thread(target=take_over)
    with store.under(lambda tx: tx.scans.require(scan.id, "one")).begin() as tx:
        taker.start()
        tx.frontier.add("web", [CrawlRequest("https://a.example/")])
    taker.join()
    assert seen == [1]


def test_one_of_many_that_start_at_once_scans(store: Store) -> None:
    for number in range(8):
        beat(store, str(number))
    start = threading.Barrier(8)
    came: list[str] = []

    def scan(owner: str) -> None:
        start.wait()
        try:
            with store.begin() as tx:
                tx.scans.start("web", NOON, owner, MINUTE)
            came.append("claimed")
        except SourceClaimed as error:
            came.append(str(error))

    threads = [threading.Thread(target=scan, args=(str(number),)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(came)[0] == "claimed"
    assert all("is being scanned by process 7" in said for said in sorted(came)[1:])


def test_a_scan_that_an_earlier_version_left_running_is_nobodys_and_is_taken_up(empty_database: str) -> None:
    engine = connect(empty_database)
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", "guardian.store:migrations")
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
        row = "INSERT INTO scans (source, started_at, counts) VALUES ('web', '2026-11-24 12:00:00.000000', '{}')"
        connection.execute(text(row))
        connection.execute(text(row))
    engine.dispose()
    migrated = Store(empty_database)
    with migrated.begin() as tx:
        left = tx.scans.list("web")
        assert [(scan.outcome, scan.owner) for scan in left] == [(None, None), ("interrupted", None)]
        assert tx.scans.abandoned() == {"web"}
        assert tx.scans.start("web", NOON, "one", MINUTE).id > left[0].id
        assert [scan.outcome for scan in tx.scans.list("web")] == [None, "interrupted", "interrupted"]
    migrated.close()
