"""Search among short vectors: every row is looked at, and the best are kept.

A million int8 vectors of 256 numbers are 256 MB, which one core reads in some ten milliseconds. Of many rows the signs
are compared first, an eighth of that, and then the numbers of those that differ in fewest. That takes less than a graph
over them would, with nothing to build and nothing to keep whole through a crash.
"""

import numpy as np
from numpy.typing import NDArray

from guardian.matching.compiling import kernel
from guardian.matching.features.bits import count_bits
from guardian.search.aspects import SCALE

SIGNS_FROM = 1 << 15
"""Of so many rows the signs are compared first; fewer are all compared by their numbers, in half a millisecond."""

_ONE_IN, _TIMES_AS_MANY = 128, 5
"""Only the rows with the nearest signs are compared by their numbers: one in 128, and at least five for each wanted."""

_BINS = 4096
_BLOCK = 1024


def nearest(
    vectors: NDArray[np.int8],
    eligible: NDArray[np.bool_],
    queries: NDArray[np.int8],
    count: int,
    signs: NDArray[np.uint64] | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the rows with the largest cosines to any of the queries, largest first, and these cosines, float32.

    `vectors` is int8 [n, d] and `queries` int8 [q, d], rounded unit vectors; only rows that are `eligible` (bool
    [n]) are returned, at most `count`. With the `signs_of` the vectors, rows that differ in many signs are left out.

    Rounding changes the length of a vector by a hundredth, which is more than what lies between near ones; so each
    product is divided by it.
    """
    if not len(vectors) or not len(queries) or count <= 0:
        return np.empty(0, np.int64), np.empty(0, np.float32)
    if signs is not None:
        wanted = max(_TIMES_AS_MANY * count, len(vectors) // _ONE_IN)
        eligible = _with_nearest_signs(signs, eligible, signs_of(queries), wanted)

    lengths = np.maximum(np.linalg.norm(queries.astype(np.float32), axis=1), 1)
    # Only the beginning of these arrays is written, and only what is written takes memory.
    rows, cosines = np.empty(len(vectors), np.int64), np.empty(len(vectors), np.float32)
    # Of sixteen bits, for which processors have an instruction that multiplies and adds.
    collected = int(_collect(vectors, eligible, queries.astype(np.int16), lengths, count, rows, cosines))
    order = np.argsort(-cosines[:collected], kind="stable")[:count]
    return rows[order], cosines[order]


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
def _least_products(lowest, lengths, dimensions, least):  # type: ignore[no-untyped-def]
    """Write for each query, of these lengths, what a product must be for a cosine that may lie in bin `lowest`."""
    cosine = lowest / (_BINS // 2) - 1
    # Rounding has moved each number by a half at most.
    moved = 0.5 * np.sqrt(dimensions)
    length = SCALE - moved if cosine > 0 else SCALE + moved
    for query in range(lengths.shape[0]):
        least[query] = np.int32(np.floor(cosine * length * lengths[query]))


@kernel
def _collect(vectors, eligible, queries, lengths, count, rows, cosines):  # type: ignore[no-untyped-def]
    """Write eligible rows in their order, with their largest cosines, and return how many.

    Rows are left out when at least `count` earlier ones have larger cosines, by bins. `lengths` float32 [q] are those
    of the queries.
    """
    dimensions, asked = vectors.shape[1], queries.shape[0]
    products, least = np.empty(asked, np.int32), np.full(asked, -2147483647, np.int32)
    bins = np.zeros(_BINS, np.int64)
    collected, kept, lowest = 0, 0, 0
    for row in range(vectors.shape[0]):
        if not eligible[row]:
            continue
        one, may_be_near = vectors[row], False
        for query in range(asked):
            product, other = np.int32(0), queries[query]
            for place in range(dimensions):
                # Narrowed each time: numba counts in 64 bits, of which the processor does half as many at once.
                product = np.int32(product + np.int32(one[place]) * np.int32(other[place]))
            products[query] = product
            may_be_near |= product >= least[query]
        if not may_be_near:
            continue

        square = np.int32(0)
        for place in range(dimensions):
            square = np.int32(square + np.int32(one[place]) * np.int32(one[place]))
        length, best = max(np.sqrt(np.float32(square)), np.float32(1)), np.float32(-1)
        for query in range(asked):
            best = max(best, products[query] / (lengths[query] * length))
        its_bin = min(max(int((best + 1) * (_BINS // 2)), 0), _BINS - 1)
        if its_bin < lowest:
            continue
        rows[collected], cosines[collected] = row, best
        collected += 1
        bins[its_bin] += 1
        kept += 1
        if kept - bins[lowest] >= count:
            while kept - bins[lowest] >= count:
                kept -= bins[lowest]
                lowest += 1
            _least_products(lowest, lengths, dimensions, least)
    return collected
