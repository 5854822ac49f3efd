"""Multi-index hashing against counting by hand: what it finds is right, and what is close is found."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from numpy.typing import NDArray

from guardian.matching.index import votes
from guardian.matching.index.votes import MAX_BUCKET, RADIUS, Votes

Bytes = NDArray[np.uint8]


def random_descriptors(count: int, seed: int) -> Bytes:
    return np.random.default_rng(seed).integers(0, 256, (count, 32), dtype=np.uint8)


def flipped(descriptors: Bytes, bits: int, seed: int) -> Bytes:
    """Each descriptor with so many of its 256 bits changed."""
    generator = np.random.default_rng(seed)
    changed = np.unpackbits(descriptors, axis=1)
    for row in changed:
        row[generator.choice(256, bits, replace=False)] ^= 1
    return np.packbits(changed, axis=1)


def collected(query: Bytes, known: Bytes, owners: NDArray[np.uint32]) -> Votes:
    """Votes among rows that belong to `owners`; an index holds the rows of one owner beside each other.

    Nothing of it can be written to, as in a mapped index: the kernels for arrays of that kind are compiled already.
    """
    order = np.argsort(owners, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(owners))]).astype(np.uint32)
    words = known[order].view(np.uint64).reshape(-1, 4)
    tables = votes.build_tables(known[order])
    for array in (words, starts, *(part for table in tables for part in (table.offsets, table.rows, table.tags))):
        array.flags.writeable = False
    found = votes.collect(query, tables, words, starts)
    assert np.array_equal(found.owner, owners[order][found.row])
    return replace(found, row=order[found.row].astype(np.uint32))


def counted(one: Bytes, other: Bytes) -> NDArray[np.int64]:
    """int64 [n, m]: differing bits, counted by numpy."""
    return np.asarray((np.unpackbits(one, axis=1)[:, None] != np.unpackbits(other, axis=1)[None]).sum(axis=2))


def test_tables_hold_every_row_once_for_each_key() -> None:
    known = random_descriptors(5000, 1)
    for table in votes.build_tables(known):
        assert table.bits == 9
        assert table.offsets.shape == ((1 << 9) + 1,)
        assert np.array_equal(np.sort(table.rows), np.arange(5000))
        assert (np.diff(table.offsets.astype(int)) >= 0).all()
        assert (table.offsets[0], table.offsets[-1]) == (0, 5000)
        assert len(table.tags) == 5000


def test_tables_of_parts_are_those_of_the_whole() -> None:
    known = random_descriptors(5000, 12)
    for key, table in enumerate(votes.build_tables(known)):
        again = votes.build_table(key, [known[:1], known[1:1], known[1:3000], known[3000:]])
        assert np.array_equal(table.offsets, again.offsets)
        assert np.array_equal(table.rows, again.rows)
        assert np.array_equal(table.tags, again.tags)


@pytest.mark.parametrize(("count", "bits"), [(0, 9), (1, 9), (4096, 9), (8192, 10), (100_000, 13)])
def test_keys_widen_with_the_index(count: int, bits: int) -> None:
    assert {table.bits for table in votes.build_tables(random_descriptors(count, 2))} == {bits}


def test_the_same_descriptors_are_found() -> None:
    known = random_descriptors(3000, 3)
    found = collected(known, known, np.arange(3000, dtype=np.uint32))
    same = found.distance == 0
    assert np.array_equal(found.query[same], np.arange(3000))
    assert np.array_equal(found.row[same], np.arange(3000))


@pytest.mark.parametrize(("bits", "share"), [(4, 0.995), (12, 0.95), (24, 0.75)])
def test_close_descriptors_are_found(bits: int, share: float) -> None:
    known = random_descriptors(3000, 4)
    found = collected(flipped(known, bits, 5), known, np.arange(3000, dtype=np.uint32))
    right = found.query == found.row
    assert right.sum() >= share * 3000
    assert (found.distance[right] == bits).all()


def test_far_descriptors_do_not_vote() -> None:
    known = random_descriptors(3000, 6)
    assert len(collected(flipped(known, RADIUS + 1, 7), known, np.arange(3000, dtype=np.uint32)).query) == 0


@examples(max_examples=60, deadline=None, derandomize=True)
@given(count=st.integers(1, 60), queries=st.integers(0, 30), owners=st.integers(1, 5), seed=st.integers(0, 2**32 - 1))
def test_each_vote_is_right_and_one_for_each_owner(count: int, queries: int, owners: int, seed: int) -> None:
    """Votes name close rows with their true distance, the nearest of the rows that share a key with the query."""
    generator = np.random.default_rng(seed)
    seeds = random_descriptors(4, seed)
    known = flipped(seeds[generator.integers(0, 4, count)], 6, seed)
    query = flipped(seeds[generator.integers(0, 4, queries)], 6, seed + 1)
    owner_of = generator.integers(0, owners, count).astype(np.uint32)
    found = collected(query, known, owner_of)
    table = counted(query, known)
    assert np.array_equal(table[found.query, found.row], found.distance)
    assert (found.distance <= RADIUS).all()
    pairs = list(zip(found.query.tolist(), owner_of[found.row].tolist(), strict=True))
    assert len(set(pairs)) == len(pairs)
    assert found.query.tolist() == sorted(found.query.tolist())


def test_the_nearest_row_of_an_owner_votes() -> None:
    query = random_descriptors(50, 8)
    known = np.concatenate([flipped(query, bits, bits) for bits in (9, 3, 6)])
    owners = np.tile(np.arange(50, dtype=np.uint32), 3)
    found = collected(query, known, owners)
    assert len(found.query) >= 49
    assert (found.distance == 3).mean() > 0.95
    assert (owners[found.row] == found.query).all()


def test_crowded_buckets_are_sampled() -> None:
    """Up to MAX_BUCKET all of them vote, then every second, every third; never none, never many more."""
    one = np.arange(32, dtype=np.uint8)[None]
    for count, voting in ((MAX_BUCKET, MAX_BUCKET), (MAX_BUCKET + 1, (MAX_BUCKET + 2) // 2), (1000, 1000 // 8)):
        votes = collected(one, np.repeat(one, count, axis=0), np.arange(count, dtype=np.uint32))
        assert len(votes.query) == voting


def test_more_votes_than_fit_at_first() -> None:
    """Room for votes grows as they come."""
    known = np.repeat(random_descriptors(1000, 10), 10, axis=0)
    found = collected(known[::10], known, np.arange(len(known), dtype=np.uint32))
    assert len(found.query) == 10_000
    assert (found.distance == 0).all()
    assert np.array_equal(np.sort(found.row), np.arange(10_000))


def test_nothing_among_nothing() -> None:
    nothing = np.zeros((0, 32), np.uint8)
    some = random_descriptors(5, 11)
    assert len(collected(some, nothing, np.zeros(0, np.uint32)).query) == 0
    assert len(collected(nothing, some, np.zeros(5, np.uint32)).query) == 0
