"""Search among short vectors: every row is looked at, and the best are kept.

A million int8 vectors of 256 numbers are 256 MB, which one core reads in some ten milliseconds. Of many rows the signs
are compared first, an eighth of that, and then the numbers of those that differ in fewest. That takes less than a graph
over them would, with nothing to build and nothing to keep whole through a crash.
"""

import numpy as np
from numpy.typing import NDArray

from guardian.matching.compiling import kernel
from guardian.matching.features.bits import count_bits

SIGNS_FROM = 1 << 15
"""Of so many rows the signs are compared first; fewer are all compared by their numbers, in half a millisecond."""

_ONE_IN = 64
"""Of as many rows one is compared by its numbers, those with the nearest signs."""

_BINS = 4096
_BLOCK = 1024


def nearest(
    vectors: NDArray[np.int8],
    eligible: NDArray[np.bool_],
    queries: NDArray[np.int8],
    count: int,
    signs: NDArray[np.uint64] | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Return rows of the largest inner products with any of the queries, largest first, and these products.

    `vectors` is int8 [n, d], `queries` int8 [q, d]; only rows that are `eligible` (bool [n]) are returned, at most
    `count`. Exact without `signs`; with the `signs_of` the vectors, rows that differ in many signs are left out.
    """
    if not len(vectors) or not len(queries) or count <= 0:
        return np.empty(0, np.int64), np.empty(0, np.int32)
    if signs is not None:
        wanted = max(count, len(vectors) // _ONE_IN)
        eligible = _with_nearest_signs(signs, eligible, signs_of(queries), wanted)

    # Of these only the beginning is written, and takes memory.
    rows, products = np.empty(len(vectors), np.int64), np.empty(len(vectors), np.int32)
    # Of sixteen bits, for which processors have an instruction that multiplies and adds.
    collected = int(_collect(vectors, eligible, queries.astype(np.int16), count, rows, products))
    order = np.argsort(-products[:collected], kind="stable")[:count]
    return rows[order], products[order]


def signs_of(vectors: NDArray[np.int8]) -> NDArray[np.uint64]:
    """Return a bit for each number of vectors, int8 [n, d], that is set where it is above 0: uint64 [d / 64, n].

    Word by word, so that the compiler compares several rows at once.
    """
    words = -(-vectors.shape[1] // 64)
    signs = np.zeros((words, len(vectors)), dtype=np.uint64)
    for start in range(0, len(vectors), _BLOCK):
        some = vectors[start : start + _BLOCK]
        packed = np.zeros((len(some), 8 * words), dtype=np.uint8)
        bits = np.packbits(some > 0, axis=1)
        packed[:, : bits.shape[1]] = bits
        signs[:, start : start + _BLOCK] = packed.view(np.uint64).T
    return signs


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
def _with_nearest_signs(signs, eligible, queries, wanted):  # type: ignore[no-untyped-def]
    """Return the eligible rows, bool [n], that differ in fewest signs from one of the queries.

    They are as many as `wanted`, and those that differ in no more than the last of these.
    """
    words, rows = signs.shape
    differences, counts = np.empty(rows, np.uint16), np.zeros(64 * words + 1, np.int64)
    least, sums = np.empty(_BLOCK, np.uint64), np.empty(_BLOCK, np.uint64)
    for begin in range(0, rows, _BLOCK):
        size = min(_BLOCK, rows - begin)
        least[:] = 64 * words
        for query in range(queries.shape[1]):
            sums[:] = 0
            for word in range(words):
                here, asked = signs[word, begin : begin + size], queries[word, query]
                for row in range(size):
                    sums[row] += count_bits(here[row] ^ asked)
            for row in range(size):
                least[row] = min(least[row], sums[row])
        for row in range(size):
            differences[begin + row] = least[row]
            counts[least[row]] += eligible[begin + row]

    most, within = 0, counts[0]
    while within < wanted and most < 64 * words:
        most += 1
        within += counts[most]

    kept = np.empty(rows, np.bool_)
    for row in range(rows):
        kept[row] = eligible[row] and differences[row] <= most
    return kept


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
