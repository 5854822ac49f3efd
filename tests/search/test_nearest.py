"""The scan of all vectors finds exactly what sorting all products finds."""

import numpy as np

from guardian.search.nearest import nearest


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
