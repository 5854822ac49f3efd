"""Sending against a real store and a real receiver: nothing lost, nothing out of turn, nothing twice in flight."""

import asyncio
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from guardian.delivery.delivery import Delivery
from guardian.delivery.secrets import Secrets
from guardian.delivery.sending import LEASE, Deliveries
from guardian.delivery.settings import DeliverySettings, DestinationSettings
from guardian.errors import StoreUnusable
from guardian.fetch.trusted import TrustedClient
from guardian.model import Message, Task, TaskKind, TaskState
from guardian.outbox import enqueue
from guardian.store import Store, Transaction
from guardian.store.audit import DELIVERED
from tests.databases import store_in
from tests.delivery.passes import deliver_due

START = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = store_in(tmp_path)
    yield opened
    opened.close()


def attempted(passed: Deliveries) -> int:
    """How many messages a pass tried."""
    return passed.delivered + passed.postponed + passed.dead


class Outbox:
    """A store, a clock, and destinations: `send()` is one pass, `session` several within one daemon's life."""

    def __init__(self, store: Store, clock: Clock, receivers: dict[str, Any], **settings: Any) -> None:
        self.store, self.clock = store, clock
        self.settings = DeliverySettings(**{"timeout": timedelta(seconds=2)} | settings)
        self.destinations = [
            DestinationSettings(name=name, url=receiver.url, secret_env="HOOK") for name, receiver in receivers.items()
        ]
        secret = next(iter(receivers.values())).secrets[0]
        self.secrets = Secrets({"HOOK": secret})

    def add(self, key: str, destination: str = "legal", due_in: timedelta = timedelta(0)) -> Task:
        return self.add_bytes(key, f'{{"key":"{key}"}}'.encode(), destination, due_in)

    def add_bytes(self, key: str, body: bytes, destination: str = "legal", due_in: timedelta = timedelta(0)) -> Task:
        message = Message(f"msg_{key}", "case.opened", self.clock.now + due_in, body)
        with self.store.begin() as tx:
            # Bytes as they are: `enqueue` would add the head of the audit log to them.
            tx.messages.add(message)
            at = message.created_at
            key = f"{message.id}:{destination}"
            task = tx.tasks.add(TaskKind.DELIVER, key, due_at=at, at=at, destination=destination, message_id=message.id)
        assert task is not None
        return task

    def get(self, task: Task) -> Task:
        with self.store.read() as tx:
            found = tx.tasks.get(task.id)
        assert found is not None
        return found

    def disabled(self) -> dict[str, str]:
        with self.store.read() as tx:
            return tx.destinations.disabled()

    def send(self, *steps: Callable[[], object], limit: int = 1000) -> list[Deliveries]:
        """A pass, and one more after each step."""

        async def go() -> list[Deliveries]:
            async with TrustedClient() as operator:
                delivery = Delivery(self.destinations, self.settings, operator, self.secrets, self.clock)
                passes = [await deliver_due(self.store, delivery, self.clock, limit, random.Random(1))]
                for step in steps:
                    step()
                    passes.append(await deliver_due(self.store, delivery, self.clock, limit, random.Random(2)))
                return passes

        return asyncio.run(go())

    def wait(self, time: timedelta) -> Callable[[], None]:
        def step() -> None:
            self.clock.now += time

        return step


@pytest.fixture
def outbox(store: Store, clock: Clock, receiver: Any) -> Outbox:
    return Outbox(store, clock, {"legal": receiver})


def test_what_is_due_is_sent_in_order_and_marked_done(outbox: Outbox, receiver: Any) -> None:
    late = outbox.add("late", due_in=timedelta(minutes=1))
    tasks = [outbox.add(f"{number}", due_in=-timedelta(minutes=number)) for number in (1, 3, 2)]
    (told,) = outbox.send()
    assert (told.delivered, attempted(told)) == (3, 3)
    assert [post.body for post in receiver.posts] == [b'{"key":"3"}', b'{"key":"2"}', b'{"key":"1"}']
    assert receiver.most_at_once == 1
    assert {outbox.get(task).state for task in tasks} == {TaskState.DONE}
    assert outbox.get(late).state is TaskState.DUE
    assert attempted(outbox.send()[0]) == 0
    with outbox.store.read() as tx:
        digests = dict(tx.messages.digests())
        lines = [line for line in tx.audit.lines() if line.action == DELIVERED]
    assert len(lines) == len(receiver.accepted)
    assert all(line.detail == {"destination": "legal", "sha256": digests[line.subject or ""]} for line in lines)


def test_a_failed_message_is_postponed_and_comes_again_with_the_same_id_and_bytes(
    outbox: Outbox, receiver: Any
) -> None:
    task = outbox.add("one")
    receiver.then(500)
    first, too_early, again = outbox.send(lambda: None, outbox.wait(timedelta(seconds=5)))
    assert (first.postponed, attempted(too_early), again.delivered) == (1, 0, 1)
    one, two = receiver.posts
    assert (one.id, one.body) == (two.id, two.body)
    assert outbox.get(task).attempts == 2


def test_after_the_last_attempt_it_is_dead_and_a_person_can_revive_it(
    store: Store, clock: Clock, receiver: Any
) -> None:
    outbox = Outbox(store, clock, {"legal": receiver}, attempts=3)
    task = outbox.add("one")
    receiver.then(500, 500, 500)
    passes = outbox.send(*[outbox.wait(timedelta(days=1))] * 3)
    assert [(one.postponed, one.dead, attempted(one)) for one in passes] == [(1, 0, 1), (1, 0, 1), (0, 1, 1), (0, 0, 0)]
    assert (outbox.get(task).state, outbox.get(task).attempts) == (TaskState.DEAD, 3)
    assert "answered 500" in (outbox.get(task).last_error or "")
    with store.begin() as tx:
        assert tx.tasks.revive(task.id, clock())
    assert outbox.send()[0].delivered == 1
    assert len({post.id for post in receiver.posts}) == 1


def test_410_buries_the_message_and_holds_the_others_until_enabled(outbox: Outbox, receiver: Any) -> None:
    first, second = outbox.add("first", due_in=-timedelta(minutes=1)), outbox.add("second")
    receiver.then(410)
    passes = outbox.send(lambda: None, outbox.wait(timedelta(days=2)))
    assert [attempted(one) for one in passes] == [1, 0, 0]
    assert outbox.get(first).state is TaskState.DEAD
    assert outbox.get(second).state is TaskState.DUE
    assert outbox.get(second).attempts == 0
    assert "410" in outbox.disabled()["legal"]
    with outbox.store.begin() as tx:
        assert tx.destinations.enable("legal")
    assert outbox.send()[0].delivered == 1
    assert len(receiver.posts) == 2


@pytest.mark.parametrize("date", [False, True])
def test_throttling_holds_all_messages_of_that_destination(
    outbox: Outbox, receiver: Any, answer: Any, date: bool
) -> None:
    for number in range(3):
        outbox.add(f"{number}")
    wish = "Tue, 24 Nov 2026 12:02:00 GMT" if date else "120"
    receiver.then(answer(429, {"Retry-After": wish}))
    passes = outbox.send(outbox.wait(timedelta(seconds=119)), outbox.wait(timedelta(seconds=2)))
    assert [attempted(one) for one in passes] == [1, 0, 3]
    assert len(receiver.accepted) == 3


def test_a_hanging_or_failing_destination_holds_up_no_other(
    store: Store, clock: Clock, receiver: Any, answer: Any, another_receiver: Any
) -> None:
    another_receiver.secrets = receiver.secrets
    outbox = Outbox(store, clock, {"slow": receiver, "quick": another_receiver}, timeout=timedelta(seconds=3))
    stuck = [outbox.add(f"slow {number}", "slow") for number in range(3)]
    for number in range(5):
        outbox.add(f"quick {number}", "quick")
    receiver.then(answer(way="hang"))
    (told,) = outbox.send()
    assert (told.delivered, told.postponed) == (5, 1)
    assert len(another_receiver.accepted) == 5
    assert [outbox.get(task).attempts for task in stuck] == [1, 0, 0]


def test_a_message_to_a_destination_that_is_gone_is_dead_and_says_so(outbox: Outbox, receiver: Any) -> None:
    task = outbox.add("one", "renamed")
    assert outbox.send()[0].dead == 1
    assert "no destination renamed" in (outbox.get(task).last_error or "")
    assert receiver.posts == []


def test_a_fault_of_guardians_own_is_survived(outbox: Outbox, receiver: Any) -> None:
    broken = outbox.add("not UTF-8")
    other = outbox.add_bytes("bytes", b"\xff", due_in=-timedelta(days=1))
    first, second = outbox.send(lambda: None)
    assert (first.postponed, second.delivered) == (1, 1)
    assert "internal error" in (outbox.get(other).last_error or "")
    assert outbox.get(broken).state is TaskState.DONE


def test_a_database_that_is_away_uses_up_no_attempt(outbox: Outbox, receiver: Any, clock: Clock) -> None:
    task = outbox.add("one")
    outbox.settings = DeliverySettings(attempts=1)
    store, writes = outbox.store, iter(range(100))

    def away_after_the_claim(_: Transaction) -> None:
        if next(writes) == 1:
            raise StoreUnusable("the database is locked")

    outbox.store = store.under(away_after_the_claim)
    outbox.send(outbox.wait(LEASE + timedelta(seconds=1)))
    outbox.store = store
    # It was accepted, and nobody may say that it was given up: it comes again, with the same id.
    assert [post.id for post in receiver.accepted] == ["msg_one"] * 2
    assert outbox.get(task).state is TaskState.DONE
    with store.read() as tx:
        assert "delivery.given_up" not in {line.action for line in tx.audit.lines()}


def test_a_pause_that_was_asked_for_by_a_clock_that_was_ahead_is_over(
    outbox: Outbox, receiver: Any, answer: Any
) -> None:
    outbox.add("one")
    receiver.then(answer(429, {"Retry-After": "120"}))

    def put_clock_back() -> None:
        outbox.clock.now -= timedelta(days=300)
        with outbox.store.begin() as tx:
            assert tx.tasks.hurry_retries(outbox.clock.now) == 1

    assert [attempted(one) for one in outbox.send(put_clock_back)] == [1, 1]


def test_the_limit_ends_a_turn(outbox: Outbox) -> None:
    for number in range(5):
        outbox.add(f"{number}")
    assert [attempted(one) for one in outbox.send(lambda: None, lambda: None, limit=2)] == [2, 2, 1]


def test_a_clock_turned_back_neither_loses_nor_repeats(outbox: Outbox, receiver: Any) -> None:
    outbox.add("before")
    receiver.then(503)
    passes = outbox.send(outbox.wait(timedelta(hours=-5)), lambda: outbox.add("after"), outbox.wait(timedelta(hours=6)))
    assert [attempted(one) for one in passes] == [1, 0, 1, 1]
    assert len(receiver.accepted) == 2


def test_stopping_in_the_middle_of_a_post_leaves_the_message_owed(outbox: Outbox, receiver: Any, answer: Any) -> None:
    task = outbox.add("one")
    receiver.then(answer(way="hang"))

    async def stopped() -> None:
        async with TrustedClient() as operator:
            delivery = Delivery(outbox.destinations, outbox.settings, operator, outbox.secrets, outbox.clock)
            sending = asyncio.create_task(deliver_due(outbox.store, delivery, outbox.clock))
            await asyncio.to_thread(receiver.wait_for, 1)
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)

    asyncio.run(stopped())
    assert (outbox.get(task).state, outbox.get(task).attempts) == (TaskState.DUE, 0)
    assert outbox.send(outbox.wait(LEASE))[1].delivered == 1


KILLED = """
import asyncio, os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
import structlog
from tests.delivery.passes import deliver_due
from guardian.delivery.secrets import Secrets
from guardian.delivery.delivery import Delivery
from guardian.delivery.settings import DeliverySettings, DestinationSettings
from guardian.fetch.trusted import TrustedClient
from guardian.store import StoreSettings, open_store

structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))

class KilledAfterPosting(Delivery):
    async def deliver(self, message, name):
        await super().deliver(message, name)
        print("posted", flush=True)
        if sys.argv[3] == "kill":
            os.kill(os.getpid(), signal.SIGKILL)

async def main():
    store = open_store(StoreSettings(), Path(sys.argv[1]))
    if sys.argv[4:] == ["free"]:
        with store.begin() as tx:
            tx.tasks.free_leases("deliver")
    destination = DestinationSettings(name="legal", url=sys.argv[2], secret_env="HOOK")
    clock = lambda: datetime.now(UTC)
    async with TrustedClient() as operator:
        delivery = KilledAfterPosting([destination], DeliverySettings(), operator, Secrets(os.environ), clock)
        told = await deliver_due(store, delivery, clock)
    print("delivered", told.delivered, flush=True)

asyncio.run(main())
"""


def test_killed_between_post_and_mark_the_same_message_comes_again(tmp_path: Path, receiver: Any) -> None:
    store = store_in(tmp_path)
    now = datetime.now(UTC)
    with store.begin() as tx:
        enqueue(tx, Message("msg_1", "x", now, b'{"type":"x"}'), ["legal"])
        (task,) = tx.tasks.list()

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", KILLED, str(tmp_path), receiver.url, *arguments]
        environment = os.environ | {"HOOK": receiver.secrets[0], "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    killed = run("kill")
    assert (killed.returncode, killed.stdout) == (-signal.SIGKILL, "posted\n")
    with store.read() as tx:
        left = tx.tasks.get(task.id)
    assert left is not None
    assert (left.state, left.attempts) == (TaskState.DUE, 0)
    assert left.leased_until is not None
    assert left.leased_until - now < timedelta(seconds=60), "without any help it is due again within a minute"
    assert run("go").stdout == "delivered 0\n", "the lease still holds"
    assert run("go", "free").stdout == "posted\ndelivered 1\n"
    first, second = receiver.posts
    assert (first.id, first.body) == (second.id, second.body)
    assert first.signed_by == second.signed_by == (0,)
    assert run("go", "free").stdout == "delivered 0\n"
    store.close()


def test_logs_name_case_and_asset(outbox: Outbox, receiver: Any) -> None:
    outbox.add_bytes("one", b'{"data": {"case": {"id": "case_1"}, "asset": {"id": "asset_1", "title": "D"}}}')
    with capture_logs() as logs:
        outbox.send()
    (delivered,) = [event for event in logs if event["event"] == "delivered"]
    assert (delivered["case"], delivered["asset"]) == ("case_1", "asset_1")
