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

    # Of these only the beginning is written, and takes memory.
    rows, products = np.empty(len(vectors), np.int64), np.empty(len(vectors), np.int32)
    # Of sixteen bits, for which processors have an instruction that multiplies and adds.
    collected = int(_collect(vectors, eligible, queries.astype(np.int16), count, rows, products))
    order = np.argsort(-products[:collected], kind="stable")[:count]
    return rows[order], products[order]


def count_distinct(numbers: NDArray[np.int64], eligible: NDArray[np.bool_]) -> int:
    """Return how many different numbers, int64 [n], are eligible, bool [n]: quickly where they are in order."""
    count = int(_count_in_order(numbers, eligible))
    return count if count >= 0 else int(_count_in_order(np.sort(numbers[eligible]), np.ones(eligible.sum(), bool)))


@kernel
def _count_in_order(numbers, eligible):  # type: ignore[no-untyped-def]
    """Return how many eligible numbers there are, or -1 where they are not in order."""
    count, last = 0, np.iinfo(np.int64).min
    for row in range(numbers.shape[0]):
        if eligible[row]:
            if numbers[row] < last:
                return -1
            count += numbers[row] != last
            last = numbers[row]
    return count


@kernel
def _bin_of(product):  # type: ignore[no-untyped-def]
    """Return the bin of a product: those of unit vectors lie within 127 squared, a little more after rounding."""
    return min(max((product >> 3) + _BINS // 2, 0), _BINS - 1)


@kernel
def _collect(vectors, eligible, queries, count, rows, products):  # type: ignore[no-untyped-def]
    """Write eligible rows in their order, with their largest products, and return how many.

    Rows are left out when at least `count` earlier ones have larger products, by bins of eight.
    """
    bins = np.zeros(_BINS, np.int64)
    collected, kept, lowest = 0, 0, 0
    for row in range(vectors.shape[0]):
        if not eligible[row]:
            continue
        best, one = np.int32(-2147483647), vectors[row]
        for query in range(queries.shape[0]):
            product, other = np.int32(0), queries[query]
            for place in range(one.shape[0]):
                # Narrowed each time: numba counts in 64 bits, of which the processor does half as many at once.
                product = np.int32(product + np.int32(one[place]) * np.int32(other[place]))
            best = max(best, product)

        its_bin = _bin_of(best)
        if its_bin < lowest:
            continue
        rows[collected], products[collected] = row, best
        collected += 1
        bins[its_bin] += 1
        kept += 1
        while kept - bins[lowest] >= count:
            kept -= bins[lowest]
            lowest += 1
    return collected
