"""Fingerprints go into segments and out of them again, whatever is interrupted, full or damaged."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from guardian.matching.features.image import Picture
from guardian.matching.features.small import MOST_BYTES, small_fingerprint
from guardian.matching.index import segments
from guardian.memory.pruning import forget_all, forget_host, prune
from guardian.memory.reading import MemoryReader
from guardian.memory.remembering import Memory
from guardian.memory.settings import MemorySettings
from guardian.store import Store
from tests.disks import read_only
from tests.memory.made import NOW, met, picture

RECIPE = "s1-none"


@pytest.fixture
def memory(store: Store, tmp_path: Path) -> Memory:
    return Memory(store, tmp_path / "memory", RECIPE, MemorySettings())


@pytest.fixture
def opened(memory: Memory, tmp_path: Path) -> Iterator[MemoryReader]:
    return MemoryReader(tmp_path / "memory", RECIPE)


def remember(store: Store, memory: Memory, *seeds: int, **facts: object) -> None:
    memory.remember(store, [met(seed, **facts) for seed in seeds])  # type: ignore[arg-type]


def numbers(reader: MemoryReader) -> list[int]:
    reader.refresh()
    return sorted(int(number) for segment in reader.segments for number in segment.numbers[segment.alive])


def test_what_was_met_waits_in_the_database_and_then_lies_in_a_segment(
    store: Store, memory: Memory, opened: MemoryReader
) -> None:
    remember(store, memory, 1, 2, 3)
    assert numbers(opened) == []
    memory.write_waiting()
    assert numbers(opened) == [1, 2, 3]
    segment = opened.segments[0]
    assert segment.fingerprint(1).packed()[28:] != b""
    assert segment.preview(0)[:2] == b"\xff\xd8"
    with store.read() as tx:
        facts = tx.seen.pictures([1, 2, 3])
        assert [facts[number].sha256 for number in (1, 2, 3)] == [f"{seed:064x}" for seed in (1, 2, 3)]
        assert tx.fingerprints.pending(memory.shard, 10) == {}
        (address,) = tx.seen.addresses([facts[1].id])[facts[1].id]
    assert (address.host, address.context.alt) == ("shop.example", "picture 1")


def test_a_fingerprint_takes_no_more_than_it_may(store: Store, memory: Memory, opened: MemoryReader) -> None:
    remember(store, memory, *range(1, 9))
    memory.write_waiting()
    opened.refresh()
    (segment,) = opened.segments
    arrays = {name: array for name, array in segment.arrays().items() if name != "previews"}
    assert len(segment) == 8
    # A segment of a few pictures has the shortest vote tables: 512 keys for each of three.
    tables = sum(arrays.pop(f"offsets{key}").nbytes for key in range(3))
    assert tables == 3 * 513 * 4
    most_of_tables = 2 * len(arrays["descriptors"])
    assert (sum(array.nbytes for array in arrays.values()) + most_of_tables) / len(segment) <= MOST_BYTES


def test_the_same_picture_saved_again_is_joined_and_another_is_not(
    store: Store, memory: Memory, opened: MemoryReader
) -> None:
    original = picture(1)
    noise = np.random.default_rng(5).integers(-3, 4, original.rgb.shape)
    again = Picture(np.clip(original.rgb + noise, 0, 255).astype(np.uint8), 320, 240, "JPEG")
    captioned = original.rgb.copy()
    captioned[200:230, 60:260] = 255
    other = Picture(captioned, 320, 240, "JPEG")
    remember(store, memory, 1)
    memory.remember(store, [met(2, fingerprint=small_fingerprint(again)), met(3, fingerprint=small_fingerprint(other))])
    memory.write_waiting()
    with store.read() as tx:
        first, second, third = (tx.seen.get(f"{seed:064x}") for seed in (1, 2, 3))
        assert first is not None
        assert second is not None
        assert third is not None
        assert (second.same_as, third.same_as) == (first.id, None)
        assert {one.page_url for one in tx.seen.addresses([first.id])[first.id]} == {
            "https://shop.example/page-1",
            "https://shop.example/page-2",
        }
    assert numbers(opened) == [1, 3]


def test_a_picture_made_anew_is_not_joined_to_itself(store: Store, memory: Memory, opened: MemoryReader) -> None:
    remember(store, memory, 1)
    memory.write_waiting()
    with store.begin() as tx:
        assert tx.fingerprints.remake(1, small_fingerprint(picture(1)).packed(), RECIPE, memory.shard)
    memory.write_waiting()
    memory.writer.tidy()
    with store.read() as tx:
        found = tx.seen.get(f"{1:064x}")
    assert found is not None
    assert (found.same_as, found.number) == (None, 2)
    assert numbers(opened) == [2]


def test_killed_between_segment_and_database_it_goes_on_without_a_second_row(
    store: Store, memory: Memory, opened: MemoryReader
) -> None:
    remember(store, memory, 1, 2)
    with store.read() as tx:
        waiting = tx.fingerprints.pending(memory.shard, 10)
    memory.write_waiting()
    with store.begin() as tx:
        # As a process leaves it that was killed before the database heard of the segment.
        for number, (_, content) in waiting.items():
            tx.fingerprints._write(number, pending=content)
    memory.write_waiting()
    assert numbers(opened) == [1, 2]
    with store.read() as tx:
        assert tx.fingerprints.count_pending(memory.shard) == 0


def test_what_was_read_is_not_read_again_when_others_are_forgotten(
    store: Store, memory: Memory, opened: MemoryReader
) -> None:
    for seed in range(1, 8):
        remember(store, memory, seed, days_ago=seed)
    memory.write_waiting()
    assert numbers(opened) == list(range(1, 8))
    (before,) = opened.segments
    hashes = before.hashes
    # One of seven: too few for the segment to be written anew.
    with store.begin() as tx:
        tx.forgetting.forget_oldest(memory.shard, 1, 1)
    memory.writer.tidy()
    assert numbers(opened) == list(range(1, 7))
    (after,) = opened.segments
    assert after.hashes is hashes, "its checksums were compared already"
    assert len(before.indexed.alive) == len(after.indexed.alive) == 7
    assert (before.indexed.alive.sum(), after.indexed.alive.sum()) == (7, 6)


def test_many_small_segments_become_few_and_nothing_is_lost(store: Store, memory: Memory, opened: MemoryReader) -> None:
    for seed in range(1, 6):
        remember(store, memory, seed)
        memory.write_waiting()
    assert numbers(opened) == list(range(1, 6))
    assert len(opened.segments) == 2
    kept = opened.row_of(3)
    assert kept is not None
    segment, row = kept
    expected = small_fingerprint(picture(3))
    found = segment.fingerprint(row)
    assert np.array_equal(found.hash, expected.hash)
    assert found.preview == expected.preview
    assert np.array_equal(found.points.descriptors, expected.points.descriptors)


def test_a_forgotten_host_is_gone_from_every_byte(
    store: Store, memory: Memory, opened: MemoryReader, tmp_path: Path
) -> None:
    remember(store, memory, 1, host="shop.example")
    remember(store, memory, 1, 2, host="www.gone.example")
    memory.write_waiting()
    with store.read() as tx:
        assert tx.forgetting.count_on("gone.example") == (2, 1)
    preview = small_fingerprint(picture(2)).preview
    everything = lambda: b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())  # noqa: E731
    assert preview in everything()
    forgotten = forget_host(store, memory, "gone.example", NOW)
    assert (forgotten.addresses, forgotten.pictures) == (2, 1)
    assert numbers(opened) == [1]
    assert preview not in everything()
    if store.url.get_backend_name() == "sqlite":
        assert b"gone.example/page-2" not in everything()

    # It asked to be forgotten: the next scan does not remember it again, until somebody allows it.
    remember(store, memory, 2, host="gone.example")
    with store.begin() as tx:
        assert tx.seen.get(f"{2:064x}") is None
        assert tx.memory_settings.allow("gone.example")
    remember(store, memory, 2, host="gone.example")
    with store.read() as tx:
        assert tx.seen.get(f"{2:064x}") is not None


def test_a_forgotten_host_is_gone_from_segments_of_an_earlier_recipe_and_of_other_machines(
    store: Store, tmp_path: Path
) -> None:
    earlier = Memory(store, tmp_path / "memory", "s0-none", MemorySettings())
    now = Memory(store, tmp_path / "memory", RECIPE, MemorySettings())
    other = Memory(store, tmp_path / "other", RECIPE, MemorySettings())
    remember(store, earlier, 1, host="gone.example")
    earlier.write_waiting()
    # One of seven: so few that pruning alone would leave the segment as it is.
    remember(store, other, 2, host="gone.example")
    remember(store, other, *range(3, 9))
    other.write_waiting()
    previews = {seed: small_fingerprint(picture(seed)).preview for seed in (1, 2, 3, 9)}

    def kept(folder: str) -> list[int]:
        content = b"".join(path.read_bytes() for path in (tmp_path / folder).rglob("*.npy"))
        return [seed for seed, preview in previews.items() if preview in content]

    assert (kept("memory"), kept("other")) == ([1], [2, 3])
    assert forget_host(store, now, "gone.example", NOW).pictures == 2
    assert (kept("memory"), kept("other")) == ([], [2, 3])
    prune(store, other, NOW)
    assert kept("other") == [3]

    earlier_of_other = Memory(store, tmp_path / "other", "s0-none", MemorySettings())
    remember(store, earlier_of_other, 9)
    earlier_of_other.write_waiting()
    assert kept("other") == [3, 9]
    forget_all(store, now)
    prune(store, other, NOW)
    assert kept("other") == []


def test_what_is_old_or_too_much_is_forgotten_the_longest_unseen_first(
    store: Store, tmp_path: Path, opened: MemoryReader
) -> None:
    memory = Memory(store, tmp_path / "memory", RECIPE, MemorySettings(max_bytes=150_000, keep=timedelta(days=30)))
    for seed in range(1, 11):
        remember(store, memory, seed, days_ago=40 - 2 * seed)
    memory.write_waiting()
    # Seeds 1 to 4 were last seen 32 days ago or earlier.
    assert prune(store, memory, NOW) == 4
    assert numbers(opened) == list(range(5, 11))
    # Seen again since then, the oldest stays; of the others the longest unseen go until the rest has room.
    remember(store, memory, 5)
    with store.read() as tx:
        size = tx.fingerprints.bytes_of_shard(memory.shard)
    small = Memory(store, tmp_path / "memory", RECIPE, MemorySettings(max_bytes=size - 1))
    assert prune(store, small, NOW) >= 1
    assert 5 in numbers(opened)
    assert 6 not in numbers(opened)


def test_a_flipped_byte_costs_its_segment_and_no_other(
    store: Store, memory: Memory, opened: MemoryReader, tmp_path: Path
) -> None:
    remember(store, memory, 1)
    memory.write_waiting()
    remember(store, memory, 2)
    memory.write_waiting()
    opened.refresh()
    victim = tmp_path / "memory" / RECIPE / opened.segments[0].name / "numbers.npy"
    content = bytearray(victim.read_bytes())
    content[-1] ^= 1
    victim.write_bytes(content)
    fresh = MemoryReader(tmp_path / "memory", RECIPE)
    assert numbers(fresh) == [2]
    assert [one.name for one in fresh.damaged] == [opened.segments[0].name]

    again = Memory(store, tmp_path / "memory", RECIPE, MemorySettings())
    assert again.writer.repair() == 1
    with store.read() as tx:
        assert again.lacks(tx, f"{1:064x}")
        assert not again.lacks(tx, f"{2:064x}")
    remember(store, again, 1)
    again.write_waiting()
    assert len(numbers(fresh)) == 2
    assert fresh.damaged == ()


def test_a_damaged_list_of_segments_is_made_anew(store: Store, memory: Memory, tmp_path: Path) -> None:
    remember(store, memory, 1)
    memory.write_waiting()
    (tmp_path / "memory" / RECIPE / "generation.json").write_text("{")
    again = Memory(store, tmp_path / "memory", RECIPE, MemorySettings())
    assert again.writer.repair() == 0
    assert numbers(MemoryReader(tmp_path / "memory", RECIPE)) == [1]


def test_on_a_full_disk_the_scan_goes_on_and_fingerprints_wait(
    store: Store, memory: Memory, opened: MemoryReader, tmp_path: Path
) -> None:
    remember(store, memory, 1)
    folder = tmp_path / "memory" / RECIPE
    folder.mkdir()
    segments.write_generation(folder, segments.Generation(0, RECIPE))
    with read_only(folder):
        memory.write_waiting()
    with store.read() as tx:
        assert tx.fingerprints.count_pending(memory.shard) == 1
    memory.write_waiting()
    assert numbers(opened) == [1]


def test_forgetting_all_leaves_nothing(store: Store, memory: Memory, opened: MemoryReader) -> None:
    remember(store, memory, 1, 2)
    memory.write_waiting()
    assert forget_all(store, memory).pictures == 2
    assert numbers(opened) == []
    with store.read() as tx:
        assert tx.seen_counts.of_memory(memory.shard, RECIPE).pictures == 0


def test_a_logo_on_every_page_keeps_the_first_fifty_places(store: Store, memory: Memory) -> None:
    one = met(1)
    pages = [replace(one, page_url=f"https://shop.example/page-{number}") for number in range(60)]
    memory.remember(store, pages)
    with store.read() as tx:
        picture_id = tx.seen.get(one.sha256).id  # type: ignore[union-attr]
        assert len(tx.seen.addresses([picture_id])[picture_id]) == 50
