"""A process says that it is alive and keeps its claims; what it leaves when it is lost is freed, nothing else."""

import asyncio
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import guardian
from guardian.errors import StoreUnusable
from guardian.model import TaskKind
from guardian.processes import Heartbeat, TakenOver, registered, take_over_lost
from guardian.store import Store, Transaction, has_holder, hold
from tests.databases import store_in

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
OVER = -MINUTE
REPOSITORY = Path(guardian.__file__).parents[1]


def living(store: Store) -> set[str]:
    with store.read() as tx:
        return {process.id for process in tx.processes.living()}


def claim_something(store: Store, owner: str) -> None:
    """A scan and a task under this owner, as long as a minute."""
    with store.begin() as tx:
        tx.scans.start(f"of {owner}", NOON, owner, MINUTE)
        tx.tasks.add(TaskKind.DELIVER, owner, b"", due_at=NOON, at=NOON)
        tx.tasks.claim([TaskKind.DELIVER], NOON, MINUTE, 1, owner)


def beat(store: Store, id_: str, lease: timedelta) -> None:
    with store.begin() as tx:
        tx.processes.beat(id_, lease, host="here", pid=1, command="guardian run")


def test_a_process_is_known_while_it_works_and_leaves_nothing_leased(store: Store, tmp_path: Path) -> None:
    async def work() -> None:
        async with registered(store, tmp_path, MINUTE, "guardian run") as heartbeat:
            with store.read() as tx:
                (process,) = tx.processes.living()
            assert (process.id, process.command) == (heartbeat.id, "guardian run")
            assert has_holder(tmp_path, heartbeat.id) is True
            claim_something(store, heartbeat.id)
        assert living(store) == set()
        assert has_holder(tmp_path, heartbeat.id) is None, "the file of the lock is gone"
        with store.read() as tx:
            assert [task.owner for task in tx.tasks.list()] == [None]

    asyncio.run(work())


def test_its_thread_keeps_it_and_its_claims_alive_while_the_loop_is_busy(store: Store) -> None:
    heartbeat = Heartbeat(store, timedelta(seconds=8), "guardian run")
    heartbeat.start()
    with store.begin() as tx:
        scan = tx.scans.start("web", NOON, heartbeat.id, OVER)
        assert tx.scans.abandoned() == {"web"}
    with heartbeat.renewing(scan.id) as claim:
        renewed = threading.Event()
        for _ in range(1200):
            with store.read() as tx:
                if not tx.scans.abandoned():
                    break
            renewed.wait(0.05)
        with store.read() as tx:
            assert tx.scans.abandoned() == set()
        assert not claim.is_lost
    heartbeat.stop()
    assert living(store) == set()


def test_it_notices_that_a_scan_was_taken_over_and_registers_again(store: Store, tmp_path: Path) -> None:
    heartbeat = Heartbeat(store, OVER, "guardian run")
    heartbeat.beat()
    with store.begin() as tx:
        scan = tx.scans.start("web", NOON, heartbeat.id, OVER)
    with heartbeat.renewing(scan.id) as claim:
        assert take_over_lost(store, tmp_path, NOON) == TakenOver(processes=1, scans=1)
        heartbeat.lease = MINUTE
        heartbeat.beat()
        assert claim.is_lost
    assert living(store) == {heartbeat.id}


def test_only_what_lost_processes_had_is_freed(store: Store, tmp_path: Path) -> None:
    beat(store, "alive", MINUTE)
    beat(store, "lost", OVER)
    claim_something(store, "alive")
    claim_something(store, "lost")
    assert take_over_lost(store, tmp_path, NOON) == TakenOver(processes=1, leases=1, scans=1)
    assert take_over_lost(store, tmp_path, NOON) == TakenOver()
    assert living(store) == {"alive"}
    with store.read() as tx:
        assert {scan.source: scan.outcome and scan.outcome.value for scan in tx.scans.list()} == {
            "of alive": None,
            "of lost": "interrupted",
        }
        assert {task.key: task.owner for task in tx.tasks.list()} == {"alive": "alive", "lost": None}


def test_a_scan_without_a_process_is_closed_though_nobody_watches_its_source(store: Store, tmp_path: Path) -> None:
    beat(store, "alive", MINUTE)
    claim_something(store, "alive")
    with store.begin() as tx:
        # As versions before processes were registered left it.
        tx.scans.start("of an earlier version", NOON)
    assert take_over_lost(store, tmp_path, NOON + MINUTE) == TakenOver(scans=1)
    assert take_over_lost(store, tmp_path, NOON + MINUTE) == TakenOver()
    with store.read() as tx:
        closed, running = sorted(tx.scans.list(), key=lambda scan: scan.ended_at is None)
    assert (closed.source, closed.ended_at) == ("of an earlier version", NOON + MINUTE)
    assert running.source == "of alive"


def test_a_killed_neighbour_on_the_same_data_folder_is_noticed_before_its_lease_is_over(
    store: Store, tmp_path: Path
) -> None:
    holder = (
        f"import sys; from pathlib import Path; from guardian.store import hold\nwith hold(Path({str(tmp_path)!r}), "
    )
    killed = subprocess.Popen(
        [sys.executable, "-c", f"{holder}'killed'):\n print('held', flush=True); sys.stdin.readline()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=REPOSITORY,
    )
    assert killed.stdout is not None
    assert killed.stdout.readline() == "held\n"
    for id_ in ("killed", "beside", "elsewhere"):
        beat(store, id_, MINUTE)
        claim_something(store, id_)
    with hold(tmp_path, "beside"):
        assert take_over_lost(store, tmp_path, NOON) == TakenOver()
        killed.kill()
        killed.communicate()
        assert take_over_lost(store, tmp_path, NOON) == TakenOver(processes=1, leases=1, scans=1)
        assert living(store) == {"beside", "elsewhere"}
    assert has_holder(tmp_path, "killed") is None


def test_one_that_cannot_leave_the_list_is_taken_for_lost_at_once(tmp_path: Path) -> None:
    mine, others = (store_in(tmp_path) for _ in range(2))

    def refuse(_: Transaction) -> None:
        raise StoreUnusable("no room left")

    async def work() -> None:
        is_full = False
        store = mine.under(lambda tx: refuse(tx) if is_full else None)
        async with registered(store, tmp_path, MINUTE, "guardian scan") as heartbeat:
            claim_something(others, heartbeat.id)
            is_full = True

    asyncio.run(work())
    assert take_over_lost(others, tmp_path, NOON) == TakenOver(processes=1, leases=1, scans=1)
    assert list((tmp_path / "locks").iterdir()) == []
    mine.close()
    others.close()
