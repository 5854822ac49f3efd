"""The queue: nothing promised is lost, nothing is handed out twice, what is done is marked after."""

import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import text

import guardian
from guardian.model import Task, TaskKind, TaskState
from guardian.store import Store
from guardian.store.connecting import connect

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
REPOSITORY = Path(guardian.__file__).parents[1]


def promise(store: Store, *keys: str, due_at: datetime = NOON, destination: str = "legal") -> None:
    with store.begin() as tx:
        for key in keys:
            tx.tasks.add(TaskKind.DELIVER, key, key.encode(), due_at=due_at, at=NOON, destination=destination)


def claim(store: Store, now: datetime = NOON, limit: int = 10, destination: str | None = None) -> list[str]:
    return [task.key for task in claim_tasks(store, now, limit, destination)]


def claim_tasks(store: Store, now: datetime = NOON, limit: int = 10, destination: str | None = None) -> list[Task]:
    with store.begin() as tx:
        return tx.tasks.claim([TaskKind.DELIVER], now, MINUTE, limit, "me", destination)


def test_promising_twice_is_one_task_and_the_first_body_stays(store: Store) -> None:
    with store.begin() as tx:
        first = tx.tasks.add(TaskKind.DELIVER, "a", b"\x00\xff one", due_at=NOON, at=NOON, destination="legal")
        second = tx.tasks.add(TaskKind.DELIVER, "a", b"two", due_at=NOON, at=NOON)
    assert first is not None
    assert second is None
    with store.read() as tx:
        assert tx.tasks.get(first.id) == first
    assert (first.body, first.state, first.attempts, first.destination) == (b"\x00\xff one", TaskState.DUE, 0, "legal")


def test_only_due_tasks_are_claimed_the_longest_due_first(store: Store) -> None:
    promise(store, "later", due_at=NOON + MINUTE)
    promise(store, "second")
    promise(store, "first", due_at=NOON - MINUTE)
    assert claim(store) == ["first", "second"]
    assert claim(store) == []


def test_what_is_owed_to_one_destination_is_found_among_many(store: Store) -> None:
    promise(store, *(f"other {number}" for number in range(300)))
    promise(store, "first", "second", due_at=NOON + MINUTE, destination="archive")
    with store.begin() as tx:
        (done,) = tx.tasks.claim([TaskKind.DELIVER], NOON + 2 * MINUTE, MINUTE, 1, "me", "archive")
        tx.tasks.bury(done.id, "broken")
    with store.read() as tx:
        assert [task.key for task in tx.tasks.owed(TaskKind.DELIVER, "archive")] == ["second"]
        assert tx.tasks.owed(TaskKind.CAPTURE, "archive") == []


def test_claim_by_destination_and_limit(store: Store) -> None:
    promise(store, "a", "b", "c")
    promise(store, "d", destination="archive")
    assert claim(store, destination="archive") == ["d"]
    assert claim(store, limit=2) == ["a", "b"]
    with store.read() as tx:
        assert tx.tasks.destinations_due(NOON) == ["archive", "legal"]
        assert tx.tasks.due_count(NOON) == 4


def test_lease_ends_and_the_task_is_claimed_again(store: Store) -> None:
    promise(store, "a")
    assert claim(store) == ["a"]
    assert claim(store, NOON + MINUTE - timedelta(seconds=1)) == []
    (again,) = claim_tasks(store, NOON + MINUTE)
    assert (again.key, again.leased_until) == ("a", NOON + 2 * MINUTE)


def test_leases_of_a_process_that_is_lost_are_freed_and_nobody_elses(store: Store) -> None:
    promise(store, "a", "b", "c")
    claim(store, limit=2)
    with store.begin() as tx:
        tx.tasks.claim([TaskKind.DELIVER], NOON, MINUTE, 1, "another")
        assert tx.tasks.free_leases("somebody else") == 0
        assert tx.tasks.free_leases("me") == 2
    assert claim(store) == ["a", "b"]


def test_a_lease_of_another_living_process_has_room_for_clocks_that_differ(store: Store) -> None:
    promise(store, "a")
    with store.begin() as tx:
        tx.processes.beat("another", timedelta(minutes=5), host="b", pid=1, command="guardian run")
        assert tx.tasks.claim([TaskKind.DELIVER], NOON, MINUTE, 1, "another")
    assert claim(store, NOON + 10 * MINUTE) == [], "its clock may be behind"
    with store.begin() as tx:
        (task,) = tx.tasks.claim([TaskKind.DELIVER], NOON + MINUTE, MINUTE, 1, "another")
        assert task.owner == "another", "it knows its own clock"
    assert claim(store, NOON + 90 * MINUTE) == ["a"], "for ever it waits for nobody"


def test_a_destination_is_one_owners_at_a_time(store: Store) -> None:
    promise(store, "a", "b")
    promise(store, "c", destination="archive")
    with store.begin() as tx:
        (first,) = tx.tasks.claim([TaskKind.DELIVER], NOON, MINUTE, 1, "another", "legal")
    assert claim(store, destination="legal") == []
    assert claim(store, destination="archive") == ["c"]
    with store.begin() as tx:
        tx.tasks.done(first.id, NOON)
    assert claim(store, destination="legal") == ["b"]


def test_of_many_who_ask_for_a_destination_at_once_one_gets_it(store: Store) -> None:
    promise(store, *(str(number) for number in range(40)))
    start = threading.Barrier(4)
    came: list[list[Task]] = []

    def work(owner: str) -> None:
        start.wait()
        with store.begin() as tx:
            came.append(tx.tasks.claim([TaskKind.DELIVER], NOON, MINUTE, 1, owner, "legal"))

    threads = [threading.Thread(target=work, args=(str(number),)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(len, came)) == [0, 0, 0, 1]


def test_a_long_task_keeps_its_lease_and_one_that_was_taken_over_is_not_its_owners_to_put_off(store: Store) -> None:
    promise(store, "a")
    (task,) = claim_tasks(store)
    with store.begin() as tx:
        assert tx.tasks.renew(task.id, "me", NOON + 3 * MINUTE)
    assert claim(store, NOON + 2 * MINUTE) == []
    with store.begin() as tx:
        (taken,) = tx.tasks.claim([TaskKind.DELIVER], NOON + 3 * MINUTE, MINUTE, 1, "another")
        assert not tx.tasks.renew(task.id, "me", NOON + 9 * MINUTE)
        tx.tasks.postpone(task.id, NOON + 60 * MINUTE, "too late", "me")
        tx.tasks.bury(task.id, "too late", "me")
        assert tx.tasks.get(task.id) == taken
        tx.tasks.done(task.id, NOON)
        ended = tx.tasks.get(task.id)
    assert ended is not None
    assert ended.state is TaskState.DONE, "what was done counts, whoever did it"


def test_tasks_of_kinds_that_another_version_queued_are_left_alone(store: Store) -> None:
    promise(store, "a")
    engine = connect(store.url)
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO tasks (kind, key, state, due_at, attempts, body, created_at) "
                "SELECT 'of-a-later-version', key, state, due_at, attempts, body, created_at FROM tasks"
            )
        )
        unknown = connection.execute(text("SELECT id FROM tasks WHERE kind = 'of-a-later-version'")).scalar_one()
    engine.dispose()
    with store.read() as tx:
        assert [task.key for task in tx.tasks.list()] == ["a"]
        assert tx.tasks.get(unknown) is None
        assert tx.tasks.due_count(NOON) == 1
    assert claim(store) == ["a"]


def test_a_clock_turned_back_holds_up_nothing(store: Store) -> None:
    ahead = NOON + timedelta(days=400)
    with store.begin() as tx:
        tx.tasks.add(TaskKind.DELIVER, "from the future", b"", due_at=ahead, at=ahead)
    promise(store, "leased in the future", due_at=NOON - MINUTE)
    claim(store, ahead)
    assert sorted(claim(store, NOON)) == ["from the future", "leased in the future"]


def test_looks_planned_for_days_after_a_notice_do_not_all_come_at_once_when_the_clock_is_turned_back(
    store: Store,
) -> None:
    sent_at = NOON + timedelta(hours=5)
    with store.begin() as tx:
        for day in (1, 3, 7):
            due_at = sent_at + timedelta(days=day)
            tx.tasks.add(TaskKind.RECHECK_NOTICE, f"day {day}", due_at=due_at, at=sent_at)

    def claimed(now: datetime) -> list[str]:
        with store.begin() as tx:
            return [task.key for task in tx.tasks.claim([TaskKind.RECHECK_NOTICE], now, MINUTE, 10, "me")]

    assert claimed(NOON) == []
    assert claimed(sent_at + timedelta(days=1)) == ["day 1"]


def test_what_was_put_off_by_a_clock_that_was_wrong_is_taken_again(store: Store) -> None:
    """The daemon asks for this when it has noticed a jump: a retry of tomorrow may have been meant for in a minute."""
    tomorrow = NOON + timedelta(days=1)
    promise(store, "put off", "another", "dead")
    promise(store, "planned", due_at=tomorrow)
    by_key = {task.key: task.id for task in claim_tasks(store)}
    with store.begin() as tx:
        for key in ("put off", "another"):
            tx.tasks.postpone(by_key[key], tomorrow + MINUTE, "503")
        tx.tasks.bury(by_key["dead"], "404")
    assert claim(store) == []
    with store.begin() as tx:
        assert tx.tasks.hurry_retries(NOON) == 2
        assert tx.tasks.hurry_retries(NOON) == 0
    assert sorted(claim(store)) == ["another", "put off"], "what was planned for tomorrow stays"


def test_only_what_waits_for_longer_than_any_pause_was_surely_put_off_by_a_wrong_clock(store: Store) -> None:
    promise(store, "tomorrow", "next year")
    by_key = {task.key: task.id for task in claim_tasks(store)}
    with store.begin() as tx:
        tx.tasks.postpone(by_key["tomorrow"], NOON + timedelta(days=1), "503")
        tx.tasks.postpone(by_key["next year"], NOON + timedelta(days=365), "503")
        assert tx.tasks.hurry_retries(NOON, timedelta(days=3)) == 1
    assert claim(store) == ["next year"]


def test_done_postponed_buried_and_revived(store: Store) -> None:
    promise(store, "done", "postponed", "buried")
    by_key = {task.key: task.id for task in claim_tasks(store)}
    with store.begin() as tx:
        tx.tasks.done(by_key["done"], NOON)
        tx.tasks.postpone(by_key["postponed"], NOON + MINUTE, "503\x00 busy")
        tx.tasks.bury(by_key["buried"], "404")
    with store.read() as tx:
        tasks = {task.key: task for task in tx.tasks.list()}
        assert tx.tasks.counts() == {TaskState.DUE: 1, TaskState.DONE: 1, TaskState.DEAD: 1}
    assert tasks["postponed"].due_at == NOON + MINUTE
    assert {task.attempts for task in tasks.values()} == {1}
    assert {task.leased_until for task in tasks.values()} == {None}
    assert tasks["postponed"].last_error == "503 busy"
    assert claim(store) == []
    with store.begin() as tx:
        assert tx.tasks.revive(by_key["done"], NOON) is False
        assert tx.tasks.revive(by_key["buried"], NOON) is True
    (revived,) = claim_tasks(store)
    assert (revived.key, revived.attempts, revived.last_error) == ("buried", 0, "404")


def test_only_what_waits_can_be_hurried(store: Store) -> None:
    promise(store, "done", "waiting", "dead", "due")
    by_key = {task.key: task.id for task in claim_tasks(store)}
    with store.begin() as tx:
        tx.tasks.done(by_key["done"], NOON)
        tx.tasks.postpone(by_key["waiting"], NOON + MINUTE, "503")
        tx.tasks.postpone(by_key["due"], NOON, "503")
        tx.tasks.bury(by_key["dead"], "404")
    with store.begin() as tx:
        hurried = [key for key in ("done", "waiting", "dead", "due") if tx.tasks.hurry(by_key[key], NOON)]
    assert hurried == ["waiting"]
    (first, second) = claim_tasks(store)
    assert {first.key, second.key} == {"waiting", "due"}
    assert first.attempts == second.attempts == 1, "a try that is only earlier counts on"


def test_threads_never_claim_the_same_task(store: Store) -> None:
    promise(store, *(f"task {number}" for number in range(600)))
    claimed: list[str] = []
    start = threading.Barrier(4)

    def work() -> None:
        start.wait()
        while keys := claim(store, limit=7):
            claimed.extend(keys)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(claimed) == 600
    assert len(set(claimed)) == 600


CLAIMER = """
import sys
from datetime import UTC, datetime, timedelta
from guardian.model import TaskKind
from guardian.store import Store
store = Store(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
while True:
    with store.begin() as tx:
        tasks = tx.tasks.claim([TaskKind.DELIVER], datetime(2026, 11, 24, 12, tzinfo=UTC), timedelta(1), 5, "p")
    if not tasks:
        break
    for task in tasks:
        print(task.key, flush=True)
"""


def test_processes_never_claim_the_same_task(store: Store, database: str) -> None:
    promise(store, *(str(number) for number in range(300)))
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", CLAIMER, database],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=REPOSITORY,
        )
        for _ in range(3)
    ]
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    claimed = [key for worker in workers for key in worker.communicate()[0].split()]
    assert sorted(claimed, key=int) == [str(number) for number in range(300)]
