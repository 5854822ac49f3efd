"""The scan of all vectors finds exactly what sorting all cosines finds."""

import numpy as np
from numpy.typing import NDArray

from guardian.search.aspects import rounded, unit
from guardian.search.nearest import count_distinct, nearest, signs_of


def made(seed: int, count: int, dimensions: int) -> NDArray[np.int8]:
    """Return so many rounded unit vectors."""
    return rounded(unit(np.random.default_rng(seed).normal(size=(count, dimensions))))


def cosines_of(vectors: NDArray[np.int8], queries: NDArray[np.int8]) -> NDArray[np.float32]:
    """Return the largest cosine of each vector with any of the queries."""
    return np.asarray((unit(vectors.astype(float)) @ unit(queries.astype(float)).T).max(axis=1))


def test_the_best_rows_are_those_of_sorting_everything() -> None:
    vectors, queries = made(1, 5000, 64), made(2, 2, 64)
    eligible = np.random.default_rng(3).random(5000) < 0.5

    rows, cosines = nearest(vectors, eligible, queries, 25)

    expected = cosines_of(vectors, queries)
    assert np.allclose(cosines, np.sort(expected[eligible])[::-1][:25], atol=1e-6)
    assert np.allclose(cosines, expected[rows], atol=1e-6)
    assert eligible[rows].all()


def test_fewer_rows_than_are_asked_for_and_none_at_all() -> None:
    vectors = np.full((3, 8), 45, dtype=np.int8)
    queries = vectors[:1]

    assert sorted(nearest(vectors, np.array([True, False, True]), queries, 10)[0].tolist()) == [0, 2]
    assert len(nearest(vectors, np.zeros(3, dtype=bool), queries, 10)[0]) == 0
    assert len(nearest(vectors[:0], np.zeros(0, dtype=bool), queries, 10)[0]) == 0


def test_vectors_that_rounding_made_longer_or_shorter_are_compared_by_their_direction() -> None:
    exact = unit(np.random.default_rng(4).normal(size=(20_000, 256)))
    near = unit(exact[0] + 0.3 * np.random.default_rng(5).normal(size=(200, 256)) / 16)
    exact[100:300] = near
    vectors, query = rounded(exact), rounded(exact[:1])

    rows, _ = nearest(vectors, np.ones(len(vectors), bool), query, 60)

    best = np.argsort(-(exact @ exact[0]), kind="stable")[:40]
    assert np.isin(best, rows).all()


def test_vectors_of_length_0_are_like_nothing() -> None:
    vectors = np.concatenate([np.zeros((1, 64), np.int8), made(6, 1, 64)])

    rows, cosines = nearest(vectors, np.ones(2, bool), vectors[1:], 2)

    assert (rows.tolist(), cosines.round(3).tolist()) == ([1, 0], [1, 0])


def test_rows_with_the_nearest_signs_hold_the_best() -> None:
    rng = np.random.default_rng(2)
    directions = rng.normal(size=(50, 96))
    rows_of = directions[rng.integers(0, 50, 40_000)] + 0.7 * rng.normal(size=(40_000, 96))
    vectors = rounded(unit(rows_of))
    eligible = rng.random(len(vectors)) < 0.5
    signs = signs_of(vectors)
    assert signs.shape == (2, 40_000)

    for query in vectors[:20]:
        exact, _ = nearest(vectors, eligible, query[None], 10)
        rows, cosines = nearest(vectors, eligible, query[None], 100, signs)
        assert len(np.intersect1d(rows, exact)) >= 9
        assert eligible[rows].all()
        assert np.allclose(cosines, np.sort(cosines_of(vectors[rows], query[None]))[::-1], atol=1e-6)


def test_where_few_rows_may_be_returned_their_signs_leave_none_out() -> None:
    rng = np.random.default_rng(3)
    vectors = made(3, 40_000, 64)
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
