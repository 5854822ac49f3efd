"""The scan of all vectors finds exactly what sorting all products finds."""

import numpy as np

from guardian.search.nearest import count_distinct, nearest


def test_the_best_rows_are_those_of_sorting_everything() -> None:
    rng = np.random.default_rng(1)
    vectors = rng.integers(-40, 40, (5000, 64), dtype=np.int8)
    queries = rng.integers(-40, 40, (2, 64), dtype=np.int8)
    eligible = rng.random(5000) < 0.5

    rows, products = nearest(vectors, eligible, queries, 25)

    expected = (vectors.astype(int) @ queries.T.astype(int)).max(axis=1)
    expected[~eligible] = -(10**9)
    assert products.tolist() == sorted(expected.tolist(), reverse=True)[:25]
    assert expected[rows].tolist() == products.tolist()
    assert eligible[rows].all()


def test_fewer_rows_than_are_asked_for_and_none_at_all() -> None:
    vectors = np.full((3, 8), 10, dtype=np.int8)
    queries = vectors[:1]

    assert sorted(nearest(vectors, np.array([True, False, True]), queries, 10)[0].tolist()) == [0, 2]
    assert len(nearest(vectors, np.zeros(3, dtype=bool), queries, 10)[0]) == 0
    assert len(nearest(vectors[:0], np.zeros(0, dtype=bool), queries, 10)[0]) == 0


def test_the_largest_products_of_int8_are_not_cut_off() -> None:
    vectors = np.array([[-128] * 256, [127] * 256], dtype=np.int8)

    rows, products = nearest(vectors, np.ones(2, dtype=bool), vectors[:1], 2)

    assert (rows.tolist(), products.tolist()) == ([0, 1], [256 * 128 * 128, -256 * 128 * 127])


def test_pictures_are_counted_once_in_order_or_not() -> None:
    eligible = np.array([True, True, True, False, True])

    assert count_distinct(np.array([3, 3, 5, 6, 7]), eligible) == 3
    assert count_distinct(np.array([7, 3, 3, 5, 3]), eligible) == 2
    assert count_distinct(np.array([-4, 9, 9, 9, 9]), ~eligible) == 1
    assert count_distinct(np.zeros(0, np.int64), np.zeros(0, bool)) == 0
