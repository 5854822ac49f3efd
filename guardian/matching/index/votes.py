"""Multi-index hashing: which assets carry descriptors close to the candidate's.

Four keys of a descriptor's bits lead to short buckets; what lies there within RADIUS bits is a vote
(Norouzi, Punjani and Fleet, "Fast Search in Hamming Space with Multi-Index Hashing", CVPR 2012). The
key's width follows log2 of the number of descriptors, so that buckets do not grow with the index.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from guardian.matching.compiling import kernel
from guardian.matching.features.bits import count_bits

KEYS = 4
RADIUS = 40
"""Bits of 256 within which two ORB descriptors count as the same point."""

MAX_BUCKET = 64
"""Of longer buckets only so many are looked at, evenly taken: they belong to texture that is everywhere (text, grids)
and tell little, or to a picture that is in the catalogue many times, which must be found all the same."""

MATCH_RADIUS = 64
MATCH_RATIO = 0.85
MOST_MATCHES = 150

_MIN_BITS, _MAX_BITS = 12, 24
# Which bits make which key: four disjoint, fixed, arbitrary selections. Part of the recipe.
_POSITIONS = np.random.default_rng(20).permutation(256).reshape(KEYS, 64)[:, :_MAX_BITS].astype(np.int64)


@dataclass(frozen=True, slots=True)
class VoteTables:
    """Where each key's descriptors are: `rows[k, offsets[k, key]:offsets[k, key + 1]]`.

    `offsets` is uint32 [4, 2**bits + 1], `rows` uint32 [4, n].
    """

    offsets: NDArray[np.uint32]
    rows: NDArray[np.uint32]

    @property
    def bits(self) -> int:
        """Width of a key."""
        return int(self.offsets.shape[1] - 1).bit_length() - 1


@dataclass(frozen=True, slots=True)
class Votes:
    """n votes: `query` and `row` are int32 [n] indices of descriptors, `distance` int16 [n] bits."""

    query: NDArray[np.int32]
    row: NDArray[np.int32]
    distance: NDArray[np.int16]


def build_tables(descriptors: NDArray[np.uint8]) -> VoteTables:
    """Build tables over descriptors, uint8 [n, 32]."""
    count = len(descriptors)
    bits = int(np.clip(np.floor(np.log2(max(count, 2))), _MIN_BITS, _MAX_BITS))
    offsets, rows = [], []
    for key in range(KEYS):
        keys = _keys(descriptors, _POSITIONS[key, :bits])
        counts = np.bincount(keys, minlength=1 << bits)
        offsets.append(np.concatenate([[0], np.cumsum(counts)]).astype(np.uint32))
        rows.append(np.argsort(keys, kind="stable").astype(np.uint32))
    return VoteTables(np.stack(offsets), np.stack(rows))


def collect(
    descriptors: NDArray[np.uint8], tables: VoteTables, words: NDArray[np.uint64], owners: NDArray[np.uint32]
) -> Votes:
    """Collect the votes of the candidate's descriptors (uint8 [m, 32]) among rows `words` (uint64 [n, 4]).

    Each of the candidate's descriptors votes at most once for each owner, for that owner's nearest row.
    """
    bits = tables.bits
    keys = np.stack([_keys(descriptors, _POSITIONS[key, :bits]) for key in range(KEYS)])
    query_words = np.ascontiguousarray(descriptors).view(np.uint64).reshape(-1, KEYS)
    return Votes(*_collect(keys, query_words, tables.offsets, tables.rows, words, owners))


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
def _keys(descriptors, positions):  # type: ignore[no-untyped-def]
    keys = np.empty(descriptors.shape[0], np.uint32)
    for i in range(descriptors.shape[0]):
        key = np.uint32(0)
        for position in positions:
            bit = (descriptors[i, position >> 3] >> np.uint8(position & 7)) & 1
            key = (key << np.uint32(1)) | np.uint32(bit)
        keys[i] = key
    return keys


@kernel
def _collect(keys, query_words, offsets, rows, words, owners):  # type: ignore[no-untyped-def]
    size, count = 1 << 14, 0
    found = np.empty((2, size), np.int32)
    distances = np.empty(size, np.int16)
    for i in range(query_words.shape[0]):
        first = count
        for k in range(keys.shape[0]):
            start, stop = offsets[k, keys[k, i]], offsets[k, keys[k, i] + 1]
            step = 1 + (stop - start - 1) // MAX_BUCKET if stop > start else 1
            for p in range(start, stop, step):
                row = rows[k, p]
                distance = np.uint64(0)
                for w in range(4):
                    distance += count_bits(query_words[i, w] ^ words[row, w])
                if distance > RADIUS:
                    continue

                # An owner that this descriptor voted for already keeps the nearer of the two rows.
                at = count
                for earlier in range(first, count):
                    if owners[found[1, earlier]] == owners[row]:
                        at = earlier
                        break
                if at < count:
                    if distance < distances[at]:
                        found[1, at], distances[at] = row, distance
                    continue

                if count == size:
                    larger = np.empty((2, 2 * size), np.int32)
                    larger[:, :size] = found
                    longer = np.empty(2 * size, np.int16)
                    longer[:size] = distances
                    found, distances, size = larger, longer, 2 * size
                found[0, count], found[1, count], distances[count] = i, row, distance
                count += 1
    return found[0, :count].copy(), found[1, :count].copy(), distances[:count].copy()
