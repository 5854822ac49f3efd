"""The runner over a real store: in order within a lane, lanes side by side, settled after, leases renewed."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from guardian.errors import StoreUnusable
from guardian.model import Task, TaskKind, TaskState
from guardian.store import Store, Transaction
from guardian.tasks.outcomes import Dead, Done, Postponed, Settled, TaskOutcome
from guardian.tasks.runner import Runner

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


class Writer:
    """A consumer that does what a test says, and notes in which order."""

    def __init__(self, work: Callable[[Task], Awaitable[TaskOutcome]], *lanes: str | None) -> None:
        self.work, self.open = work, lanes or (None,)
        self.lease = timedelta(minutes=1)
        self.told: list[tuple[str, Settled]] = []

    def lanes(self) -> list[str | None]:
        return list(self.open)

    async def perform(self, task: Task) -> TaskOutcome:
        return await self.work(task)

    def tell(self, task: Task, outcome: TaskOutcome) -> None:
        self.told.append((task.key, outcome.settled))


def owe(store: Store, *keys: str, lane: str = "a") -> None:
    with store.begin() as tx:
        for number, key in enumerate(keys):
            at = NOON - timedelta(minutes=10 - number)
            tx.tasks.add(TaskKind.DELIVER, key, b"", due_at=at, at=at, destination=lane)


def run(
    store: Store, consumer: Writer, owner: str = "me", limit: int = 1000, now: datetime = NOON
) -> dict[Settled, int]:
    runner = Runner(store, owner, lambda: now, {TaskKind.DELIVER: consumer})
    return dict(asyncio.run(runner.run_due(limit))[TaskKind.DELIVER])


def states(store: Store) -> dict[str, TaskState]:
    with store.read() as tx:
        tasks = tx.tasks.list()
    assert {task.owner for task in tasks if task.state is not TaskState.DUE} <= {None}
    return {task.key: task.state for task in tasks}


async def done(_: Task) -> TaskOutcome:
    return Done()


def test_tasks_are_done_in_order_and_told_of_after(store: Store) -> None:
    owe(store, "one", "two", "three")
    writer = Writer(done)
    assert run(store, writer, limit=2) == {Settled.DONE: 2}
    assert run(store, writer) == {Settled.DONE: 1}
    assert run(store, writer) == {}
    assert writer.told == [("one", Settled.DONE), ("two", Settled.DONE), ("three", Settled.DONE)]
    assert set(states(store).values()) == {TaskState.DONE}


@pytest.mark.parametrize("outcome", [Postponed(NOON + timedelta(hours=1), "busy"), Dead("gone")], ids=["later", "dead"])
def test_what_is_not_done_ends_its_lanes_turn_and_no_others(store: Store, outcome: TaskOutcome) -> None:
    owe(store, "a1", "a2", lane="a")
    owe(store, "b1", "b2", lane="b")

    async def work(task: Task) -> TaskOutcome:
        return outcome if task.destination == "a" else Done()

    assert run(store, Writer(work, "a", "b")) == {outcome.settled: 1, Settled.DONE: 2}
    with store.read() as tx:
        tasks = {task.key: task for task in tx.tasks.list()}
    assert tasks["a1"].last_error in ("busy", "gone")
    assert (tasks["a2"].state, tasks["a2"].attempts, tasks["a2"].owner) == (TaskState.DUE, 0, None)


def test_a_fault_of_a_consumer_is_survived_and_its_task_is_tried_ever_more_seldom(store: Store) -> None:
    owe(store, "a1", lane="a")
    owe(store, "b1", lane="b")

    async def work(task: Task) -> TaskOutcome:
        if task.destination == "a":
            raise RuntimeError("a mistake")
        return Done()

    now, waits = NOON, []
    for others in ({Settled.DONE: 1}, {}, {}, {}):
        assert run(store, Writer(work, "a", "b"), now=now) == {Settled.POSTPONED: 1} | others
        with store.read() as tx:
            (task,) = (one for one in tx.tasks.list() if one.key == "a1")
        # Whoever looks at it sees that it failed, and why.
        assert "internal error (RuntimeError)" in (task.last_error or "")
        waits.append(task.due_at - now)
        now = task.due_at
    assert (task.state, task.attempts) == (TaskState.DUE, 4)
    assert waits[0] < waits[1] < waits[2] == waits[3]


def test_a_disk_that_fails_is_no_fault_of_guardians_own(store: Store, tmp_path: Path) -> None:
    owe(store, "a1", lane="a")

    async def work(task: Task) -> TaskOutcome:
        tmp_path.read_bytes()
        return Done()

    with capture_logs() as logged:
        assert run(store, Writer(work, "a")) == {Settled.POSTPONED: 1}
    assert [(line["event"], line["log_level"], "exc_info" in line) for line in logged] == [
        ("task_failed", "warning", False)
    ]
    with store.read() as tx:
        (task,) = tx.tasks.list()
    assert task.last_error == f"{tmp_path}: Is a directory"


def test_a_database_that_is_away_is_one_line_in_the_log(store: Store) -> None:
    owe(store, "a1")

    def be_away(_: Transaction) -> None:
        raise StoreUnusable("PostgreSQL at db.example cannot be used: connection refused")

    with capture_logs() as logged:
        assert run(store.under(be_away), Writer(done, "a")) == {}
    assert [(line["event"], line["log_level"]) for line in logged] == [("turn_failed", "warning")]
    assert logged[0]["reason"] == "PostgreSQL at db.example cannot be used: connection refused"
    assert "exc_info" not in logged[0]
    assert run(store, Writer(done, "a")) == {Settled.DONE: 1}


def test_the_lease_of_a_long_task_is_renewed(store: Store) -> None:
    owe(store, "long")
    renewed = asyncio.Event()

    async def work(task: Task) -> TaskOutcome:
        await renewed.wait()
        return Done()

    async def go() -> None:
        clock = iter(NOON + timedelta(seconds=number) for number in range(10_000))
        writer = Writer(work)
        writer.lease = timedelta(seconds=0.2)
        running = asyncio.create_task(
            Runner(store, "me", lambda: next(clock), {TaskKind.DELIVER: writer}).run_due(limit=1)
        )
        ends = set[datetime | None]()
        while len(ends - {None}) < 3:
            with store.read() as tx:
                ends |= {task.leased_until for task in tx.tasks.list()}
            await asyncio.sleep(0)
        renewed.set()
        assert (await running)[TaskKind.DELIVER] == {Settled.DONE: 1}

    asyncio.run(asyncio.wait_for(go(), 60))


def test_a_renewal_that_fails_once_does_not_end_the_work(store: Store) -> None:
    owe(store, "long")
    writes, renewed = iter(range(100)), asyncio.Event()

    def busy_at_the_first_renewal(_: Transaction) -> None:
        number = next(writes)
        if number == 1:
            raise StoreUnusable("the database is locked")
        if number == 2:
            loop.call_soon_threadsafe(renewed.set)

    async def work(task: Task) -> TaskOutcome:
        await renewed.wait()
        return Done()

    async def go() -> None:
        nonlocal loop
        loop = asyncio.get_running_loop()
        writer = Writer(work)
        # Long enough that the first of its renewals is in time on a busy machine.
        writer.lease = timedelta(seconds=3)
        runner = Runner(store.under(busy_at_the_first_renewal), "me", lambda: NOON, {TaskKind.DELIVER: writer})
        assert (await runner.run_due())[TaskKind.DELIVER] == {Settled.DONE: 1}

    loop: asyncio.AbstractEventLoop
    asyncio.run(asyncio.wait_for(go(), 60))


def test_a_task_that_another_process_took_over_is_let_go(store: Store) -> None:
    owe(store, "taken")
    ended: list[str] = []

    async def work(task: Task) -> TaskOutcome:
        with store.begin() as tx:
            tx.tasks.free_leases("me")
            tx.tasks.claim([TaskKind.DELIVER], NOON, timedelta(minutes=1), 1, "another")
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(task.key)
        return Done()

    writer = Writer(work)
    writer.lease = timedelta(seconds=0.2)
    assert run(store, writer) == {}
    assert ended == ["taken"]
    with store.read() as tx:
        (task,) = tx.tasks.list()
    assert (task.owner, task.state) == ("another", TaskState.DUE)


def test_stopped_in_the_middle_a_task_stays_owed(store: Store) -> None:
    owe(store, "one")
    begun = asyncio.Event()

    async def work(_: Task) -> TaskOutcome:
        begun.set()
        await asyncio.Event().wait()
        return Done()

    async def go() -> None:
        writer = Writer(work)
        running = asyncio.create_task(Runner(store, "me", lambda: NOON, {TaskKind.DELIVER: writer}).run_due())
        await begun.wait()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert writer.told == []

    asyncio.run(go())
    assert states(store) == {"one": TaskState.DUE}
