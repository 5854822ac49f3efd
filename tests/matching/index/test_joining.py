"""Joining segments: which are due, and that the joined one is what publishing all at once would have made."""

import resource
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest

from guardian.errors import IndexNotReady
from guardian.matching.index import segments
from guardian.matching.index.joining import FEW, SMALL, due
from guardian.matching.index.reader import open_index
from guardian.matching.index.writer import IndexWriter
from tests.matching.forks import ended, forked, killed_before
from tests.matching.made import RECIPE, answering, made_entries, numbers_in


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
