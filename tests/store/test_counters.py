"""Numbers that all processes share."""

from guardian.store import Store


def test_numbers_grow_by_one_for_each_name(store: Store) -> None:
    with store.begin() as tx:
        assert [tx.counters.next("one"), tx.counters.next("one"), tx.counters.next("other")] == [1, 2, 1]
    with store.begin() as tx:
        assert tx.counters.next("one") == 3


def test_putting_tells_whether_it_changed_anything(store: Store) -> None:
    with store.begin() as tx:
        assert [tx.counters.put("day", value) for value in (7, 7, 8, 7)] == [True, False, True, True]


def test_several_numbers_are_taken_at_once(store: Store) -> None:
    with store.begin() as tx:
        assert [tx.counters.take("one", 3), tx.counters.next("one"), tx.counters.take("one", 2)] == [1, 4, 5]
