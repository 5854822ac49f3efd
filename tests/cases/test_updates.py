"""Who is told of what: events that destinations ask for, floods that are held, digests, and licences that end."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files

import pytest
from jsonschema import Draft202012Validator

from guardian.cases import Edit, RecordedUse, assign, decide, record
from guardian.cases.absence import missed_in_scan, note_missed
from guardian.cases.updates import tell_digests, tell_of_changes, tell_of_licences
from guardian.delivery.floods import drop_flood, held_floods, release_flood
from guardian.errors import UsageError
from guardian.model import Actor, ActorKind, Audience, CaseState, Routing, ScanCounts, Severity, Subscription, TaskKind
from guardian.outbox import release
from guardian.store import Store, Transaction
from guardian.views.message_schemas import event_schema
from tests.granting import grant_licence

Use = Callable[..., RecordedUse]
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
EDIT = Edit("mara", NOON, "a customer")


SCHEMA = json.loads(files("guardian.cases").joinpath("event.schema.json").read_text())


def test_the_published_schema_is_what_the_tool_writes() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    message = json.loads(files("guardian.cases").joinpath("message.schema.json").read_text())
    assert event_schema(message["properties"]["data"]["properties"]) == SCHEMA


def told(store: Store) -> list[tuple[str, str]]:
    """By destination, the types of all messages owed, in their order."""
    with store.read() as tx:
        found = []
        for task in reversed(tx.tasks.list(TaskKind.DELIVER, limit=10_000)):
            message = tx.messages.get(task.message_id or "")
            assert message is not None
            assert len(message.body) < 20_000
            if message.type not in ("case.opened", "case.escalated", "case.reopened"):
                Draft202012Validator(SCHEMA).validate(json.loads(message.body))
            found.append((task.destination or "", message.type))
    return found


def bodies(store: Store, type_: str) -> list[dict[str, object]]:
    with store.read() as tx:
        messages = [tx.messages.get(task.message_id or "") for task in reversed(tx.tasks.list(limit=10_000))]
        return [json.loads(one.body)["data"] for one in messages if one is not None and one.type == type_]


def audience(*subscriptions: Subscription, limit: int = 0) -> Audience:
    return Audience(tuple(one.name for one in subscriptions), Routing(subscriptions, limit))


def tell(store: Store, to: Audience) -> None:
    with store.begin() as tx:
        tell_of_changes(tx, to)


def see(store: Store, to: Audience, *uses: RecordedUse) -> list[str]:
    with store.begin() as tx:
        return [record(tx, use, to).case_id or "" for use in uses]


def test_who_asks_for_nothing_gets_what_it_always_got(store: Store, use: Use) -> None:
    both = audience(Subscription("old"), Subscription("all", ("case.*",)))
    (id_, *_) = see(store, both, use(), use("https://thief.example/2", minutes=1), use("https://thief.example/3"))
    with store.begin() as tx:
        assign(tx, id_, "bob", EDIT)
        decide(tx, id_, CaseState.CONFIRMED, EDIT)
        tx.scans.end(tx.scans.start("web", NOON).id, NOON + timedelta(hours=1), "completed", ScanCounts(), None)
        for days in (1, 2):
            note_missed(tx, missed_in_scan(tx, "web", ScanCounts()), NOON + timedelta(days=days))
    see(store, both, use(minutes=9000))
    with store.begin() as tx:
        decide(tx, id_, CaseState.DISMISSED, EDIT)
    tell(store, both)
    tell(store, both)
    assert [type_ for name, type_ in told(store) if name == "old"] == ["case.opened"]
    assert [type_ for name, type_ in told(store) if name == "all"] == [
        "case.opened",
        "case.spread",
        "case.changed",
        "case.changed",
        "case.gone",
        "case.returned",
        "case.dismissed",
    ]
    assigned = bodies(store, "case.changed")[0]
    assert assigned["change"] == {
        "kind": "assigned",
        "by": "mara",
        "note": "a customer",
        "detail": "bob",
        "at": "2026-11-24T12:00:00.000Z",
    }


def test_who_asks_later_is_told_of_what_happens_later(store: Store, use: Use) -> None:
    (id_,) = see(store, audience(Subscription("old")), use())
    with store.begin() as tx:
        decide(tx, id_, CaseState.CONFIRMED, EDIT)
    tell(store, audience(Subscription("old")))
    asks = audience(Subscription("new", ("case.changed",)))
    tell(store, asks)
    assert told(store) == [("old", "case.opened")]
    with store.begin() as tx:
        assign(tx, id_, "bob", EDIT)
    tell(store, asks)
    assert told(store)[1:] == [("new", "case.changed")]


def test_a_destination_may_leave_out_what_is_usual(store: Store, use: Use) -> None:
    see(store, audience(Subscription("gone", ("case.gone",)), Subscription("old")), use())
    assert told(store) == [("old", "case.opened")]


def side_by_side(store: Store, *doing: Callable[[Transaction], object]) -> list[object]:
    """Do two things in transactions that overlap where the database lets them; return what came of each."""

    def do(what: Callable[[Transaction], object]) -> object:
        with store.begin() as tx:
            return what(tx)

    with ThreadPoolExecutor(1) as other_process:
        with store.begin() as tx:
            first = doing[0](tx)
            second = other_process.submit(do, doing[1])
            # On SQLite it waits for this transaction to end.
            wait([second], timeout=1)
        return [first, second.exception() or second.result()]


def test_two_processes_tell_one_digest(store: Store, use: Use) -> None:
    to = audience(Subscription("legal", digest=timedelta(hours=1)))
    see(store, to, use(severity=Severity.LOW))

    def tell_of_it(tx: Transaction) -> int:
        return tell_digests(tx, to, NOON + timedelta(hours=2))

    assert side_by_side(store, tell_of_it, tell_of_it) == [1, 0]
    assert told(store) == [("legal", "digest")]


def test_of_two_people_one_decides_about_a_flood(store: Store, use: Use) -> None:
    to = audience(Subscription("legal"), limit=1)
    see(store, to, use(), use("https://other.example/"))
    with store.read() as tx:
        (about,) = held_floods(tx)
    dropped, released = side_by_side(
        store,
        lambda tx: drop_flood(tx, Actor(ActorKind.PERSON, "ada", frozenset()), about, NOON),
        lambda tx: release_flood(tx, Actor(ActorKind.PERSON, "bob", frozenset()), about, NOON),
    )
    assert dropped == 1
    assert isinstance(released, UsageError)
    assert told(store).count(("legal", "case.opened")) == 1


def test_a_clock_that_was_ahead_hides_no_spread(store: Store, use: Use) -> None:
    to = audience(Subscription("all", ("case.*",)))
    see(store, to, use(), use("https://thief.example/ahead", minutes=60 * 24 * 300), use("https://thief.example/now"))
    tell(store, to)
    assert [type_ for _, type_ in told(store)].count("case.spread") == 2


def test_a_flood_is_held_said_once_and_released_or_dropped(store: Store, use: Use) -> None:
    to = audience(Subscription("legal"), limit=3)
    see(store, to, *(use(f"https://site{n}.example/", minutes=n) for n in range(6)))
    assert told(store) == [("legal", "case.opened")] * 3 + [("legal", "flood.held")]
    (said,) = bodies(store, "flood.held")
    with store.begin() as tx:
        held = tx.waiting.held()
        assert {one.key for one in held} == {said["about"]} == {tx.cases.list()[0].work_id}
        assert len(held) == 3
        tx.waiting.remove(held[0])
        assert release(tx, held[1:], NOON) == 2
        assert tx.waiting.held() == []
    assert len(told(store)) == 6
    see(store, to, use("https://later.example/", minutes=60))
    assert told(store)[-1] == ("legal", "case.opened"), "another hour"


def test_a_rule_may_flood_too(store: Store, use: Use, assets: list[object]) -> None:
    to = audience(Subscription("legal"), limit=2)
    see(store, to, *(use(f"https://s{n}.example/", asset=assets[n % 2], minutes=n) for n in range(4)))
    with store.read() as tx:
        assert [one.key for one in tx.waiting.held()] == ["rule:copies"] * 2


def test_a_message_that_waits_is_not_forgotten(store: Store, use: Use) -> None:
    see(store, audience(Subscription("legal"), limit=1), use(), use("https://b.example/"))
    with store.begin() as tx:
        (held,) = tx.waiting.held()
        tx.messages.forget_unowed(NOON + timedelta(days=900), 100)
        assert tx.messages.get(held.message_id) is not None


@pytest.mark.parametrize(
    ("every", "due"), [(timedelta(hours=1), timedelta(hours=1)), (timedelta(days=1), timedelta(hours=12))]
)
def test_what_is_of_low_severity_comes_together(store: Store, use: Use, every: timedelta, due: timedelta) -> None:
    to = audience(Subscription("legal", digest=every), Subscription("now"))
    see(
        store,
        to,
        *(use(f"https://s{n}.example/", severity=Severity.LOW) for n in range(30)),
        use("https://high.example/", severity=Severity.HIGH),
    )
    assert [type_ for name, type_ in told(store) if name == "legal"] == ["case.opened"]
    for moment, number in ((NOON + due - timedelta(minutes=1), 0), (NOON + due, 1), (NOON + 2 * due, 0)):
        with store.begin() as tx:
            assert tell_digests(tx, to, moment) == number
    assert ("legal", "digest") in told(store)
    (digest,) = bodies(store, "digest")
    assert digest["count"] == 30
    assert isinstance(digest["events"], list)
    assert len(digest["events"]) == 25
    assert digest["events"][0]["case"]["severity"] == "low"


def test_licences_that_end_are_told_of_once_each(store: Store) -> None:
    to = audience(Subscription("old"), Subscription("licences", ("licence.*",)))
    with store.begin() as tx:
        for until in (date(2026, 12, 24), date(2026, 12, 25), date(2026, 11, 23), date(2026, 1, 1), None):
            grant_licence(tx, "a.example", at=NOON, collection="shop", dates=(None, until))
        assert [tell_of_licences(tx, to, NOON + timedelta(hours=hours)) for hours in (0, 1)] == [2, 0]
    assert sorted(told(store)) == [("licences", "licence.lapsed"), ("licences", "licence.lapsing")]
    (lapsing,) = bodies(store, "licence.lapsing")
    assert isinstance(lapsing["licence"], dict)
    assert (lapsing["licence"]["days_left"], lapsing["licence"]["valid_until"]) == (30, "2026-12-24")


def test_what_a_fast_clock_told_of_a_licence_is_told_again_when_it_is_so(store: Store) -> None:
    to = audience(Subscription("licences", ("licence.*",)))
    with store.begin() as tx:
        grant_licence(tx, "a.example", at=NOON, collection="shop", dates=(None, date(2027, 2, 1)))

    def numbers_told(*days: float) -> list[int]:
        with store.begin() as tx:
            return [tell_of_licences(tx, to, NOON + timedelta(days=day)) for day in days]

    # It ends 69 days after noon. The clock is ahead, and then put right.
    assert numbers_told(45, 75, 75) == [1, 1, 0]
    assert numbers_told(0, 1, 38) == [0, 0, 0]
    assert numbers_told(45, 46, 70, 71) == [1, 0, 1, 0]
    assert sorted(told(store)) == [("licences", "licence.lapsed")] * 2 + [("licences", "licence.lapsing")] * 2


def test_a_clock_that_stays_ahead_does_not_tell_of_a_licence_again_and_again(store: Store) -> None:
    """Two machines work on one database, and the clock of one is ten days ahead."""
    to = audience(Subscription("licences", ("licence.*",)))
    with store.begin() as tx:
        grant_licence(tx, "a.example", at=NOON, collection="shop", dates=(None, date(2026, 11, 30)))
        # Clocks that differ by less than an hour are no reason to tell again.
        midnight = datetime(2026, 12, 1, tzinfo=UTC)
        moments = [NOON, *[NOON + timedelta(days=days) for days in (10, 0) * 5]]
        assert [tell_of_licences(tx, to, moment) for moment in moments] == [1, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0]

        grant_licence(tx, "b.example", at=NOON, collection="shop", dates=(None, date(2026, 11, 30)))
        near = [midnight + timedelta(minutes=minutes) for minutes in (1, -1, 1)]
        assert [tell_of_licences(tx, to, moment) for moment in near] == [1, 1, 0]
