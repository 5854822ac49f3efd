"""Joining segments: which are due, and that the joined one is what publishing all at once would have made."""

import resource
import shutil
import signal
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from guardian.errors import IndexNotReady
from guardian.matching.index import segments
from guardian.matching.index.joining import FEW, SMALL, due, thinned
from guardian.matching.index.reader import open_index
from guardian.matching.index.writer import IndexWriter
from tests.matching.forks import ended, forked, killed_before
from tests.matching.made import RECIPE, answering, is_on_disk, made_entries, numbers_in, segments_in


def parted(folder: Path, *sizes: int) -> None:
    """An index of segments of so many assets, numbered through, that nobody has joined."""
    first = 1
    for size in sizes:
        IndexWriter(folder, RECIPE).publish(made_entries(*range(first, first + size)))
        first += size


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([], []),
        ([1] * FEW, []),
        ([1, 1, 1, 1], [0, 1, 2, 3]),
        ([0, 0, 0, 0], [0, 1, 2, 3]),
        ([27 * SMALL, 9 * SMALL, 3 * SMALL, 1], [0, 1, 2, 3]),
        ([60 * SMALL, 15 * SMALL, 4 * SMALL, 1], []),
        ([60 * SMALL, 15 * SMALL, 3 * SMALL - 1, 1], [2, 3]),
        ([100_000, 200, 100, 1], [1, 2, 3]),
        ([1, 100_000, 200, 20], [0, 3]),
        ([100_000, 40_000, 1, 1], [0, 1, 2, 3]),
    ],
)
def test_which_segments_are_joined(sizes: list[int], expected: list[int]) -> None:
    assert due(sizes) == expected


@pytest.mark.parametrize(
    ("sizes", "withdrawn", "much", "anything"),
    [
        ([], [], [], []),
        ([5, 7], [0, 0], [], []),
        ([0, 0], [0, 3], [1], [1]),
        ([75, 76, 1], [25, 25, 0], [0], [0, 1]),
        ([100_000, 3], [1, 1], [1], [0, 1]),
    ],
)
def test_which_segments_are_written_again(
    sizes: list[int], withdrawn: list[int], much: list[int], anything: list[int]
) -> None:
    assert thinned(sizes, withdrawn, erase=False) == much
    assert thinned(sizes, withdrawn, erase=True) == anything


def test_segments_stay_few_and_assets_are_rarely_written_again() -> None:
    """Ten thousand assets that come one by one."""
    sizes, written = list[int](), 0
    for _ in range(10_000):
        sizes.append(1)
        while places := due(sizes):
            together = sum(sizes[place] for place in places)
            sizes = [*(size for place, size in enumerate(sizes) if place not in places), together]
            written += together
        assert len(sizes) <= 6
    # The first SMALL of each segment are written again for each that comes.
    assert written < 10_000 * 3 * SMALL


def test_a_joined_segment_is_that_of_all_its_assets(tmp_path: Path) -> None:
    parted(tmp_path / "parts", 3, 1, 2, 2)
    parted(tmp_path / "whole", 8)
    IndexWriter(tmp_path / "parts", RECIPE).withdraw({2, 3, 8})
    assert IndexWriter(tmp_path / "parts", RECIPE).merge()
    assert not IndexWriter(tmp_path / "parts", RECIPE).merge()

    (segment,) = open_index(tmp_path / "parts", RECIPE).segments
    assert segment.numbers.tolist() == [1, 4, 5, 6, 7]
    kept = [entry for entry in made_entries(*range(1, 9)) if entry[0] in (1, 4, 5, 6, 7)]
    IndexWriter(tmp_path / "alone", RECIPE).publish(kept)
    (alone,) = open_index(tmp_path / "alone", RECIPE).segments
    assert segment.arrays.keys() == alone.arrays.keys()
    for name, array in segment.arrays.items():
        assert array.dtype == alone.arrays[name].dtype
        assert np.array_equal(array, alone.arrays[name]), name


def test_a_reader_keeps_the_segments_that_it_has_mapped(tmp_path: Path) -> None:
    parted(tmp_path, 1, 1, 1, 1)
    before = open_index(tmp_path, RECIPE)
    assert IndexWriter(tmp_path, RECIPE).merge()
    assert answering(before) == [1, 2, 3, 4]
    assert len(before.segments[3].asset(0).points) == 60
    after = open_index(tmp_path, RECIPE, before)
    assert len(after.segments) == 1
    assert answering(after) == [1, 2, 3, 4]


def test_damage_is_not_given_a_new_checksum(tmp_path: Path) -> None:
    parted(tmp_path, 1, 1, 1, 1)
    path = next(tmp_path.glob("segment-*/descriptors.npy"))
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    before = segments.read_generation(tmp_path)
    with pytest.raises(IndexNotReady, match="descriptors"):
        IndexWriter(tmp_path, RECIPE).merge()
    assert segments.read_generation(tmp_path) == before


def test_what_is_published_or_rebuilt_meanwhile_counts(tmp_path: Path) -> None:
    """Joining waits for nobody, and what it was made of may have gone when it ends."""
    parted(tmp_path, 1, 1, 1, 1)
    writer = IndexWriter(tmp_path, RECIPE)
    with segments.merging(tmp_path) as is_free:
        assert is_free
        assert not IndexWriter(tmp_path, RECIPE).merge()
        aside = segments.write_merged(tmp_path, {"numbers": np.arange(3)}, {})
        writer.publish(made_entries(5))
        assert aside.is_dir()
    assert not aside.exists()
    assert numbers_in(tmp_path) == {1, 2, 3, 4, 5}


def test_killed_while_joining(tmp_path: Path) -> None:
    """Before or after, nothing lost; and the next one removes what a dead one left."""
    parted(tmp_path / "base", 1, 1, 1, 1)
    codes, step = [-signal.SIGKILL], 0
    while codes[-1] == -signal.SIGKILL:
        step += 23
        folder = tmp_path / str(step)
        shutil.copytree(tmp_path / "base", folder)
        codes.append(killed_before(step, lambda where=folder: IndexWriter(where, RECIPE).merge()))  # type: ignore[misc]
        assert numbers_in(folder) == {1, 2, 3, 4}
        IndexWriter(folder, RECIPE).publish(made_entries(5))
        generation = segments.read_generation(folder)
        assert generation is not None
        left = {path.name for path in folder.iterdir()} - {"merge.lock"}
        assert left == {"publish.lock", "generation.json", *generation.segments}
    assert codes[-1] == 0
    assert len(codes) > 3


def test_full_disk_leaves_the_parts(tmp_path: Path) -> None:
    parted(tmp_path, 1, 1, 1, 1)

    def full() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1500, 1500))
        with pytest.raises(OSError, match="too large"):
            IndexWriter(tmp_path, RECIPE).merge()

    assert ended(forked(full)) == 0
    assert not list(tmp_path.glob("merging-*"))
    assert numbers_in(tmp_path) == {1, 2, 3, 4}


def test_a_segment_stays_until_a_quarter_of_it_is_withdrawn(tmp_path: Path) -> None:
    """One that is not due to be joined is not copied for each asset that is taken out."""
    parted(tmp_path, 8, 4)
    large, small = [segment.name for segment in open_index(tmp_path, RECIPE).segments]
    writer = IndexWriter(tmp_path, RECIPE)
    writer.withdraw({3})
    assert not writer.merge()
    assert segments_in(tmp_path) == {large, small}
    assert is_on_disk(tmp_path, 3)

    writer.withdraw({4})
    before = open_index(tmp_path, RECIPE)
    assert writer.merge()
    assert not writer.merge()
    assert large not in segments_in(tmp_path)
    assert small in segments_in(tmp_path)
    assert not (tmp_path / large).exists()
    assert [is_on_disk(tmp_path, number) for number in range(1, 6)] == [True, True, False, False, True]
    after = open_index(tmp_path, RECIPE, before)
    assert answering(before) == answering(after) == [1, 2, *range(5, 13)]


def test_whoever_asks_has_all_that_is_withdrawn_erased(tmp_path: Path) -> None:
    parted(tmp_path, 8, 4, 1)
    writer = IndexWriter(tmp_path, RECIPE)
    assert not writer.merge(erase=True), "nothing is withdrawn"
    before = segments_in(tmp_path)
    writer.withdraw({3, 13})
    assert writer.merge(erase=True)
    assert not writer.merge(erase=True)
    assert not is_on_disk(tmp_path, 3)
    assert not is_on_disk(tmp_path, 13)
    assert numbers_in(tmp_path) == {1, 2, *range(4, 13)}
    assert len(segments_in(tmp_path) & before) == 1, "nothing of it is withdrawn"


def test_a_segment_of_which_everything_is_withdrawn_disappears(tmp_path: Path) -> None:
    parted(tmp_path, 2, 3)
    before = segments_in(tmp_path)
    writer = IndexWriter(tmp_path, RECIPE)
    writer.withdraw({1, 2})
    assert writer.merge()
    assert len(segments_in(tmp_path)) == 1
    assert segments_in(tmp_path) < before
    writer.withdraw({3, 4, 5})
    assert writer.merge()
    assert not writer.merge(erase=True)
    assert segments_in(tmp_path) == frozenset()
    assert not list(tmp_path.glob("segment-*"))


def test_killed_while_erasing(tmp_path: Path) -> None:
    """Whenever that happens, withdrawn assets stay out of answers, and the next one erases them."""
    parted(tmp_path / "base", 4, 1)
    IndexWriter(tmp_path / "base", RECIPE).withdraw({2, 5})

    def erase(where: Path) -> None:
        IndexWriter(where, RECIPE).merge(erase=True)

    codes, step = [-signal.SIGKILL], 0
    while codes[-1] == -signal.SIGKILL:
        step += 5
        folder = tmp_path / str(step)
        shutil.copytree(tmp_path / "base", folder)
        codes.append(killed_before(step, partial(erase, folder)))
        assert numbers_in(folder) == {1, 3, 4}
        IndexWriter(folder, RECIPE).merge(erase=True)
        IndexWriter(folder, RECIPE).publish(made_entries(6))
        assert numbers_in(folder) == {1, 3, 4, 6}
        assert not is_on_disk(folder, 2)
        assert not is_on_disk(folder, 5)
        left = {path.name for path in folder.iterdir()}
        assert left == {"publish.lock", "merge.lock", "generation.json", *segments_in(folder)}
        shutil.rmtree(folder)
    assert codes[-1] == 0
    assert len(codes) > 15
