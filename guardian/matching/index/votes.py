"""Multi-index hashing: which assets carry descriptors close to the candidate's.

Three keys of a descriptor's bits lead to buckets; what lies there within RADIUS bits is a vote (Norouzi, Punjani and
Fleet, "Fast Search in Hamming Space with Multi-Index Hashing", CVPR 2012).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from guardian.matching.compiling import kernel
from guardian.matching.features.bits import count_bits
from guardian.matching.prefetching import prefetch

KEYS = 3
RADIUS = 40
"""Bits of 256 within which two ORB descriptors count as the same point."""

MAX_BUCKET = 128
"""Of longer buckets only so many are looked at, evenly taken: they belong to texture that is everywhere (text, grids)
and tell little, or to a picture that is in the catalogue many times, which must be found all the same."""

MATCH_RADIUS = 64
MATCH_RATIO = 0.85
MOST_MATCHES = 150

_MIN_BITS, _MAX_BITS = 9, 28
# Keys widen with the number of descriptors, so that buckets do not grow: 8 to 16 rows on average.
_BITS_BELOW = 3
_TAG_BITS = 8
# A descriptor somewhere in a large index is a wait for memory, the tags of a bucket are one together. Two close
# descriptors have tags that differ in more bits in one case of seven, strangers in six of seven.
_TAG_RADIUS = 2
# Which bits make which key and its tag: disjoint, fixed, arbitrary selections. Part of the recipe.
_SELECTED = np.random.default_rng(20).permutation(256).reshape(4, 64)[:KEYS].astype(np.int64)
_POSITIONS, _TAG_POSITIONS = _SELECTED[:, :_MAX_BITS], _SELECTED[:, _MAX_BITS : _MAX_BITS + _TAG_BITS]

_TOGETHER = 32
"""So many descriptors are looked up side by side, so that waiting for memory is done for all of them at once."""

_TAGS_AT_ONCE, _ROWS_AT_ONCE = 64, 16
"""Memory hands over 64 bytes at a time."""


@dataclass(frozen=True, slots=True)
class VoteTable:
    """Where one key's descriptors are: rows `rows[offsets[key]:offsets[key + 1]]`, with the tags of their descriptors.

    `offsets` is uint32 [2**bits + 1], `rows` uint32 [n], `tags` uint8 [n].
    """

    offsets: NDArray[np.uint32]
    rows: NDArray[np.uint32]
    tags: NDArray[np.uint8]

    @property
    def bits(self) -> int:
        """Width of a key."""
        return int(len(self.offsets) - 1).bit_length() - 1


@dataclass(frozen=True, slots=True)
class Votes:
    """n votes: `query` and `row` are indices of descriptors, `owner` that of the row's asset; int32, uint32 [n].

    `distance`: int16 [n], bits.
    """

    query: NDArray[np.int32]
    row: NDArray[np.uint32]
    owner: NDArray[np.uint32]
    distance: NDArray[np.int16]


def build_table(key: int, parts: Sequence[NDArray[np.uint8]]) -> VoteTable:
    """Build the table of one key (0 to KEYS - 1) over descriptors, uint8 [n, 32], given in parts."""
    count = sum(len(part) for part in parts)
    bits = int(np.clip(np.floor(np.log2(max(count, 2))) - _BITS_BELOW, _MIN_BITS, _MAX_BITS))
    keys, tags = np.empty(count, np.uint32), np.empty(count, np.uint8)
    begin = 0
    for part in parts:
        end = begin + len(part)
        _select(part, _POSITIONS[key, :bits], keys[begin:end])
        _select(part, _TAG_POSITIONS[key], tags[begin:end])
        begin = end
    return VoteTable(*_sorted_into_buckets(keys, tags, 1 << bits))


def build_tables(descriptors: NDArray[np.uint8]) -> tuple[VoteTable, ...]:
    """Build the tables of all keys over descriptors, uint8 [n, 32]."""
    return tuple(build_table(key, [descriptors]) for key in range(KEYS))


def collect(
    descriptors: NDArray[np.uint8],
    tables: Sequence[VoteTable],
    words: NDArray[np.uint64],
    starts: NDArray[np.uint32],
) -> Votes:
    """Collect the votes of the candidate's descriptors (uint8 [m, 32]) among rows `words` (uint64 [n, 4]).

    Row r belongs to the owner o with starts[o] <= r < starts[o + 1]. Each of the candidate's descriptors votes at most
    once for each owner, for that owner's nearest row.
    """
    keys = np.empty((KEYS, len(descriptors)), np.uint32)
    tags = np.empty((KEYS, len(descriptors)), np.uint8)
    for key, table in enumerate(tables):
        _select(descriptors, _POSITIONS[key, : table.bits], keys[key])
        _select(descriptors, _TAG_POSITIONS[key], tags[key])
    query_words = np.ascontiguousarray(descriptors).view(np.uint64).reshape(-1, 4)
    arrays = tuple((table.offsets, table.rows, table.tags) for table in tables)
    return Votes(*_collect((keys, tags, query_words), arrays, words.reshape(-1), starts))


def match(asset: NDArray[np.uint64], candidate: NDArray[np.uint64]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Match each asset descriptor (uint64 [n, 4]) with its nearest of the candidate's [m, 4], where that stands out.

    The ratio test of Lowe, "Distinctive Image Features from Scale-Invariant Keypoints" (IJCV 2004). Compares all with
    all: for single pairs only. Returns indices into both, int32, closest first.
    """
    mine, theirs, distances = _match(asset, candidate)
    order = np.argsort(distances, kind="stable")[:MOST_MATCHES]
    return mine[order], theirs[order]


@kernel
def _match(asset, candidate):  # type: ignore[no-untyped-def]
    mine = np.empty(asset.shape[0], np.int32)
    theirs, distances, count = mine.copy(), np.empty(asset.shape[0], np.int16), 0
    for i in range(asset.shape[0]):
        least, second, who = 257, 257, -1
        for j in range(candidate.shape[0]):
            distance = 0
            for word in range(4):
                distance += int(count_bits(asset[i, word] ^ candidate[j, word]))
            if distance < least:
                least, second, who = distance, least, j
            elif distance < second:
                second = distance

        if least <= MATCH_RADIUS and least < MATCH_RATIO * second:
            mine[count], theirs[count], distances[count] = i, who, least
            count += 1
    return mine[:count].copy(), theirs[:count].copy(), distances[:count].copy()


@kernel
def _select(descriptors, positions, selected):  # type: ignore[no-untyped-def]
    """Fill `selected` [n] with the bits of each descriptor that lie at `positions`."""
    for i in range(descriptors.shape[0]):
        value = np.uint32(0)
        for position in positions:
            bit = (descriptors[i, position >> 3] >> np.uint8(position & 7)) & 1
            value = (value << np.uint32(1)) | np.uint32(bit)
        selected[i] = value


@kernel
def _sorted_into_buckets(keys, tags, buckets):  # type: ignore[no-untyped-def]
    """Return offsets of the buckets, and rows and tags bucket by bucket, each bucket in the order of its rows."""
    offsets = np.zeros(buckets + 1, np.uint32)
    for key in keys:
        offsets[key + 1] += np.uint32(1)
    for bucket in range(buckets):
        offsets[bucket + 1] += offsets[bucket]

    rows, sorted_tags = np.empty(keys.shape[0], np.uint32), np.empty(keys.shape[0], np.uint8)
    filled = offsets[:-1].copy()
    for row in range(keys.shape[0]):
        at = filled[keys[row]]
        filled[keys[row]] += np.uint32(1)
        rows[at], sorted_tags[at] = row, tags[row]
    return offsets, rows, sorted_tags


@kernel
def _collect(queries, tables, words, starts):  # type: ignore[no-untyped-def]
    keys, tags, query_words = queries
    likely = np.empty(_TOGETHER * KEYS * MAX_BUCKET, np.uint32)
    bounds = np.zeros(_TOGETHER + 1, np.int64)
    size, count = 1 << 13, 0
    found, distances = np.empty((3, size), np.uint32), np.empty(size, np.int16)

    for begin in range(0, query_words.shape[0], _TOGETHER):
        end = min(begin + _TOGETHER, query_words.shape[0])
        _likely_rows(keys[:, begin:end], tags[:, begin:end], tables, likely, bounds)
        for i in range(bounds[end - begin]):
            prefetch(words, np.intp(likely[i]) * 4)

        for query in range(begin, end):
            first = count
            q0, q1 = query_words[query, 0], query_words[query, 1]
            q2, q3 = query_words[query, 2], query_words[query, 3]
            for place in range(bounds[query - begin], bounds[query - begin + 1]):
                row = likely[place]
                at = np.uint64(row) * np.uint64(4)
                distance = count_bits(q0 ^ words[at]) + count_bits(q1 ^ words[at + np.uint64(1)])
                distance += count_bits(q2 ^ words[at + np.uint64(2)]) + count_bits(q3 ^ words[at + np.uint64(3)])
                if distance > RADIUS:
                    continue

                # An owner that this descriptor voted for already keeps the nearer of the two rows.
                owner, known = _owner_of(row, starts), count
                for earlier in range(first, count):
                    if found[2, earlier] == owner:
                        known = earlier
                        break
                if known < count:
                    if distance < distances[known]:
                        found[1, known], distances[known] = row, distance
                    continue

                if count == size:
                    larger, longer = np.empty((3, 2 * size), np.uint32), np.empty(2 * size, np.int16)
                    larger[:, :size], longer[:size] = found, distances
                    found, distances, size = larger, longer, 2 * size
                found[0, count], found[1, count], found[2, count], distances[count] = query, row, owner, distance
                count += 1
    return found[0, :count].copy(), found[1, :count].copy(), found[2, :count].copy(), distances[:count].copy()


@kernel
def _likely_rows(keys, tags, tables, likely, bounds):  # type: ignore[no-untyped-def]
    """Fill `likely` with the rows of n descriptors' buckets whose tag is close; those of number i end at bounds[i + 1].

    `keys` and `tags` are [KEYS, n]. Each step asks memory for what the next one reads, for all of them together.
    """
    for k in range(KEYS):
        for key in keys[k]:
            prefetch(tables[k][0], np.intp(key))
    for k in range(KEYS):
        offsets, rows, row_tags = tables[k]
        for key in keys[k]:
            start, stop = np.int64(offsets[key]), np.int64(offsets[key + 1])
            for place in range(start, stop, _TAGS_AT_ONCE):
                prefetch(row_tags, np.intp(place))
            for place in range(start, stop, max(_ROWS_AT_ONCE, _step(start, stop))):
                prefetch(rows, np.intp(place))

    count = 0
    for i in range(keys.shape[1]):
        for k in range(KEYS):
            offsets, rows, row_tags = tables[k]
            tag, start, stop = tags[k, i], np.int64(offsets[keys[k, i]]), np.int64(offsets[keys[k, i] + 1])
            for place in range(start, stop, _step(start, stop)):
                # Written in any case and kept by counting: there is no telling which way a jump would go.
                likely[count] = rows[np.uint64(place)]
                count += count_bits(np.uint64(tag ^ row_tags[np.uint64(place)])) <= _TAG_RADIUS
        bounds[i + 1] = count


@kernel
def _step(start, stop):  # type: ignore[no-untyped-def]
    """Return how far apart the rows lie that are looked at, so that they are no more than MAX_BUCKET."""
    return 1 + (stop - start - 1) // MAX_BUCKET if stop > start else 1


@kernel
def _owner_of(row, starts):  # type: ignore[no-untyped-def]
    """Return the last owner whose rows begin at `row` or before."""
    low, high = 0, starts.shape[0] - 1
    while high - low > 1:
        middle = (low + high) >> 1
        if starts[middle] <= row:
            low = middle
        else:
            high = middle
    return low
