"""A host's requests of one day, counted for all processes together."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

from guardian.store import Store

TODAY = date(2026, 11, 27)


def take(store: Store, host: str, day: date, number: int, most: int) -> int:
    with store.begin() as tx:
        return tx.requests.take(host, day, number, most)


def test_no_more_is_granted_than_the_day_has(store: Store) -> None:
    assert [take(store, "a.example", TODAY, 4, 10) for _ in range(4)] == [4, 4, 2, 0]
    assert take(store, "b.example", TODAY, 4, 10) == 4


def test_another_process_sees_what_was_taken(store: Store, database: str) -> None:
    take(store, "a.example", TODAY, 4, 10)
    other = Store(database)
    assert take(other, "a.example", TODAY, 10, 10) == 6
    other.close()


def test_at_once_they_get_no_more_than_in_turn(store: Store) -> None:
    with ThreadPoolExecutor(4) as pool:
        granted = list(pool.map(lambda _: take(store, "a.example", TODAY, 3, 50), range(40)))
    assert sum(granted) == 50


def test_the_next_day_begins_anew_and_forgets_the_last(store: Store) -> None:
    take(store, "a.example", TODAY, 10, 10)
    assert take(store, "a.example", TODAY + timedelta(days=1), 10, 10) == 10
    assert take(store, "a.example", TODAY, 10, 10) == 10, "forgotten"


def test_a_smaller_budget_than_was_taken_grants_nothing(store: Store) -> None:
    take(store, "a.example", TODAY, 10, 10)
    assert take(store, "a.example", TODAY, 1, 5) == 0
