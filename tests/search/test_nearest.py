"""The scan of all vectors finds exactly what sorting all products finds."""

import numpy as np

from guardian.search.nearest import count_distinct, nearest, signs_of


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


def test_rows_with_the_nearest_signs_hold_the_best() -> None:
    rng = np.random.default_rng(2)
    directions = rng.normal(size=(50, 96))
    rows_of = directions[rng.integers(0, 50, 40_000)] + 0.7 * rng.normal(size=(40_000, 96))
    vectors = np.round(127 * rows_of / np.linalg.norm(rows_of, axis=1, keepdims=True)).astype(np.int8)
    eligible = rng.random(len(vectors)) < 0.5
    signs = signs_of(vectors)
    assert signs.shape == (2, 40_000)

    for query in vectors[:20]:
        exact, _ = nearest(vectors, eligible, query[None], 10)
        rows, products = nearest(vectors, eligible, query[None], 10, signs)
        assert len(np.intersect1d(rows, exact)) >= 9
        assert eligible[rows].all()
        assert products.tolist() == sorted((vectors[rows].astype(int) @ query.astype(int)).tolist(), reverse=True)


def test_where_few_rows_may_be_returned_their_signs_leave_none_out() -> None:
    rng = np.random.default_rng(3)
    vectors = rng.integers(-40, 40, (40_000, 64), dtype=np.int8)
    eligible = np.zeros(len(vectors), dtype=bool)
    eligible[rng.choice(len(vectors), 500, replace=False)] = True

    exact = nearest(vectors, eligible, vectors[:2], 400)
    assert all(
        np.array_equal(*pair)
        for pair in zip(nearest(vectors, eligible, vectors[:2], 400, signs_of(vectors)), exact, strict=True)
    )


def test_pictures_are_counted_once_in_order_or_not() -> None:
    eligible = np.array([True, True, True, False, True])

    assert count_distinct(np.array([3, 3, 5, 6, 7]), eligible) == 3
    assert count_distinct(np.array([7, 3, 3, 5, 3]), eligible) == 2
    assert count_distinct(np.array([-4, 9, 9, 9, 9]), ~eligible) == 1
    assert count_distinct(np.zeros(0, np.int64), np.zeros(0, bool)) == 0
