"""The queue in groups, and by how sure and how old a case is: in SQL, on each database."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from guardian.cli.acting import this_user
from guardian.model import (
    PURSUED_STATES,
    Action,
    Asset,
    Case,
    CaseFilter,
    CaseGrouping,
    CaseState,
    SavedView,
    ScanOutcome,
    ScanRequest,
)
from guardian.model.people import Role
from guardian.people.people import add_person
from guardian.store import Store
from guardian.store.operators import LEAST_RANK

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
WAITING = CaseFilter(states=PURSUED_STATES)


def opened(store: Store, asset: Asset, operator: str, rank: float, *, confidence: float = 0.9, days: int = 0) -> Case:
    with store.begin() as tx:
        case, _ = tx.cases.insert(asset.id, operator, Action.ALERT, None, NOON + timedelta(days=days))
        tx.cases.rank(replace(case, rank=rank, confidence=confidence))
        found = tx.cases.get(case.id)
    assert found is not None
    return found


def test_groups_come_by_their_most_urgent_case_and_go_on(store: Store, protect: Callable[[str], Asset]) -> None:
    one, two, three = protect("a"), protect("b"), protect("c")
    for operator, rank in (("x.example", 3.0), ("y.example", 9.0), ("z.example", 3.0)):
        opened(store, one, operator, rank)
        opened(store, two, operator, rank - 2)
    with store.begin() as tx:
        settled, _ = tx.cases.insert(three.id, "x.example", Action.ALERT, None, NOON)
        tx.cases.rank(replace(settled, rank=99.0))
        tx.cases.update(replace(settled, state=CaseState.DISMISSED))

    with store.read() as tx:
        first_two = tx.cases.groups(WAITING, CaseGrouping.OPERATOR, 2)
        groups = first_two.shown
        assert [(group.key, group.cases, group.rank) for group in groups] == [
            ("y.example", 2, 9.0),
            ("x.example", 2, 3.0),
        ]
        rest = tx.cases.groups(WAITING, CaseGrouping.OPERATOR, 2, (groups[-1].rank, groups[-1].key))
        assert [group.key for group in rest.shown] == ["z.example"]
        none_left = tx.cases.groups(WAITING, CaseGrouping.OPERATOR, 2, (-99.0, "z"))
        assert {(found.groups, found.cases) for found in (first_two, rest, none_left)} == {(3, 6)}
        nothing = tx.cases.groups(replace(WAITING, operator="nobody"), CaseGrouping.OPERATOR, 2)
        assert (nothing.shown, nothing.groups, nothing.cases) == ((), 0, 0)
        for by in CaseGrouping:
            # What a filter asks for beside states decides which index is read, and nothing else.
            filtered = tx.cases.groups(replace(WAITING, confidence=0.5, opened_from=NOON), by, 9)
            assert filtered == tx.cases.groups(WAITING, by, 9)
        first = tx.cases.foremost(WAITING, CaseGrouping.OPERATOR, ["x.example", "y.example"], 1)
        assert [(case.operator, case.rank) for case in first] == [("y.example", 9.0), ("x.example", 3.0)]

        by_work = tx.cases.groups(WAITING, CaseGrouping.WORK, 9).shown
        assert [(group.key, group.cases, group.rank) for group in by_work] == [
            (one.work_id, 3, 9.0),
            (two.work_id, 3, 7.0),
        ]
        assert tx.cases.count_matching(replace(WAITING, work_id=one.work_id)) == 3


def test_cases_are_chosen_by_how_sure_and_how_old_they_are(store: Store, protect: Callable[[str], Asset]) -> None:
    asset = protect("a")
    for number, confidence in enumerate((0.5, 0.95, 0.99)):
        opened(store, asset, f"shop{number}.example", 1.0, confidence=confidence, days=number)

    def found(**wanted: object) -> list[str]:
        with store.read() as tx:
            return sorted(case.operator[4] for case in tx.cases.queue(CaseFilter(**wanted), 9))  # type: ignore[arg-type]

    assert found(confidence=0.95) == ["1", "2"]
    assert found(opened_from=NOON + timedelta(days=1), opened_before=NOON + timedelta(days=2)) == ["1"]
    assert found(host="shop2.example") == ["2"]
    assert found(host="www.shop2.example") == [], "none of its findings is there"
    assert found(host="example") == ["0", "1", "2"]
    assert found(source="web") == []


def test_words_are_found_and_counted_in_one_look(store: Store, protect: Callable[[str], Asset]) -> None:
    asset = protect("a")
    made = [opened(store, asset, f"shop{number}.example", 3.0 if number < 3 else 1.0) for number in range(5)]
    opened(store, asset, "other.example", 2.0)
    order = [case.id for case in sorted(made, key=lambda one: (-one.rank, one.id))]
    wanted = replace(WAITING, words="SHOP")
    with store.read() as tx:
        first, total = tx.cases.queue_with_count(wanted, 2)
        rest, total_again = tx.cases.queue_with_count(wanted, 9, (first[-1].rank, first[-1].id))
        assert [case.id for case in (*first, *rest)] == order
        assert total == total_again == tx.cases.count_matching(wanted) == 5
        assert list(first) == list(tx.cases.queue(wanted, 2))


def test_a_request_is_open_until_a_later_scan_begins(store: Store) -> None:
    with store.begin() as tx:
        running = tx.scans.start("shop", NOON, "nobody")
        tx.scan_requests.add(ScanRequest("shop", NOON, "Rita"))
        tx.scan_requests.add(ScanRequest("shop", NOON, "Otto"))
    with store.read() as tx:
        assert {name: request.by for name, request in tx.scan_requests.open().items()} == {"shop": "Otto"}
    with store.begin() as tx:
        tx.scans.end(running.id, NOON, ScanOutcome.INTERRUPTED, None)
        assert tx.scan_requests.open().keys() == {"shop"}, "that scan had begun before"
        tx.scans.start("shop", NOON, "nobody")
    with store.read() as tx:
        assert tx.scan_requests.open() == {}


def test_views_are_of_one_person(store: Store) -> None:
    with store.begin() as tx:
        for name in ("Anna", "Rita"):
            add_person(tx, this_user(), name, Role.REVIEWER, "correct horse battery", NOON)
        anna, rita = (person.id for person in sorted(tx.people.all(), key=lambda one: one.name))
        tx.saved_views.save(anna, SavedView("mine", "state=all"), NOON)
        tx.saved_views.save(anna, SavedView("mine", "state=gone"), NOON)
    with store.begin() as tx:
        assert tx.saved_views.of_person(anna) == [SavedView("mine", "state=gone")]
        assert tx.saved_views.of_person(rita) == []
        assert not tx.saved_views.remove(rita, "mine")
        assert tx.saved_views.remove(anna, "mine")


def test_operators_come_by_urgency_or_by_places(store: Store, protect: Callable[[str], Asset]) -> None:
    one, two = protect("a"), protect("b")
    for operator, rank in (("x.example", 3.0), ("y.example", 9.0), ("z.example", 5.0)):
        opened(store, one, operator, rank)
    opened(store, two, "x.example", 1.0)
    with store.begin() as tx:
        settled = tx.cases.find(one.id, "y.example")
        tx.cases.update(replace(settled, state=CaseState.DISMISSED))

    with store.read() as tx:
        everyone = tx.operators.summaries()
        assert [(found.operator, found.rank) for found in everyone] == [
            ("z.example", 5.0),
            ("x.example", 3.0),
            ("y.example", LEAST_RANK),
        ]
        assert list(tx.operators.summaries(limit=2)) == list(everyone[:2])
        place = (everyone[1].rank, everyone[1].operator)
        assert list(tx.operators.summaries(limit=9, after=place)) == list(everyone[2:])
        assert list(tx.operators.summaries(limit=100_000)) == list(everyone)
        named = [one for one in everyone if one.operator == "x.example"]
        assert list(tx.operators.summaries(limit=9, words="X.example")) == named
        assert list(tx.operators.summaries(words="X.example")) == named
        assert list(tx.operators.summaries(after=place)) == list(everyone[2:])
        assert tx.operators.count("X.example") == len(named) == 1
        assert [found.cases for found in tx.operators.summaries("x.example")] == [2]
        assert tx.operators.summaries("nobody.example") == []
        assert tx.operators.most_used(2) == [], "no places are recorded"
