"""What is forgotten by age, and what never is."""

from datetime import UTC, datetime, timedelta

from guardian import retention
from guardian.model import Comparison, Match, MatchReport, Remembered, TaskKind, TaskState
from guardian.outbox import enqueue, enqueue_once, mint
from guardian.retention import Pruned, prune, prune_daily
from guardian.store import Store
from guardian.store.settings import RetentionSettings

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
DAY = timedelta(days=1)
KEPT = RetentionSettings(deliveries=10 * DAY, scans=20 * DAY, responses=30 * DAY, candidates=40 * DAY)
REPORT = MatchReport("recipe", (Match("asset_1", Comparison(0.5)),), 7, 600, 800, 600)


def deliver(store: Store, key: str, done_at: datetime | None) -> None:
    with store.begin() as tx:
        task = tx.tasks.add(TaskKind.DELIVER, key, b"{}", due_at=NOW - 99 * DAY, at=NOW - 99 * DAY)
        assert task is not None
        if done_at is not None:
            tx.tasks.done(task.id, done_at)


def scan(store: Store, source: str, ended_at: datetime, outcome: str) -> int:
    with store.begin() as tx:
        row = tx.scans.start(source, ended_at)
        tx.scans.end(row.id, ended_at, outcome, {})
        return row.id


def test_only_what_is_older_than_its_time_goes(store: Store) -> None:
    for age in (9, 11):
        deliver(store, f"delivered {age}", NOW - age * DAY)
    for age in (29, 31):
        with store.begin() as tx:
            tx.responses.remember(
                Remembered(f"https://x.example/{age}", '"a"', None, f"sha {age}", NOW - age * DAY, NOW - age * DAY)
            )
    for sha, age in (("sha 29", 99), ("sha 31", 99), ("young", 39), ("old", 41)):
        with store.begin() as tx:
            tx.candidates.remember(sha, "recipe", REPORT, NOW - age * DAY)

    assert prune(store, KEPT, "recipe", NOW) == Pruned(deliveries=1, responses=1, candidates=2)
    with store.read() as tx:
        assert [task.key for task in tx.tasks.list()] == ["delivered 9"]
        assert tx.responses.known("https://x.example/31") is None
        left = {sha for sha in ("sha 29", "sha 31", "young", "old") if tx.candidates.known(sha, "recipe")}
    assert left == {"sha 29", "young"}, "what an address still holds is not measured anew"
    assert prune(store, KEPT, "recipe", NOW).total == 0


def test_what_is_owed_and_what_waits_for_a_person_stays(store: Store) -> None:
    deliver(store, "due", None)
    with store.begin() as tx:
        dead = tx.tasks.add(TaskKind.DELIVER, "dead", b"{}", due_at=NOW - 99 * DAY, at=NOW - 99 * DAY)
        assert dead is not None
        tx.tasks.bury(dead.id, "404")
    assert prune(store, KEPT, "recipe", NOW).deliveries == 0
    with store.read() as tx:
        assert tx.tasks.counts() == {TaskState.DUE: 1, TaskState.DONE: 0, TaskState.DEAD: 1}


def test_a_message_goes_with_the_last_of_its_deliveries(store: Store) -> None:
    messages = [mint("case.opened", {}, NOW - age * DAY) for age in (99, 99, 99, 1)]
    written = []
    with store.begin() as tx:
        for message in messages:
            written.append(enqueue(tx, message, ["legal", "press"]))
        _, half, owed, young = written
        for task in tx.tasks.list():
            if task.message_id != owed.id and (task.message_id, task.destination) != (half.id, "press"):
                tx.tasks.done(task.id, NOW - 11 * DAY)
    assert prune(store, KEPT, "recipe", NOW) == Pruned(deliveries=5)
    with store.read() as tx:
        assert [tx.messages.get(message.id) for message in messages] == [None, half, owed, young]


def test_an_episode_that_outlasts_its_message_is_not_told_again(store: Store) -> None:
    def tell(at: datetime) -> int:
        with store.begin() as tx:
            return enqueue_once(tx, mint("source.failing", {}, at), ["legal"], "an episode")

    assert tell(NOW - 99 * DAY) == 1
    with store.begin() as tx:
        (task,) = tx.tasks.list()
        tx.tasks.done(task.id, NOW - 98 * DAY)
    prune(store, KEPT, "recipe", NOW)
    assert tell(NOW) == 0
    with store.read() as tx:
        assert [known.message_id for known in tx.tasks.list()] == [task.message_id]


def test_the_latest_scans_of_each_source_stay(store: Store) -> None:
    ids = [scan(store, "web", NOW - age * DAY, outcome) for age, outcome in ((90, "completed"), (80, "completed"))]
    ids += [scan(store, "web", NOW - age * DAY, "failed") for age in (70, 60)]
    other = scan(store, "other", NOW - 95 * DAY, "interrupted")
    assert prune(store, KEPT, "recipe", NOW).scans == 2
    with store.read() as tx:
        assert [row.id for row in tx.scans.list("web")] == [ids[3], ids[1]]
        assert [row.id for row in tx.scans.list("other")] == [other]


def test_many_rows_go_in_several_transactions(store: Store) -> None:
    with store.begin() as tx:
        for number in range(retention.ROWS_AT_ONCE + 1):
            tx.candidates.remember(f"{number}", "recipe", REPORT, NOW - 99 * DAY)
    assert prune(store, KEPT, "recipe", NOW).candidates == retention.ROWS_AT_ONCE + 1


def test_once_a_day_whoever_asks(store: Store, database: str) -> None:
    deliver(store, "old", NOW - 11 * DAY)
    assert prune_daily(store, KEPT, "recipe", NOW) == Pruned(deliveries=1)
    other = Store(database)
    try:
        assert prune_daily(other, KEPT, "recipe", NOW + timedelta(hours=1)) is None
        assert prune_daily(other, KEPT, "recipe", NOW + DAY) == Pruned()
    finally:
        other.close()


def test_a_clock_that_jumps_forward_deletes_nothing_for_a_week(store: Store) -> None:
    deliver(store, "old", NOW - 9 * DAY)
    assert prune_daily(store, KEPT, "recipe", NOW) == Pruned()
    for days in (365, 366, 371):
        assert prune_daily(store, KEPT, "recipe", NOW + days * DAY) is None
    # Put right within the week, and a day later as on any other.
    assert prune_daily(store, KEPT, "recipe", NOW + DAY / 2) == Pruned()
    assert prune_daily(store, KEPT, "recipe", NOW + 2 * DAY) == Pruned(deliveries=1)


def test_a_machine_that_was_off_for_long_deletes_a_week_later(store: Store) -> None:
    assert prune_daily(store, KEPT, "recipe", NOW) == Pruned()
    deliver(store, "old", NOW)
    for days in (60, 61, 66):
        assert prune_daily(store, KEPT, "recipe", NOW + days * DAY) is None
    assert prune_daily(store, KEPT, "recipe", NOW + 67 * DAY) == Pruned(deliveries=1)


def test_a_machine_that_is_started_every_other_month_deletes_every_second_time(store: Store) -> None:
    pruned = [prune_daily(store, KEPT, "recipe", NOW + days * DAY) is not None for days in range(0, 301, 60)]
    assert pruned == [True, False, True, False, True, False]
