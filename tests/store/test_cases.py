"""Cases as rows."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy.exc import DBAPIError

from guardian.model import Action, Asset, CaseEvent, CaseState, Severity
from guardian.store import Store

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def test_case_is_opened_once_and_updated(store: Store, protect: Callable[[str], Asset]) -> None:
    asset = protect("a")
    with store.begin() as tx:
        case, is_new = tx.cases.insert(asset.id, "thief.example", Action.REVIEW, Severity.LOW, NOON)
        again, is_new_again = tx.cases.insert(asset.id, "thief.example", Action.ALERT, Severity.HIGH, NOON)
        assert (is_new, is_new_again, again) == (True, False, case)
        later = NOON + timedelta(days=1)
        changed = replace(
            case, state=CaseState.CONFIRMED, severity=None, updated_at=later, alerted_at=NOON, message_count=2
        )
        assert tx.cases.update(changed) == changed
        assert tx.cases.find(asset.id, "thief.example") == changed
        assert tx.cases.find(asset.id, "other.example") is None
    with store.read() as tx:
        assert tx.cases.list(state=CaseState.OPEN) == []
        assert (tx.cases.count(CaseState.OPEN), tx.cases.count(CaseState.CONFIRMED)) == (0, 1)
        assert tx.cases.list(asset_id=asset.id, limit=1) == [changed]


def test_two_transactions_that_open_the_same_case_agree(store: Store, protect: Callable[[str], Asset]) -> None:
    asset = protect("a")
    results: list[bool] = []
    start = threading.Barrier(4)

    def work() -> None:
        start.wait()
        with store.begin() as tx:
            case, is_new = tx.cases.insert(asset.id, "thief.example", Action.ALERT, None, NOON)
            results.append(is_new)
            tx.cases.update(replace(case, message_count=case.message_count + 1))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.read() as tx:
        (case,) = tx.cases.list()
    assert sorted(results) == [False, False, False, True]
    assert case.message_count == 4


def test_those_who_lock_the_same_cases_in_other_orders_never_wait_for_each_other(
    store: Store, protect: Callable[[str], Asset]
) -> None:
    """Without `lock_all` PostgreSQL would end all of these transactions but one."""
    assets = [protect(digit) for digit in "0123456789"]
    with store.begin() as tx:
        ids = [tx.cases.insert(one.id, "thief.example", Action.ALERT, None, NOON)[0].id for one in assets]
    failed: list[DBAPIError] = []
    start = threading.Barrier(4)

    def work(order: list[str]) -> None:
        start.wait()
        try:
            for _ in range(5):
                with store.begin() as tx:
                    tx.cases.lock_all(order)
                    for id_ in order:
                        case = tx.cases.lock(id_)
                        assert case is not None
                        tx.cases.update(replace(case, message_count=case.message_count + 1))
        except DBAPIError as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(order,)) for order in (ids, ids[::-1], ids[5:] + ids[:5], ids[::2])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    with store.read() as tx:
        assert sum(case.message_count for case in tx.cases.list()) == 5 * (10 + 10 + 10 + 5)
        tx.cases.lock_all([])


def test_history_is_kept_in_order(store: Store, protect: Callable[[str], Asset]) -> None:
    asset = protect("a")
    with store.begin() as tx:
        case, _ = tx.cases.insert(asset.id, "thief.example", Action.ALERT, None, NOON)
        events = [
            CaseEvent(case.id, NOON, "opened", message_id="msg_1"),
            CaseEvent(case.id, NOON - timedelta(days=1), "dismissed", by="mara", note="ours ✓"),
        ]
        for event in events:
            tx.case_history.note(event)
        assert tx.case_history.of(case.id) == events
        assert tx.case_history.of("case_none") == []


def test_case_is_found_by_the_beginning_of_its_id(store: Store, protect: Callable[[str], Asset]) -> None:
    asset = protect("a")
    with store.begin() as tx:
        opened = [tx.cases.insert(asset.id, f"{name}.example", Action.ALERT, None, NOON)[0] for name in "abc"]
        assert tx.cases.starting_with(opened[0].id[:12]) == [opened[0]]
        assert {case.id for case in tx.cases.starting_with("case_")} == {case.id for case in opened}
        assert tx.cases.starting_with("case%") == []
