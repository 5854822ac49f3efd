"""Exact search among short vectors: every row is looked at, and the best are kept.

A million int8 vectors of 256 numbers are 256 MB, which one core reads in some fifteen milliseconds: less than a graph
over them would need, with nothing approximate, nothing to build and nothing to keep whole through a crash.
"""

import numpy as np
from numpy.typing import NDArray

from guardian.matching.compiling import kernel

_BINS = 4096


def nearest(
    vectors: NDArray[np.int8], eligible: NDArray[np.bool_], queries: NDArray[np.int8], count: int
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Return rows of the largest inner products with any of the queries, largest first, and these products.

    `vectors` is int8 [n, d], `queries` int8 [q, d]; only rows that are `eligible` (bool [n]) are returned, at most
    `count`.
    """
    if not len(vectors) or not len(queries) or count <= 0:
        return np.empty(0, np.int64), np.empty(0, np.int32)

    products = np.empty(len(vectors), np.int32)
    bins = np.zeros(_BINS, np.int64)
    _multiply(vectors, eligible, queries, products, bins)

    # Products of unit vectors lie within 127 squared on either side, a little more after rounding.
    above = np.cumsum(bins[::-1])
    lowest = _BINS - 1 - int(np.searchsorted(above, min(count, above[-1])))
    rows = _rows_from(products, eligible, lowest)
    order = np.argsort(-products[rows], kind="stable")[:count]
    return rows[order], products[rows[order]]


@kernel
def _multiply(vectors, eligible, queries, products, bins):  # type: ignore[no-untyped-def]
    """Fill in the largest product of each row, and count eligible rows by bins of eight."""
    for row in range(vectors.shape[0]):
        best = np.int32(-2147483647)
        for query in range(queries.shape[0]):
            product = np.int32(0)
            for place in range(vectors.shape[1]):
                product += np.int32(vectors[row, place]) * np.int32(queries[query, place])
            best = max(best, product)
        products[row] = best
        if eligible[row]:
            bins[min(max((best >> 3) + 2048, 0), 4095)] += 1


@kernel
def _rows_from(products, eligible, lowest):  # type: ignore[no-untyped-def]
    """Return the eligible rows whose product falls into this bin or a higher one."""
    found = 0
    for row in range(products.shape[0]):
        if eligible[row] and min(max((products[row] >> 3) + 2048, 0), 4095) >= lowest:
            found += 1
    rows = np.empty(found, np.int64)
    found = 0
    for row in range(products.shape[0]):
        if eligible[row] and min(max((products[row] >> 3) + 2048, 0), 4095) >= lowest:
            rows[found] = row
            found += 1
    return rows
