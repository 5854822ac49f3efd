"""Exact search among short vectors: every row is looked at, and the best are kept.

A million int8 vectors of 256 numbers are 256 MB, which one core reads in some ten milliseconds: less than a graph over
them would need, with nothing approximate, nothing to build and nothing to keep whole through a crash.
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
    # Of sixteen bits, for which processors have an instruction that multiplies and adds.
    _multiply(vectors, eligible, queries.astype(np.int16), products, bins)

    # Products of unit vectors lie within 127 squared on either side, a little more after rounding.
    above = np.cumsum(bins[::-1])
    lowest = _BINS - 1 - int(np.searchsorted(above, min(count, above[-1])))
    rows = _rows_from(products, eligible, lowest)
    order = np.argsort(-products[rows], kind="stable")[:count]
    return rows[order], products[rows[order]]


def count_distinct(numbers: NDArray[np.int64], eligible: NDArray[np.bool_]) -> int:
    """Return how many different numbers, int64 [n], are eligible, bool [n]: quickly where they are in order."""
    count = int(_count_in_order(numbers, eligible))
    return count if count >= 0 else int(_count_in_order(np.sort(numbers[eligible]), np.ones(eligible.sum(), bool)))


@kernel
def _count_in_order(numbers, eligible):  # type: ignore[no-untyped-def]
    """Return how many eligible numbers there are, or -1 where they are not in order."""
    count, last = 0, np.int64(0)
    for row in range(numbers.shape[0]):
        if eligible[row]:
            if count and numbers[row] < last:
                return -1
            if not count or numbers[row] != last:
                count += 1
            last = numbers[row]
    return count


@kernel
def _multiply(vectors, eligible, queries, products, bins):  # type: ignore[no-untyped-def]
    """Fill in the largest product of each row, and count eligible rows by bins of eight."""
    for row in range(vectors.shape[0]):
        best, one = np.int32(-2147483647), vectors[row]
        for query in range(queries.shape[0]):
            product, other = np.int32(0), queries[query]
            for place in range(one.shape[0]):
                # Narrowed each time: numba counts in 64 bits, of which the processor does half as many at once.
                product = np.int32(product + np.int32(one[place]) * np.int32(other[place]))
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
